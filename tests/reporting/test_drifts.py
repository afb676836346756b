from __future__ import annotations

from consumers.reporting.drifts import episodes_of
from stream.contracts.segments import LedgerKind
from tests.reporting.making import DAY, drift, entry

BEFORE, LATER, AFTER = "2024-04-30T00:00:00.000Z", "2024-05-02T18:00:00.000Z", "2024-05-03T00:00:00.000Z"


def test_an_episode_began_ended_or_goes_on() -> None:
    ledger = [
        drift("begins", "feature.orders", BEFORE),
        drift("begins", "share", BEFORE),
        drift("begins", "event.spend"),
        entry(LedgerKind.BORN, "s9"),
        drift("ends", "share", LATER, level=3.24),
        drift("ends", "event.spend", AFTER),
    ]
    began, ended, active = episodes_of(ledger, DAY)
    assert [(e.state, e.what) for e in (began, ended, active)] == [
        ("began", "spend of the orders"),
        ("ended", "how customers spread over the segments"),
        ("active", "orders of the customers"),
    ]
    assert began.words == (
        "not what it was since 2017-06-30 21:00; found 2024-05-02 12:00 at 1.1x its limit (chart of means)"
    )
    assert ended.words.startswith("as usual again from 2024-05-02 18:00; it was not since")
    assert "at most 3.2x its limit" in ended.words
    assert active.words.endswith("; it goes on")


def test_what_began_and_ended_before_is_not_told() -> None:
    assert episodes_of([drift("begins", occurred=BEFORE), drift("ends", occurred=BEFORE)], DAY) == []
