"""One true cause at a time: every change on the stage has it, because nothing else has happened.

Each play gives pairs (cause that is true, change as it was told).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from benchmarks.quality.scene import MINUTE_MS, Scene, copied
from producers.orders import Encoded, encode_override, epoch_ms
from stream.contracts.changes import Cause, SegmentChange, Status
from stream.customer.features import DAY_MS
from stream.model.snapshot import Snapshot

Judged = tuple[Cause, SegmentChange]
HABIT_ORDERS = 6
"""Orders of another kind that make a habit."""
WORD_DAYS = 5
_WORDS = 240
_EVER_DAYS = 20
"""Beyond forgetting."""


def arrival(scene: Scene) -> Iterator[Judged]:
    """Customers nobody knew make the orders after which they are known, within minutes."""
    stage, enough = scene.open(with_past=False), scene.settings.customers.cold_looks
    firsts = [event for name, orders in scene.orders.items() for event in _at_once(name, orders[:enough], scene.ms)]
    yield from _all(Cause.FIRST, stage.send(sorted(firsts, key=lambda event: event.occurred_at_ms)))


def silence(scene: Scene) -> Iterator[Judged]:
    """Nothing but time, until everybody is forgotten: that alone is another cause; and who then comes back is new."""
    stage, forgotten_ms = scene.open(), round(scene.settings.customers.forget_after_days * DAY_MS)
    end_ms = scene.ms + forgotten_ms + _EVER_DAYS * DAY_MS
    told = stage.wait_until(scene.ms + forgotten_ms // 2) + stage.wait_until(end_ms)
    for change in told:
        is_over = at_ms(change) >= scene.last_ms[change.customer_id] + forgotten_ms
        yield (Cause.EXPIRED if is_over else Cause.TIME), change
    back = [_at_once(name, orders[-1:], end_ms)[0] for name, orders in scene.orders.items()]
    yield from _all(Cause.FIRST, stage.send(back))


def habits(scene: Scene) -> Iterator[Judged]:
    """Within minutes, under one model, customers order as others do. Those who slept are awake again.

    Where somebody wakes who slept, and elsewhere, there are two causes; those changes are left out.
    """
    stage = scene.open()
    names = [name for name, orders in scene.orders.items() if len(orders) >= scene.settings.customers.cold_looks]
    told = stage.send(scene.strange(names, stage.held(), scene.ms + MINUTE_MS, HABIT_ORDERS))
    yield from _all(Cause.BEHAVIOUR, (change for change in told if not _wakes_elsewhere(change)))


def regrouping(scene: Scene) -> Iterator[Judged]:
    """Everybody stands still, and the model is another one: a real one of months later."""
    yield from _all(Cause.MODEL, scene.open().put(scene.regrouped))


def renumbering(scene: Scene) -> Iterator[Judged]:
    """Everybody stands still, and every segment has gone and come back under another number."""
    yield from _all(Cause.MODEL, scene.open().put(_renumbered(scene.regrouped, scene.model)))


def words(scene: Scene) -> Iterator[Judged]:
    """Analysts hold customers where they are not, let go of some, and of some the time is up. The segments of the
    others go: that is not the analyst any more.
    """
    stage = scene.open()
    held = stage.held()
    names = sorted(scene.recent & held.keys())[:_WORDS]
    until = dict.fromkeys(names[1::3], scene.ms + WORD_DAYS * DAY_MS)
    segments = [s.id for s in scene.model.segments if not s.retiring]
    other = {name: next(s for s in segments if s != held[name]) for name in names}
    begun = stage.send(encode_override(f"w-{n}", n, scene.ms, other[n], until.get(n)) for n in names)
    let_go = stage.send(encode_override(f"l-{n}", n, scene.ms + 1, None) for n in names[::3])
    over = stage.wait_until(scene.ms + WORD_DAYS * DAY_MS + 1)
    yield from _all(Cause.OVERRIDE, [*begun, *let_go, *(change for change in over if change.customer_id in until)])
    gone = stage.put(_renumbered(scene.regrouped, scene.model))
    yield from _all(Cause.MODEL, (change for change in gone if change.customer_id in names[2::3]))


PLAYS: Mapping[str, Callable[[Scene], Iterable[Judged]]] = {
    "arrival": arrival,
    "silence": silence,
    "habits": habits,
    "regrouping": regrouping,
    "renumbering": renumbering,
    "words": words,
}


def at_ms(change: SegmentChange) -> int:
    """When it happened."""
    return epoch_ms(datetime.fromisoformat(change.occurred_at))


def _all(cause: Cause, told: Iterable[SegmentChange]) -> Iterator[Judged]:
    return ((cause, change) for change in told)


def _at_once(name: str, orders: Sequence[Encoded], ms: int) -> list[Encoded]:
    """These orders of a customer again, a minute apart."""
    return [copied(order, name, ms + nth * MINUTE_MS) for nth, order in enumerate(orders, 1)]


def _wakes_elsewhere(change: SegmentChange) -> bool:
    before, now = change.previous, change.current
    return before is not None and now is not None and before.status is Status.DORMANT and before.id != now.id


def _renumbered(model: Snapshot, before: Snapshot) -> Snapshot:
    """The model before, with its segments under numbers that nobody ever had, as the successor that ``model`` is."""
    first = 1 + max(before.names)
    segments = tuple(replace(s, number=first + i) for i, s in enumerate(before.segments))
    names = before.names | {s.number: s.name for s in segments}
    return replace(before, version=model.version, epoch=model.epoch, segments=segments, names=names)
