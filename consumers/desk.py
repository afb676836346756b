"""The analyst's desk: what the model is and proposes, and telling the owner what to do about it."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from rich.text import Text

from consumers.inspecting import console, print_json
from consumers.kafka_tail import KafkaTail
from consumers.showing.model import model_page
from consumers.standing import Standing, standing
from consumers.topics import topic_identity
from producers.kafka_writer import KafkaWriter
from producers.writer import Writer
from stream.contracts.commands import KEY, MAX_NAME_BYTES, Command, Deed, encode_command
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.errors import SettingsError
from stream.settings import Tree


def show(settings: Tree, *, as_json: bool) -> None:
    """Print the model and its proposal."""
    found = _standing(settings)
    if as_json:
        print_json(found.to_json())
    else:
        console().print(model_page(found))


def decide(settings: Tree, deed: Deed, version: int, by: str) -> None:
    """Accept or reject a proposal, or go back to a model. Raises ``SettingsError`` where there is no such."""
    found = _standing(settings)
    waiting = found.docket.waiting
    if deed == "rollback":
        if version not in found.versions or version == found.snapshot.version:
            kept = ", ".join(map(str, found.versions[:-1])) or "none"
            raise SettingsError(f"model {version} cannot be gone back to; kept before the present one: {kept}")
    elif waiting is None or waiting.version != version:
        there = f"; proposal {waiting.version} waits" if waiting else "; none waits: segstream model show"
        raise SettingsError(f"there is no proposal {version}{there}")
    _send(settings, deed, by, version=version)
    _say(f"told: {deed} {version}; the owner does it with its next model (from {found.snapshot.version} on)")


def name(settings: Tree, deed: Deed, segment: str, new: str | None, by: str) -> None:
    """Rename, pin or unpin a segment. Raises ``SettingsError`` where there is no such, or the name is taken."""
    found = _standing(settings)
    names = {s.id: s.name for s in found.snapshot.segments}
    if segment not in names:
        raise SettingsError(f"there is no segment '{segment}'; there are {', '.join(names)}")
    if new is not None:
        if not new.strip() or len(new.encode()) > MAX_NAME_BYTES:
            raise SettingsError(f"a name has 1 to {MAX_NAME_BYTES} bytes, '{new}' has {len(new.strip().encode())}")
        if new.strip() in (taken for id_, taken in names.items() if id_ != segment):
            raise SettingsError(f"another segment is called '{new.strip()}'")
    _send(settings, deed, by, segment=int(segment.removeprefix("s")), name=new.strip() if new else None)
    _say(f"told: {deed} {segment}; it shows with the next model (from {found.snapshot.version} on)")


def refreeze(settings: Tree, by: str) -> None:
    """What is now is usual: drift is told against new references. Raises ``SettingsError`` without a model."""
    found = _standing(settings)
    _send(settings, "refreeze", by)
    _say(f"told: refreeze; the references of drift begin anew with the next model (from {found.snapshot.version} on)")


def tell(writer: Writer, topic: str, command: Command) -> None:
    """Tell the owner, whoever it is now or next. Raises ``BrokerUnavailable`` when it was not written."""
    writer.send(topic, KEY, encode_command(command))
    writer.flush()


def _standing(settings: Tree) -> Standing:
    topic_identity(settings, settings.topics.model)
    with closing(KafkaTail(settings.kafka)) as tail:
        return standing(settings, FeatureSet(settings.customers), tail)


def _send(settings: Tree, deed: Deed, by: str, **what: Any) -> None:
    command = Command(deed, rfc3339(time.time_ns() // 1_000_000), by, **what)
    with closing(KafkaWriter(settings.kafka)) as writer:
        tell(writer, settings.topics.learning, command)


def _say(text: str) -> None:
    console().print(Text(text))
