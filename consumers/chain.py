"""Following a partition's journal: from a mark to the batch that the group committed last.

Where the chain ends is not read off end offsets: while a dead worker's transaction is being finished, those of the
journal may lag behind what is already committed. The sequence number committed beside the input offset says it exactly.
A broker that does not keep such notes (the embedded one) leaves only the offset itself: then the chain must lead there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from consumers.source import Tail
from producers.sink import Committed
from stream.errors import BrokerUnavailable, Disagreement, IncompleteJournal
from stream.view.journal import JournalPart, Mark

_READ_SECONDS = 0.2


@dataclass
class Followed:
    """As far as the chain was followed: the newest mark, and the newest state of every customer on the way."""

    mark: Mark | None
    states: dict[str, bytes] = field(default_factory=dict)
    reaches_back_to: int | None = None
    """Journal offset from which on nothing is missing; 0 when the chain was followed from a believed mark."""


@dataclass(frozen=True)
class Chain:
    """The journal of one partition."""

    tail: Tail
    topic: str
    partition: int
    wait_seconds: float
    """How long the next record may take: a dead worker's open transaction must have been ended by then."""
    now_seconds: Callable[[], float]

    def follow(
        self, mark: Mark | None, committed: Committed | None, beat: Callable[[], None] = lambda: None
    ) -> Followed:
        """From ``mark`` (``None``: from the journal's beginning) to ``committed`` (``None``: to its end).

        ``beat`` is called again and again meanwhile.
        Raises ``IncompleteJournal`` when it does not reach back, ``Disagreement`` when it does not lead there, and
        ``BrokerUnavailable`` when what there is could not be read in time: that says nothing of the journal.
        """
        first, end = self.tail.bounds(self.topic, self.partition)
        if mark is not None and mark.journal + 1 < first:
            mark = None  # the store is older than the journal reaches back: all of it, from the beginning
        followed = Followed(mark, reaches_back_to=None if mark is None else 0)
        offset = first if mark is None else mark.journal + 1
        deadline = self.now_seconds() + self.wait_seconds
        while not self._has_arrived(followed, committed, at_end=offset >= end) and self.now_seconds() <= deadline:
            beat()
            records, offset = self.tail.read(self.topic, self.partition, offset, _READ_SECONDS)
            for record in records:
                if not self._has_arrived(followed, committed, at_end=False):
                    self._take(followed, record.offset, JournalPart.unpack(record.value or b""))
                    deadline = self.now_seconds() + self.wait_seconds
        if offset < end and not self._has_arrived(followed, committed, at_end=False):
            raise BrokerUnavailable(f"the journal of partition {self.partition} cannot be read from {offset} to {end}")
        self._check(followed, committed)
        return followed

    @staticmethod
    def _has_arrived(followed: Followed, committed: Committed | None, at_end: bool) -> bool:
        if committed is None:
            return at_end
        if followed.mark is None:
            return False
        if committed.note.isdecimal():
            return followed.mark.sequence >= int(committed.note)
        return at_end and followed.mark.next >= committed.offset

    def _take(self, followed: Followed, offset: int, part: JournalPart) -> None:
        if followed.reaches_back_to is None:
            followed.reaches_back_to = offset if part.part else part.previous + 1
        if followed.mark is not None and part.previous != followed.mark.journal:
            raise Disagreement(
                f"partition {self.partition}: the journal's chain is broken behind offset {followed.mark.journal}"
            )
        followed.states.update(part.states)
        if part.is_last:
            followed.mark = replace(part.mark, journal=offset)

    def _check(self, followed: Followed, committed: Committed | None) -> None:
        where, mark = f"partition {self.partition}", followed.mark
        if mark is None:
            if committed is not None:
                raise IncompleteJournal(f"{where}: offset {committed.offset} is committed, but no journal leads there")
            return
        led_to = (Committed(mark.next, str(mark.sequence)), Committed(mark.next))
        if committed is not None and committed not in led_to:
            raise Disagreement(
                f"{where}: offset {committed.offset} (batch '{committed.note}') is committed, journal and store lead "
                f"to {mark.next} (batch {mark.sequence}): it was changed by hand; delete the group's offset of this "
                "partition, and the journal says where to go on"
            )
        if followed.reaches_back_to is None or followed.reaches_back_to > mark.floor:
            raise IncompleteJournal(
                f"{where}: the journal starts at {followed.reaches_back_to}, but is complete only from {mark.floor}; "
                "restore the topic; for the future raise its retention or lower worker.sweep_seconds"
            )
