"""Reading what a report is made of: changes and ledger from Kafka, profiles and customers from Redis."""

from __future__ import annotations

from collections import Counter

from consumers.following import changes_since, ledger_entries
from consumers.reporting.material import Material
from consumers.reporting.period import Period
from consumers.source import Tail
from consumers.watching.marks import newest_event_ms, statuses_of
from consumers.watching.places import place
from stream.settings import TopicSettings
from stream.view.reader import Reader


def gather(reader: Reader, tail: Tail, topics: TopicSettings, period: Period, partitions: int) -> Material:
    """Read everything once. Raises ``BrokerUnavailable``, ``StoreUnavailable``."""
    found = [change for p in range(partitions) for change in changes_since(tail, topics.changes, p, period.begin_ms)]
    return Material(
        changes=sorted(found, key=lambda change: (change.occurred_at, change.customer_id, change.version)),
        ledger=list(ledger_entries(tail, topics.ledger)),
        profiles=reader.segments(),
        counts=Counter(place(fields["id"], fields["status"]) for _, fields in reader.customers()),
        newest_ms=newest_event_ms(reader, partitions),
        statuses=statuses_of(reader, partitions),
    )
