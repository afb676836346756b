"""A standstill: what may only be done while no process of the service runs is refused beside one that does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from consumers.following import read_between
from consumers.source import Tail
from consumers.takeover import owner_group
from stream.errors import SettingsError
from stream.settings import KafkaSettings


def refuse_running(members: Callable[[str], int], kafka: KafkaSettings) -> None:
    """Raise ``SettingsError`` while workers or owners are members of their groups."""
    for group in (kafka.group, owner_group(kafka)):
        count = members(group)
        if count:
            raise SettingsError(
                f"kafka.group: '{group}' has {count} member{'s' if count > 1 else ''}; stop segstream first (who was "
                f"killed, or is a static member, counts for another {kafka.session_timeout_seconds:g} s)"
            )


def refuse_unread(tail: Tail, topic: str, partition: int, next_: int) -> None:
    """Raise ``SettingsError`` if ``partition`` has records from ``next_`` on. Transaction markers are no records."""
    end = tail.bounds(topic, partition)[1]
    if any(True for _ in islice(read_between(tail, topic, partition, next_, end), 1)):
        raise SettingsError(
            f"topics.events: partition {partition} of '{topic}' has events from offset {next_} on that were not "
            "processed; stop the producers, let segstream run until it has caught up, stop it, and try again"
        )
