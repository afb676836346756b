"""Who said what and what came of it, and everything that became of one customer: newest last, nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.history import newest_said, past_of
from consumers.memory_source import MemoryTail
from consumers.showing.history import said_table
from producers.memory_broker import MemoryBroker
from producers.sink import Outgoing
from stream.contracts.changes import encode_change
from stream.contracts.examples import CHANGE, LEDGER_ENTRY
from stream.contracts.segments import LedgerEntry, LedgerKind, Said, decode_entry, encode_entry
from tests.consumers.showing.terminal import WIDTH, coloured, shown

AT = "2027-01-15T08:00:00.000Z"
HOSTILE = "[bold]x\x1b[2J"


def line(said: Said, segment: str = "s2") -> LedgerEntry:
    return replace(LEDGER_ENTRY, kind=LedgerKind.SAID, segment_id=segment, said=said)


MERGED = line(Said("merge", "ann", AT, True, "s2 merged into s5 (412 customers)", into_id="s5"))
REFUSED = line(Said("accept", "", AT, False, "no proposal 9 waits", version=9), "")
NAMED = line(Said("rename", HOSTILE, AT, True, "until then 'rare'", name=HOSTILE))


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker()
    broker.create("ledger", 1)
    broker.create("changes", 1)
    return broker


def test_of_the_ledger_only_what_people_said_and_the_newest_of_it(broker: MemoryBroker) -> None:
    for entry in (LEDGER_ENTRY, MERGED, LEDGER_ENTRY, REFUSED, NAMED):
        broker.append(Outgoing("ledger", 0, entry.segment_id.encode(), encode_entry(entry)))
    broker.append(Outgoing("ledger", 0, b"s1", b"{"))
    assert newest_said(MemoryTail(broker), "ledger", 50) == (MERGED, REFUSED, NAMED)
    assert newest_said(MemoryTail(broker), "ledger", 2) == (REFUSED, NAMED)


def test_a_line_reads_back_and_one_of_before_has_no_words() -> None:
    for entry in (MERGED, REFUSED, NAMED):
        assert decode_entry(encode_entry(entry)) == entry
    assert decode_entry(encode_entry(LEDGER_ENTRY)).said is None


def test_the_table_says_when_who_what_and_what_came_of_it() -> None:
    header, merged, refused = shown(said_table([MERGED, REFUSED, LEDGER_ENTRY]))
    assert header.split() == ["when", "who", "said", "model", "what", "came", "of", "it"]
    assert merged == "2027-01-15 08:00  ann  merge s2 into s5    118  s2 merged into s5 (412 customers)"
    assert refused == "2027-01-15 08:00  -    accept 9            118  not done: no proposal 9 waits"


def test_hostile_words_are_only_words() -> None:
    assert "\x1b[2J" not in coloured(said_table([NAMED]))
    assert all(len(text) <= WIDTH for text in shown(said_table([NAMED])))


def tell(broker: MemoryBroker, customer: str, version: int) -> None:
    change = replace(CHANGE, customer_id=customer, version=version)
    broker.append(Outgoing("changes", 0, customer.encode(), encode_change(change)))


def test_a_customers_past_is_found_however_far_back(broker: MemoryBroker) -> None:
    tell(broker, "ann", 1)
    for version in range(1, 3000):
        tell(broker, "bob", version)
    tell(broker, "ann", 2)
    past = past_of(MemoryTail(broker), "changes", 0, b"ann", 50)
    assert [change.version for change in past.changes] == [1, 2]
    assert past.is_whole


def test_what_is_left_out_or_gone_is_said(broker: MemoryBroker) -> None:
    for version in (4, 5, 6):
        tell(broker, "ann", version)
    gone = past_of(MemoryTail(broker), "changes", 0, b"ann", 50)
    assert ([change.version for change in gone.changes], gone.is_whole) == ([4, 5, 6], False)
    few = past_of(MemoryTail(broker), "changes", 0, b"ann", 2)
    assert ([change.version for change in few.changes], few.is_whole) == ([5, 6], False)
    assert past_of(MemoryTail(broker), "changes", 0, b"eve", 2).changes == ()
