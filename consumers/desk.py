"""The analyst's desk: what the model is and proposes, and telling the owner what to do about it."""

from __future__ import annotations

import time
from contextlib import closing

from rich.console import Console
from rich.progress import track
from rich.text import Text

from consumers.foretelling import foretold
from consumers.inspecting import console, print_json
from consumers.kafka_tail import KafkaTail
from consumers.model_finding import find_model
from consumers.showing.alike import merger_words
from consumers.showing.model import model_page
from consumers.speaker import speaker
from consumers.standing import Standing, foretold_merger, standing
from consumers.topics import topic_identity
from producers.kafka_writer import KafkaWriter
from producers.writer import Writer
from stream.contracts.commands import KEY, MAX_NAME_BYTES, MAX_SPEAKER, Command, Deed, encode_command
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.errors import SettingsError
from stream.model.merging import Merger, not_two
from stream.settings import Tree
from stream.view.redis_reader import RedisReader


def show(settings: Tree, *, estimate: bool, as_json: bool) -> None:
    """Print the model and its proposal, with who would move as every customer's state says, or by ``estimate``."""
    found = _standing(settings)
    if not estimate and found.docket.waiting is not None:
        found = _foretelling(settings, found)
    if as_json:
        print_json(found.to_json())
    else:
        console().print(model_page(found))


def _foretelling(settings: Tree, found: Standing) -> Standing:
    """Look at every customer; how far it is is shown on standard error."""
    _, partitions = topic_identity(settings, settings.topics.events)
    asked = track(range(partitions), "who would move", console=Console(stderr=True), transient=True)
    with closing(RedisReader(settings.redis)) as reader:
        return found.foretelling(foretold(settings, FeatureSet(settings.customers), reader, found.record, asked))


def decide(settings: Tree, deed: Deed, version: int, by: str) -> None:
    """Accept or reject a proposal, or go back to a model. Raises ``SettingsError`` where there is no such."""
    found = _standing(settings)
    waiting = found.docket.waiting
    if deed == "rollback":
        if version >= found.snapshot.version or not (version in found.versions or _is_kept(settings, version)):
            kept = ", ".join(map(str, found.versions[:-1])) or "none"
            raise SettingsError(f"model {version} cannot be gone back to; the last before the present one: {kept}")
    elif waiting is None or waiting.version != version:
        there = f"; proposal {waiting.version} waits" if waiting else "; none waits: segstream model show"
        raise SettingsError(f"there is no proposal {version}{there}")
    _write(settings, Command(deed, _now(), signed(speaker(by)), version=version))
    _say(f"told: {deed} {version}; the owner does it with its next model (from {found.snapshot.version} on)")


def name(settings: Tree, deed: Deed, segment: str, new: str | None, by: str) -> None:
    """Rename, pin or unpin a segment. Raises ``SettingsError`` where there is no such, or the name is taken."""
    found = _standing(settings)
    _write(settings, naming(found, deed, segment, new, speaker(by), time.time()))
    _say(f"told: {deed} {segment}; it shows with the next model (from {found.snapshot.version} on)")


def naming(found: Standing, deed: Deed, segment: str, new: str | None, by: str | None, now_seconds: float) -> Command:
    """The command that renames, pins or unpins. Raises ``SettingsError`` for what cannot be."""
    names = {s.id: s.name for s in found.snapshot.segments}
    if segment not in names:
        raise SettingsError(f"there is no segment '{segment}'; there are {', '.join(names)}")
    if new is not None:
        if not new.strip() or len(new.encode()) > MAX_NAME_BYTES:
            raise SettingsError(f"a name has 1 to {MAX_NAME_BYTES} bytes, '{new}' has {len(new.strip().encode())}")
        if new.strip() in (taken for id_, taken in names.items() if id_ != segment):
            raise SettingsError(f"another segment is called '{new.strip()}'")
    number, name = int(segment.removeprefix("s")), new.strip() if new else None
    return Command(deed, rfc3339(round(now_seconds * 1000)), signed(by), segment=number, name=name)


def merge(settings: Tree, segment: str, into: str, by: str) -> None:
    """Merge a segment into another one. Raises ``SettingsError`` where that cannot be."""
    found = _standing(settings)
    merger = foretold_merge(found, segment, into)
    number, staying = merger.number, merger.into
    _write(settings, Command("merge", _now(), signed(speaker(by)), segment=number, into=staying))
    _say(f"told: merge {segment} into {into}; as the model stands {merger_words(merger)}")
    _say(f"back: segstream model rollback {found.snapshot.version}")


def foretold_merge(found: Standing, segment: str, into: str) -> Merger:
    """What a merge would bring. Raises ``SettingsError`` for one that the owner would refuse, as far as it is known."""
    if found.snapshot.kind != "cells":
        raise SettingsError(f"models of kind {found.snapshot.kind} find their segments themselves")
    standing_ids = {s.id: s.number for s in found.snapshot.segments if not s.retiring}
    for id_ in (segment, into):
        if id_ not in standing_ids:
            raise SettingsError(f"there is no segment '{id_}' to merge; there are {', '.join(standing_ids)}")
    if refusal := not_two(tuple(standing_ids.values()), standing_ids[segment], standing_ids[into]):
        raise SettingsError(refusal)
    merger = foretold_merger(found.state, standing_ids[segment], standing_ids[into])
    if merger.refusal:
        raise SettingsError(merger.refusal)
    return merger


def signed(by: str | None) -> str:
    """The name that a command bears, empty for nobody's. Raises ``SettingsError`` for one that is too long."""
    who = by or ""
    if len(who) > MAX_SPEAKER:
        raise SettingsError(f"--by has at most {MAX_SPEAKER} characters, '{who}' has {len(who)}")
    return who


def refreeze(settings: Tree, by: str) -> None:
    """What is now is usual: drift is told against new references. Raises ``SettingsError`` without a model."""
    found = _standing(settings)
    _write(settings, Command("refreeze", _now(), signed(speaker(by))))
    _say(f"told: refreeze; the references of drift begin anew with the next model (from {found.snapshot.version} on)")


def tell(writer: Writer, topic: str, command: Command) -> None:
    """Tell the owner, whoever it is now or next. Raises ``BrokerUnavailable`` when it was not written."""
    writer.send(topic, KEY, encode_command(command))
    writer.flush()


def _standing(settings: Tree) -> Standing:
    topic_identity(settings, settings.topics.model)
    with closing(KafkaTail(settings.kafka)) as tail:
        return standing(settings, FeatureSet(settings.customers), tail)


def _is_kept(settings: Tree, version: int) -> bool:
    with closing(KafkaTail(settings.kafka)) as tail:
        features_id = FeatureSet(settings.customers).features_id
        return find_model(tail, settings.topics.model, features_id, version) is not None


def _write(settings: Tree, command: Command) -> None:
    with closing(KafkaWriter(settings.kafka)) as writer:
        tell(writer, settings.topics.learning, command)


def _now() -> str:
    return rfc3339(time.time_ns() // 1_000_000)


def _say(text: str) -> None:
    console().print(Text(text))
