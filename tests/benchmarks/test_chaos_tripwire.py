"""Tripwires, and whether the points they are stretched at are where they say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.chaos.points import Watched
from benchmarks.chaos.tripwire import Tripwire, Wire, carry_out
from consumers import restoring
from consumers.build import Service
from consumers.lockstep import Lockstep
from consumers.twins import Twins, drain
from producers.personas import Personas
from stream.view.journal import Mark
from tests.consumers.shop import PLAN, quiet_shop, settings


class Sprung(Exception):
    """Somebody fell over the wire."""


def spring(deed: str) -> None:
    raise Sprung(deed)


@pytest.mark.parametrize("words", ["A:1", "C:20:stop", "B:1:sleep=2.5"])
def test_words_of_a_wire(words: str) -> None:
    assert str(Wire.of(words)).startswith(words)


def test_it_is_the_nth_passing_of_its_point_and_only_once() -> None:
    tripwire = Tripwire(spring)
    tripwire.set(Wire("A", 2))
    tripwire.passing("B")
    tripwire.passing("A")
    with pytest.raises(Sprung):
        tripwire.passing("A")
    tripwire.passing("A")


def test_what_must_be_done_first_is_done_only_then() -> None:
    done: list[int] = []
    tripwire = Tripwire(spring)
    tripwire.set(Wire("C", 2))
    tripwire.passing("C", before=lambda: done.append(1))
    assert done == []
    with pytest.raises(Sprung):
        tripwire.passing("C", before=lambda: done.append(2))
    assert done == [2]


def test_an_unknown_deed_is_an_error() -> None:
    with pytest.raises(ValueError, match="dance"):
        carry_out("dance")


def until_sprung(twins: Twins, wire: Wire) -> None:
    """Live on until somebody falls over the wire."""
    tripwire = Tripwire(spring)
    plain = twins.service()
    service = Service(plain.settings, Watched(tripwire).backend(plain.backend), CollectorRegistry())
    lockstep = Lockstep(service.worker(), plain.owner())
    tripwire.set(wire)
    with pytest.raises(Sprung):
        drain(lockstep.run_once)


def committed_and_shown(twins: Twins) -> dict[int, tuple[int, int]]:
    """Of each partition that has begun: the input offset that is committed, and the one up to which the store is."""
    found = {}
    for partition in range(twins.settings.topics.partitions):
        offsets = twins.broker.group(twins.settings.kafka.group).offsets
        committed = offsets.get((twins.settings.topics.events, partition))
        watermark = twins.store.reader.watermark(partition)
        shown = Mark.from_bytes(watermark).next if watermark else 0
        if committed is not None:
            found[partition] = (committed.offset, shown)
    return found


AllOf = Callable[[list[bool]], bool]


@pytest.mark.parametrize(
    ("point", "behind"),
    [
        ("A", lambda behind: not any(behind)),
        ("B", lambda behind: not any(behind)),
        ("F", all),
        ("G", lambda behind: any(behind) and not all(behind)),
        ("H", lambda behind: not any(behind)),
    ],
)
def test_which_partitions_of_the_store_are_behind_at_a_point(point: str, behind: AllOf) -> None:
    twins = Twins(settings())
    twins.send(Personas(PLAN))
    until_sprung(twins, Wire(point, 1 if point in "FG" else 2))
    marks = committed_and_shown(twins)
    assert marks
    assert behind([shown < committed for committed, shown in marks.values()])


def test_the_point_in_a_restore_is_between_its_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = quiet_shop()
    twins.store.lose()
    monkeypatch.setattr(restoring, "PAGE", 5)
    until_sprung(twins, Wire("I", 2))
    written = [len(list(twins.store.reader.states(p))) for p in range(twins.settings.topics.partitions)]
    assert sum(written) == 5
    assert sum(bool(twins.store.reader.status(p)) for p in range(len(written))) == 1
