"""The mix on the page: what the model owner's metrics and the ledger say, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.owner import DRIFT_KEY
from consumers.watching.board import Board
from consumers.watching.mix import Mix, Shift, mix_of
from consumers.watching.status import sentence
from producers.sink import Outgoing
from stream.contracts.segments import decode_entry
from stream.customer.features import DAY_MS
from tests.consumers.test_owner import DAMAGED, Town, drift_metrics
from tests.drift.test_monitor import NAMES, monitor, picture
from tests.page.shops import Watched

STABLE = Mix(10 * DAY_MS, {"s1": 0.6, "s2": 0.4}, {"s1": 0.4, "s2": 0.5, "s3": 0.1}, None, 0)


class Shop:
    """An owner who learns what it is told, and a page that looks at what came of it."""

    def __init__(self) -> None:
        self.town = Town(segments=3)
        self.page = Watched(self.town.twins)
        self.home = self.town.crowd.y.copy()

    def live(self, day: int, away: int = 0) -> None:
        """Of the forty customers of the second place so many are in the first one, and of the third as many."""
        self.town.crowd.now_ms = day * DAY_MS
        where = self.home.copy()
        for start in (40, 80):
            where[start : start + away] = self.home[:away]
        self.town.look(to=where)
        self.town.run()
        self.page.look()

    @property
    def active(self) -> float:
        return drift_metrics(self.town.service)['segstream_drift_active{signal="share"}']

    def ledger(self) -> list[tuple[str, str]]:
        """What the ledger says of the mix, and since when."""
        key = DRIFT_KEY.decode()
        entries = [decode_entry(value or b"") for k, value in self.town.topic(self.town.topics.ledger) if k == key]
        return [(e.detail.drift.what, e.detail.drift.since) for e in entries if e.detail.drift and e.name == "share"]


def test_page_metrics_and_ledger_never_contradict_each_other() -> None:
    shop = Shop()
    shop.live(0)
    assert shop.page.sentence.endswith("which mix is usual is not known yet")
    assert shop.page.said["mix"] is None
    for day in (300, 301):
        shop.live(day)
    assert shop.page.sentence.endswith("mix stable, as on 1970-10-28")
    assert (shop.active, shop.ledger(), shop.page.said["status"]["kind"]) == (0.0, [], "ok")
    shop.live(302, away=25)
    assert (shop.active, shop.page.said["status"]["kind"]) == (1.0, "drift")
    ((what, since),) = shop.ledger()
    assert what == "begins"
    assert f"mix drifts since {since[:10]}: " in shop.page.sentence
    again = Watched(shop.town.twins)
    again.look()
    assert again.sentence == shop.page.sentence, "a page that has just begun says the same"
    shop.town.twins.broker.append(Outgoing(shop.town.topics.model, 0, b"9", DAMAGED))
    shop.page.look()
    assert again.sentence == shop.page.sentence
    shop.live(303)
    assert (shop.active, [what for what, _ in shop.ledger()]) == (0.0, ["begins", "ends"])
    assert shop.page.sentence.endswith("mix stable, as on 1970-10-28")


def test_the_shares_are_those_of_the_engine() -> None:
    watch = monitor()
    assert mix_of(watch.report(NAMES)) is mix_of(None) is None
    for day in range(12):
        watch.look(picture(day), NAMES)
    mix = mix_of(watch.look(picture(12, shares=(300, 700)), NAMES))
    assert mix is not None
    assert mix.to_json() == {"usual": {"s1": 0.6, "s2": 0.4}, "now": {"s1": 0.3, "s2": 0.7}}
    assert (mix.usual_ms, mix.since_ms, mix.apart_ms) == (10 * DAY_MS, 11 * DAY_MS, 0)
    assert mix.shift == Shift("s1", 0.6, 0.3)
    watch.abreast.take({0: 0, 1: 20 * DAY_MS})
    apart = mix_of(watch.look(picture(20), NAMES))
    assert apart == replace(mix, apart_ms=20 * DAY_MS)


@pytest.mark.parametrize(
    ("mix", "kind", "said"),
    [
        (None, "ok", "which mix is usual is not known yet"),
        (STABLE, "ok", "mix stable, as on 1970-01-11"),
        (
            replace(STABLE, apart_ms=12 * DAY_MS),
            "ok",
            "mix stable, as on 1970-01-11 (not judged now: partitions are 12.0 d apart)",
        ),
        (replace(STABLE, since_ms=40 * DAY_MS), "drift", "mix drifts since 1970-02-10: s1 gone from 60 % to 40 %"),
    ],
)
def test_the_mix_in_words(mix: Mix | None, kind: str, said: str) -> None:
    board = Board(0.0, mix=mix, is_counted=True)
    board.store.profiles = {"s2": {"retiring": False}}
    board.store.seen_at = board.broker.seen_at = 1.0
    found = sentence(board, 2.0, 40)
    assert found.kind == kind
    assert str(found.words[-1]).endswith(f"up to date, {said}")
