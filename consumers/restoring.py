"""Restoring: bring a partition's view from its watermark to the committed offset, along the journal's chain.

The store may have been lost, rolled back or flushed; what it holds is only believed as far as its watermark, and the
committed input offset says how far the journal must be followed. End offsets are never trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from consumers.committing import all_of, update
from consumers.source import Tail
from stream.customer.features import FeatureSet
from stream.customer.state import unpack
from stream.errors import Disagreement, IncompleteJournal, SettingsError
from stream.view.journal import NOTHING, JournalPart, Mark
from stream.view.store import Store, Wanted

PAGE = 2000
"""Customers written to the store at once."""


@dataclass(frozen=True)
class Identity:
    """The input topic as the broker has it now, and our declarations: a view under other ones is not believed."""

    topic_id: str
    partitions: int
    features_id: str

    def refuse_other(self, mark: Mark) -> None:
        """Raise ``SettingsError`` unless ``mark`` belongs to this topic and these declarations."""
        if mark.topic_id != self.topic_id:
            raise SettingsError(
                "topics.events: the input topic was recreated since its state was written; "
                "start with another kafka.group and an empty store, or restore the old topic"
            )
        if mark.partitions != self.partitions:
            raise SettingsError(
                f"topics.partitions: state was written for {mark.partitions} partitions, the input topic has "
                f"{self.partitions}; customers would change places: create a new topic and replay into it"
            )
        if mark.features_id != self.features_id:
            raise SettingsError(
                "customers.features: the declarations changed since the state was written; "
                "restore the old ones, or start with another kafka.group, new internal topics and an empty store"
            )


@dataclass
class Restorer:
    """Restores one partition at a time."""

    identity: Identity
    features: FeatureSet
    store: Store
    tail: Tail
    journal_topic: str
    documents: bool
    names: Callable[[], Mapping[int, str]]
    wait_seconds: float
    now_seconds: Callable[[], float]
    progress: Callable[[int, int], None] = lambda partition, customers: None

    def restore(self, partition: int, committed: int | None, beginning: int) -> Mark:
        """Bring the store up to ``committed``; return the mark to go on from.

        Raises ``IncompleteJournal``, ``Disagreement`` or ``SettingsError`` where a person has to decide.
        """
        watermark = self.store.load({partition: Wanted(())})[partition].watermark
        mark = self._believable(watermark)
        if mark is not None and mark.next == committed:
            return mark
        if mark is not None and committed is not None and mark.next > committed:
            raise Disagreement(
                f"partition {partition}: the store is at offset {mark.next}, the group committed {committed}: its offsets "
                "were set back; set them to the store's, or empty the store and the journal to count again from there"
            )
        mark, newest = self._follow(partition, mark, committed)
        if mark is None:
            if committed is not None and committed > beginning:
                raise IncompleteJournal(
                    f"partition {partition}: offset {committed} is committed, but no journal leads there"
                )
            fresh = Mark(
                self.identity.topic_id, self.identity.partitions, self.identity.features_id, beginning
            )
            return fresh if watermark is None else self._write(partition, watermark, fresh, newest)
        return self._write(partition, watermark, mark, newest)

    def _believable(self, watermark: bytes | None) -> Mark | None:
        if watermark is None:
            return None
        mark = Mark.from_bytes(watermark)
        if mark.journal == NOTHING:  # an unfinished restore of nothing
            return None
        self.identity.refuse_other(mark)
        return mark

    def _follow(
        self, partition: int, mark: Mark | None, committed: int | None
    ) -> tuple[Mark | None, dict[str, bytes]]:
        """The newest mark and states along the chain, from ``mark`` until ``committed`` (or its end, if unknown)."""
        first, end = self.tail.bounds(self.journal_topic, partition)
        if mark is not None and mark.journal + 1 < first:
            mark = None  # the store is older than the journal reaches back: start over
        offset = first if mark is None else mark.journal + 1
        complete_from = None if mark is None else offset
        newest: dict[str, bytes] = {}
        deadline = self.now_seconds() + self.wait_seconds
        while (
            committed is None
            and offset < end
            or committed is not None
            and (mark is None or mark.next < committed)
        ):
            records, offset = self.tail.read(self.journal_topic, partition, offset, 0.2)
            for record in records:
                part = JournalPart.unpack(record.value or b"")
                self.identity.refuse_other(part.mark)
                if complete_from is None:
                    complete_from = 0 if part.previous == NOTHING else record.offset
                self._check_chain(partition, mark, part)
                newest.update(part.states)
                if part.is_last:
                    mark = replace(part.mark, journal=record.offset)
                self.progress(partition, len(newest))
                if part.is_last and mark is not None and mark.next == committed:
                    break
            if records:
                deadline = self.now_seconds() + self.wait_seconds
            elif self.now_seconds() > deadline:
                break
        self._check_end(partition, mark, committed, complete_from)
        return mark, newest

    @staticmethod
    def _check_chain(partition: int, mark: Mark | None, part: JournalPart) -> None:
        if mark is not None and part.part == 0 and part.previous != mark.journal:
            raise Disagreement(
                f"partition {partition}: the journal's chain is broken behind record {mark.journal}"
            )

    @staticmethod
    def _check_end(
        partition: int, mark: Mark | None, committed: int | None, complete_from: int | None
    ) -> None:
        if mark is None or complete_from is None:
            if committed:
                raise IncompleteJournal(
                    f"partition {partition}: offset {committed} is committed, but the journal is empty"
                )
            return
        if committed is not None and mark.next != committed:
            raise Disagreement(
                f"partition {partition}: offset {committed} is committed, the journal leads to {mark.next}; "
                "the offsets were changed by hand: set them to the journal's"
            )
        if complete_from > mark.floor:
            raise IncompleteJournal(
                f"partition {partition}: the journal starts at {complete_from}, states are only complete from {mark.floor}; "
                "raise the journal's retention or lower worker.sweep_seconds"
            )

    def _write(self, partition: int, watermark: bytes | None, mark: Mark, newest: dict[str, bytes]) -> Mark:
        """Write the newest states, page by page under a watermark that says "unfinished", then the mark."""
        customers = list(newest)
        for start in range(0, len(customers), PAGE):
            page = customers[start : start + PAGE]
            last = start + PAGE >= len(customers)
            unfinished = replace(mark, journal=NOTHING, next=NOTHING)
            watermark = self._apply(partition, watermark, mark if last else unfinished, page, newest)
        return mark if customers else self._apply_mark(partition, watermark, mark)

    def _apply(
        self, partition: int, watermark: bytes | None, mark: Mark, page: list[str], newest: dict[str, bytes]
    ) -> bytes:
        packed = {customer: newest[customer] for customer in page}
        rows, _ = unpack(self.features, list(packed.values()))
        change = update(self.features, self.names(), mark, rows, page, packed, all_of(rows), self.documents)
        if not self.store.apply(partition, watermark, change):
            raise Disagreement(f"partition {partition}: another worker wrote to the store during the restore")
        return change.watermark

    def _apply_mark(self, partition: int, watermark: bytes | None, mark: Mark) -> Mark:
        if watermark != mark.to_bytes():
            self._apply(partition, watermark, mark, [], {})
        return mark
