from __future__ import annotations

from dataclasses import replace

from consumers.reporting.histories import lines_of, names_at
from consumers.reporting.material import Material
from stream.contracts.segments import LedgerKind, Said
from tests.reporting.making import DAY, change, drift, entry

BEFORE, AFTER = "2024-04-30T00:00:00.000Z", "2024-05-03T00:00:00.000Z"
BORN, MERGED, RENAMED, RETIRED = LedgerKind.BORN, LedgerKind.MERGED, LedgerKind.RENAMED, LedgerKind.RETIRED


def test_where_customers_came_from_and_went_is_said_in_words() -> None:
    born = entry(
        BORN,
        "s6",
        "s6 'name of s6' born, 1200 customers (1000 with s2, 200 with s3): accepted by ann",
        flows=[("s2", "s6", 1000.0), ("s3", "s6", 200.0)],
    )
    merged = entry(MERGED, "s5", "s5 'name of s5' merged, 0 customers (301 with s2)", flows=[("s5", "s2", 301.0)])
    assert [line.words for line in lines_of([born, merged], DAY)] == [
        "was born: 1200 customers (1,000 from s2, 200 from s3): accepted by ann",
        "was merged: 0 customers (301 now in s2)",
    ]


def test_what_a_person_said_is_told_with_who_and_what_came_of_it() -> None:
    said = Said("rename", "ann", "", True, "until then 'weekends'", name="early birds")
    refused = Said("merge", "", "", False, "there is no segment s4 to merge", into_id="s2")
    lines = lines_of([replace(entry(LedgerKind.SAID, id_), said=s) for id_, s in (("s3", said), ("s4", refused))], DAY)
    assert [line.words for line in lines] == [
        "rename s3 'early birds' by ann: until then 'weekends'",
        "merge s4 into s2 by somebody: not done: there is no segment s4 to merge",
    ]


def test_only_the_period_is_told_and_no_drift() -> None:
    ledger = [entry(RENAMED, "s1", occurred=BEFORE), drift("begins"), entry(RENAMED, "s2", occurred=AFTER)]
    assert lines_of(ledger, DAY) == []


def test_names_are_those_at_the_end_of_the_period() -> None:
    ledger = [
        entry(BORN, "s1", occurred=BEFORE, name="old"),
        entry(BORN, "s2", occurred=BEFORE),
        entry(RETIRED, "s2", occurred=BEFORE),
        entry(RENAMED, "s1", name="new"),
        entry(RENAMED, "s1", occurred=AFTER, name="newest"),
        entry(BORN, "s3", occurred=AFTER),
    ]
    profiles = {id_: {"name": "now"} for id_ in ("s1", "s3", "s4")}
    names = names_at(Material(ledger=ledger, profiles=profiles), ["s5", "s10"], DAY)
    assert names == {"s1": "new", "s4": "now", "s5": "", "s10": ""}


def test_what_the_ledger_does_not_know_a_change_may() -> None:
    material = Material(changes=[change("s7", "s8")], profiles={"s8": {"name": "now"}})
    assert names_at(material, ["s7"], DAY) == {"s7": "name of s7", "s8": "name of s8"}


def test_a_rollback_brings_back_who_was_gone() -> None:
    ledger = [entry(RETIRED, "s2", occurred=BEFORE), entry(BORN, "s2", occurred=BEFORE)]
    assert list(names_at(Material(ledger=ledger), [], DAY)) == ["s2"]
