"""What operators tell running workers, through the control topic."""

from __future__ import annotations

import time
from contextlib import closing

from consumers.control import tell
from consumers.topics import topic_identity
from producers.kafka_writer import KafkaWriter
from stream.contracts.control import MAX_REASON
from stream.errors import SettingsError
from stream.settings import Tree


def pause(settings: Tree, reason: str) -> None:
    """Let all workers hold. Raises ``SettingsError`` and ``BrokerUnavailable``; then nothing was said."""
    if len(reason) > MAX_REASON:
        raise SettingsError(f"--reason has {len(reason)} characters; {MAX_REASON} are enough")
    _tell(settings, paused=True, reason=reason)


def resume(settings: Tree) -> None:
    """Let all workers go on that were told to pause, or that too many bad records hold. Raises as ``pause``."""
    _tell(settings, paused=False, reason="")


def _tell(settings: Tree, *, paused: bool, reason: str) -> None:
    topic = settings.topics.control
    topic_identity(settings, topic)
    with closing(KafkaWriter(settings.kafka)) as writer:
        tell(writer, topic, paused=paused, reason=reason, wall_ms=time.time_ns() // 1_000_000)
