"""History: what people said of the segments, from the ledger; changes of one customer, from the change topic."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass

from rich.text import Text

from consumers.following import ledger_entries, newest_changes
from consumers.inspecting import console, print_json, show
from consumers.kafka_tail import KafkaTail
from consumers.printable import safe
from consumers.showing.changes import changes_table
from consumers.showing.history import said_table
from consumers.source import Tail
from consumers.topics import topic_identity
from stream.contracts.changes import CHANGE, SegmentChange
from stream.contracts.partitioning import partition_of
from stream.contracts.segments import LEDGER_ENTRY, LedgerEntry, LedgerKind
from stream.errors import SegstreamError
from stream.settings import Tree


@dataclass(frozen=True)
class Past:
    """A customer's changes, oldest first."""

    changes: tuple[SegmentChange, ...]
    is_whole: bool
    """Whether nothing is left out: neither by ``limit``, nor because the topic does not have it any more."""


def show_said(settings: Tree, *, limit: int, as_json: bool) -> None:
    """Print what people said of the segments, newest last."""
    topic_identity(settings, settings.topics.ledger)
    with closing(KafkaTail(settings.kafka)) as tail:
        entries = newest_said(tail, settings.topics.ledger, limit)
    if as_json:
        for entry in entries:
            print_json(LEDGER_ENTRY.adapter.dump_python(entry, mode="json"))
    elif entries:
        show(console(), said_table(entries))
    else:
        console().print("nobody has said anything of the segments yet")


def show_customer(settings: Tree, customer: str, *, limit: int, as_json: bool) -> None:
    """Print the changes of a customer, newest last. Raises ``SegstreamError`` when there are none."""
    topic, key = settings.topics.changes, customer.encode(errors="surrogateescape")  # as the command line gave it
    _, partitions = topic_identity(settings, topic)
    with closing(KafkaTail(settings.kafka)) as tail:
        past = past_of(tail, topic, partition_of(key, partitions), key, limit)
    if not past.changes:
        raise SegstreamError(f"topic {topic} has no change of customer '{customer}'")
    if as_json:
        for change in past.changes:
            print_json(CHANGE.adapter.dump_python(change, mode="json"))
        return
    out = console()
    if not past.is_whole:
        oldest = past.changes[0].version
        out.print(Text(f"{safe(customer)} from change {oldest} on; --limit shows older ones, if kept", "dim"))
    show(out, changes_table(past.changes, customers=False))


def newest_said(tail: Tail, topic: str, limit: int) -> tuple[LedgerEntry, ...]:
    """The last ``limit`` words, oldest first. The ledger is some lines a day, and kept for ever."""
    return tuple(deque((entry for entry in ledger_entries(tail, topic) if entry.kind is LedgerKind.SAID), maxlen=limit))


def past_of(tail: Tail, topic: str, partition: int, customer: bytes, limit: int) -> Past:
    """The last ``limit`` changes of a customer, however far back they are."""
    first, end = tail.bounds(topic, partition)
    found = newest_changes(tail, topic, partition, customer, limit, reach=end - first)
    changes = tuple(reversed(found))
    return Past(changes, is_whole=bool(changes) and changes[0].version == 1)
