"""``segstream watch``: the change feed, and on a terminal the board below it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from rich.console import Console
from rich.live import Live as Screen
from rich.text import Text

from consumers.following import follow
from consumers.inspecting import console, show
from consumers.kafka_tail import KafkaTail
from consumers.printable import safe
from consumers.showing.board import Panel, panel
from consumers.showing.changes import changes_table
from consumers.topics import topic_identity
from consumers.watching.live import Live
from consumers.watching.outside import kafka_and_redis
from stream.contracts.changes import CHANGE, SegmentChange
from stream.contracts.partitioning import partition_of
from stream.settings import Tree

WAIT_SECONDS = 0.5
"""An idle feed asks again this often."""
DRAW_SECONDS = 0.4
"""So seldom the board is drawn at most: a busy feed has better to do."""


def watch(settings: Tree, *, customer: str | None, from_beginning: bool, as_json: bool) -> None:
    """Print changes until Ctrl-C. Of one customer, or where nobody looks, there is no board."""
    topic, out = settings.topics.changes, console()
    _, count = topic_identity(settings, topic)
    key = None if customer is None else customer.encode(errors="surrogateescape")
    partitions = range(count) if key is None else [partition_of(key, count)]
    is_seen = out.is_terminal and not out.is_dumb_terminal
    if not as_json:
        out.print(Text(f"changes of {safe(customer or 'all customers')}, event time in UTC; Ctrl-C ends", "dim"))
    with closing(KafkaTail(settings.kafka)) as tail:
        rounds = follow(tail, topic, partitions, from_beginning=from_beginning, wait_seconds=WAIT_SECONDS)
        wanted = ([c for c in changes if customer in (None, c.customer_id)] for changes in rounds)
        try:
            if as_json or customer is not None or not is_seen:
                _feed(out, wanted, as_json=as_json)
            else:
                with _below(_of(settings, count), out) as draw:
                    _feed(out, wanted, draw)
        except KeyboardInterrupt:
            return


def _feed(
    out: Console,
    rounds: Iterator[Sequence[SegmentChange]],
    draw: Callable[[], None] = lambda: None,
    *,
    as_json: bool = False,
) -> None:
    for changes in rounds:
        if as_json:
            for change in changes:
                print(json.dumps(CHANGE.adapter.dump_python(change, mode="json")), flush=True)
        elif changes:
            show(out, changes_table(changes))
        draw()


def _of(settings: Tree, partitions: int) -> Tree:
    """The same for topics that have so many: what the settings say of it is for who creates them."""
    return settings.model_copy(update={"topics": settings.topics.model_copy(update={"partitions": partitions})})


@contextmanager
def _below(settings: Tree, out: Console) -> Iterator[Callable[[], None]]:
    """The board at the bottom of the terminal while the block runs; it stays there as it was last."""
    live = Live(settings, kafka_and_redis(settings))
    drawn_at = 0.0

    def now() -> Panel:
        with live.board.lock:
            return panel(live.board, time.time(), settings.model.warmup_customers)

    live.start()
    logging.disable(logging.WARNING)  # the board says what does not answer; a log would tear it
    try:
        with Screen(now(), console=out, auto_refresh=False, vertical_overflow="crop") as screen:

            def draw() -> None:
                nonlocal drawn_at
                if time.monotonic() - drawn_at >= DRAW_SECONDS:
                    drawn_at = time.monotonic()
                    screen.update(now(), refresh=True)

            yield draw
    finally:
        logging.disable(logging.NOTSET)
        live.stop()
