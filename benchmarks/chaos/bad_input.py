"""Rows 29 to 31: times out of any order, payloads that are none, and such as are too large."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from datetime import UTC

from benchmarks import poison
from benchmarks.chaos.load import plan
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from benchmarks.poison_corpus import CORPUS, Poison
from benchmarks.servers import RedisServer
from producers.orders import Encoded, encode_order
from producers.personas import Personas
from stream.contracts.reasons import Reason

SIZES = frozenset({Reason.TOO_LARGE, Reason.ID_TOO_LONG, Reason.TOO_MANY_LINES, Reason.CATEGORY_TOO_LONG})
DAY_MS = 86_400_000
ODD_SHARE = 0.2


def odd_times(scene: Scene, tally: Tally) -> None:
    """Row 29: late by days, early by a year, equal, from before anybody was born; workers are killed in between."""

    def kill(stage: Stage, run: int) -> None:
        stage.cast.workers[run % 2].send(9)
        stage.go_on(3.0)

    disturbed(scene, tally, 4, kill, events=at_odd_times(iter(Personas(plan(seed=29)))))


def at_odd_times(events: Iterator[Encoded]) -> Iterator[Encoded]:
    """One event in five comes with another beside it, of the same customer at another time."""
    chance, before = random.Random(29), 0
    for number, event in enumerate(events):
        yield event
        if chance.random() < ODD_SHARE:
            away = (-3 * DAY_MS, -365 * DAY_MS, -20 * 365 * DAY_MS, 0, 365 * DAY_MS, before - event.occurred_at_ms)
            at_ms = event.occurred_at_ms + chance.choice(away)
            lines = [("GROCERY", 5.0, False)]
            customer = event.key.decode()
            yield encode_order(f"odd{number}", customer, at_ms, UTC, 5.0, items=1, discount=0.0, lines=lines)
        before = event.occurred_at_ms


def fuzzed(scene: Scene, tally: Tally) -> None:
    """Row 30: every kind of bad payload there is, among good ones."""
    _refused(scene, tally, [kind for kind in CORPUS if kind.reason not in SIZES])


def oversized(scene: Scene, tally: Tally) -> None:
    """Row 31: too large as a whole or in one part, by a byte or by a megabyte."""
    _refused(scene, tally, [kind for kind in CORPUS if kind.reason in SIZES])


def _refused(scene: Scene, tally: Tally, kinds: Collection[Poison]) -> None:
    """Each goes to the rejected topic once, for its reason and unchanged, and no good event is lost."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        settings = poison.settings_of(scene.broker.bootstrap_servers, redis.url, scene.client)
        report = poison.run(settings, list(kinds))
    tally.runs = report["sent"]
    tally.remarks.append(f"{report['kinds']} kinds among {report['good_sent']} good events")
    if (report["right_reason"], report["identical"], report["lost"]) != (1.0, 1.0, 0):
        tally.complaints.append(f"{report}")
