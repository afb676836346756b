"""Restoring: bring a partition's view from its watermark to the committed offset, along the journal's chain.

The store may have been lost, rolled back or flushed; what it holds is only believed as far as its watermark, and the
committed input offset says how far the journal must be followed. End offsets are never trusted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from consumers.chain import Chain
from consumers.committing import all_of, update
from consumers.source import Tail
from producers.sink import Committed
from stream.customer.features import FeatureSet
from stream.customer.state import unpack
from stream.errors import IncompleteJournal, SettingsError, StoreUnavailable
from stream.view.journal import NOTHING, Mark
from stream.view.store import Store, Wanted

log = logging.getLogger(__name__)

UNFINISHED = "unfinished migration"
"""Topic id in the marks of a journal that a migration has not completed."""
PAGE = 2000
"""Customers written to the store at once."""
BEGIN_ANEW = (
    "begin anew, with another kafka.group, new topics for all but the input, and an empty store "
    "(docs/runbooks.md, Beginning anew)"
)
"""The last resort. With the old change topic subscribers would pass over the new versions, which start at 1."""


@dataclass(frozen=True)
class Identity:
    """Input topic and journal as the broker has them now, and our declarations: a view under others is not believed."""

    topic_id: str
    partitions: int
    features_id: str
    journal_id: str = ""

    def refuse_other(self, mark: Mark) -> None:
        """Raise ``SettingsError`` unless ``mark`` belongs to this topic and these declarations."""
        if mark.topic_id == UNFINISHED:
            raise SettingsError(
                "topics.journal: the migration that began it did not end; go back to the old topics, or run "
                "`segstream migrate` again with another --suffix"
            )
        if mark.topic_id != self.topic_id:
            raise SettingsError(
                "topics.events: the input topic was recreated since its state was written; "
                f"restore the old topic, or {BEGIN_ANEW}"
            )
        if mark.partitions != self.partitions:
            raise SettingsError(
                f"topics.partitions: state was written for {mark.partitions} partitions, the input topic has "
                f"{self.partitions}; customers would change places: create a new topic and replay into it; the way to "
                "another number, before it is changed, is segstream migrate"
            )
        if mark.journal_id not in ("", self.journal_id):
            raise SettingsError(
                "topics.journal: the journal was recreated since the state was written, so the store could not be "
                f"restored any more; restore the old topic, or {BEGIN_ANEW}"
            )
        if mark.features_id != self.features_id:
            raise SettingsError(
                "customers.features: the declarations changed since the state was written; "
                f"restore the old ones, or {BEGIN_ANEW}"
            )


@dataclass
class Restorer:
    """Restores one partition at a time."""

    look: Callable[[], Identity]
    features: FeatureSet
    store: Store
    tail: Tail
    journal_topic: str
    documents: bool
    names: Callable[[], Mapping[int, str]]
    wait_seconds: float
    now_seconds: Callable[[], float]
    remaining: Callable[[int], None] = lambda customers: None
    """Told how many customers are still to be written."""

    def __post_init__(self) -> None:
        self.identity = self.look()

    def identify(self) -> None:
        """Look at the topics anew; from now on marks are held against what they are now. Raises as ``look`` does."""
        self.identity = self.look()

    def watermarks(self, partitions: Iterable[int]) -> dict[int, bytes | None]:
        """What the store has. Read it *before* the committed offsets: what is applied was committed before, so read in
        this order the store is never ahead, also while another worker is at work. Raises ``StoreUnavailable``.
        """
        return {p: view.watermark for p, view in self.store.load({p: Wanted(()) for p in partitions}).items()}

    def restore(
        self,
        partition: int,
        watermark: bytes | None,
        committed: Committed | None,
        beginning: int,
        beat: Callable[[], None] = lambda: None,
    ) -> Mark:
        """Bring the store from ``watermark`` up to ``committed``; return the mark to go on from.

        Without a committed offset the journal says where to go on, and without a journal the input's ``beginning``.
        ``beat`` is called again and again meanwhile; what it raises ends the restore, and the next one starts over.
        Raises ``IncompleteJournal``, ``Disagreement`` or ``SettingsError`` where a person has to decide, and
        ``StoreUnavailable`` also when another worker writes to the partition meanwhile.
        """
        mark = self._restored(partition, watermark, committed, beginning, beat)
        self.store.publish_status(partition, None)
        return mark

    def _restored(
        self,
        partition: int,
        watermark: bytes | None,
        committed: Committed | None,
        beginning: int,
        beat: Callable[[], None],
    ) -> Mark:
        mark = self._believable(watermark)
        chain = Chain(self.tail, self.journal_topic, partition, self.wait_seconds, self.now_seconds)
        if mark is not None and committed == Committed(mark.next, str(mark.sequence)):
            return mark
        started = self.now_seconds()
        followed = chain.follow(mark, committed, beat)
        read = self.now_seconds()
        if followed.mark is None:
            if watermark is not None:
                raise IncompleteJournal(
                    f"partition {partition}: the store has states, but nothing is committed and their journal is gone; "
                    "restore the topic, or empty the store to start from the beginning of the input"
                )
            new = self.identity
            return Mark(new.topic_id, new.partitions, new.features_id, beginning, journal_id=new.journal_id)
        self.identity.refuse_other(followed.mark)
        mark = self._write(partition, watermark, followed.mark, followed.states, beat)
        log.info(
            "partition %d: restored %d customers, %.1f s for reading and %.1f s for writing",
            partition,
            len(followed.states),
            read - started,
            self.now_seconds() - read,
        )
        return mark

    def _believable(self, watermark: bytes | None) -> Mark | None:
        if watermark is None:
            return None
        mark = Mark.from_bytes(watermark)
        if mark.journal == NOTHING:  # an unfinished restore
            return None
        self.identity.refuse_other(mark)
        return mark

    def _write(
        self,
        partition: int,
        watermark: bytes | None,
        mark: Mark,
        newest: dict[str, bytes],
        beat: Callable[[], None],
    ) -> Mark:
        """Write the newest states, page by page under a watermark that says "unfinished", then the mark."""
        customers = list(newest)
        if customers:
            self.store.publish_status(partition, f"restoring {len(customers)} customers")
        for start in range(0, len(customers), PAGE):
            page = customers[start : start + PAGE]
            last = start + PAGE >= len(customers)
            self.remaining(len(customers) - start)
            beat()
            unfinished = replace(mark, journal=NOTHING, next=NOTHING)
            watermark = self._apply(partition, watermark, mark if last else unfinished, page, newest)
        self.remaining(0)
        if not customers and watermark != mark.to_bytes():
            self._apply(partition, watermark, mark, [], newest)
        return mark

    def _apply(
        self, partition: int, watermark: bytes | None, mark: Mark, page: list[str], newest: dict[str, bytes]
    ) -> bytes:
        packed = {customer: newest[customer] for customer in page}
        rows, _ = unpack(self.features, list(packed.values()))
        change = update(self.features, self.names(), mark, rows, page, packed, all_of(rows), self.documents)
        if not self.store.apply(partition, watermark, change):
            raise StoreUnavailable(f"partition {partition}: another worker wrote to the store during the restore")
        return change.watermark
