"""Each word stands in the minutes once, done or not, with what came of it."""

from __future__ import annotations

import numpy as np
import pytest

from consumers.minutes import said_messages
from stream.contracts.commands import Command, Deed
from stream.contracts.segments import LedgerKind, decode_entry, encode_entry
from stream.model.learner import Learner
from stream.model.macro_step import MacroStep
from tests.helpers import MONDAY_MS, WALL_MS
from tests.model.crowd import Crowd, blobs, described, settings

AT = "2027-01-15T08:00:00.000Z"


@pytest.fixture
def people() -> Crowd:
    centres = [[0.0, 0.0], [2500.0, 0.0], [12_000.0, 0.0], [0.0, 12_000.0]]
    crowd = Crowd(blobs(np.random.default_rng(2), centres, 60), Learner(described(2), settings(segments=4, cells=40)))
    crowd.step()
    crowd.step()
    return crowd


def say(people: Crowd, deed: Deed, **what: object) -> None:
    people.learner.obey(Command(deed, AT, "ann", **what))  # type: ignore[arg-type]


def lines(step: MacroStep) -> list[tuple[str, bool, str]]:
    messages = said_messages(step, MONDAY_MS, WALL_MS)
    assert [decode_entry(encode_entry(message)) for message in messages] == messages
    assert {message.kind for message in messages} <= {LedgerKind.SAID}
    return [(m.segment_id, m.said.done, m.said.outcome) for m in messages if m.said is not None]


def test_what_came_of_a_merge_and_why_another_was_not_done(people: Crowd) -> None:
    one, other = int(people.held[0]), int(people.held[60])
    say(people, "merge", segment=one, into=other)
    say(people, "merge", segment=one, into=other)
    step = people.learner.macro_step(0)
    assert lines(step) == [
        (f"s{one}", True, f"s{one} merged into s{other} (60 customers)"),
        (f"s{one}", False, f"there is no segment s{one} to merge"),
    ]
    text = said_messages(step, MONDAY_MS, WALL_MS)[0].detail.text
    assert text == f"ann: merge s{one} into s{other}: s{one} merged into s{other} (60 customers)"
    assert lines(people.step()) == []


def test_names_and_pins(people: Crowd) -> None:
    assert people.learner.snapshot is not None
    before = people.learner.snapshot.names[1]
    say(people, "rename", segment=1, name="early birds")
    say(people, "pin", segment=2)
    say(people, "unpin", segment=99)
    assert lines(people.learner.macro_step(0)) == [
        ("s1", True, f"until then '{before}'"),
        ("s2", True, "done"),
        ("s99", False, "there is no segment s99"),
    ]


def test_what_is_of_all_segments_is_of_none(people: Crowd) -> None:
    say(people, "accept", version=9)
    assert lines(people.step()) == [("", False, "no proposal 9 waits")]
    earlier = people.learner.snapshot
    people.learner.obey(Command("rollback", AT, "", version=earlier.version if earlier else 0), earlier)
    step = people.learner.macro_step(0)
    assert lines(step) == [("", True, "no segment came or went")]
    assert said_messages(step, MONDAY_MS, WALL_MS)[0].detail.text.startswith("somebody: rollback ")
