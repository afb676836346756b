"""The board on a terminal: below the feed, in as many lines as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from consumers.printable import safe
from consumers.showing import styles
from consumers.showing.segments import BAR_WIDTH, WIDEST, by_number, share_bar
from consumers.showing.words import minute
from consumers.watching.board import Board
from consumers.watching.flows import telling
from consumers.watching.places import ELSEWHERE
from consumers.watching.status import Sentence, Words, not_counted_words, sentence
from stream.drift.signals import signal_words

_ROOM_FOR_FEED = 8
"""Lines that the feed keeps at least."""
_FLOWS = 4
_FRAME = 6
"""Lines of the board besides those of the segments, about."""
_LABEL = 7


@dataclass(frozen=True)
class Panel:
    """What is shown of a board at one moment: everything in it is text and numbers already."""

    status: Sentence
    besides: str
    names: Mapping[str, str]
    counts: Mapping[str, int]
    """Customers of the segments that there are."""
    usual: Mapping[str, float]
    """Their shares in the reference of drift, empty before there is one."""
    flows: tuple[str, list[list[Any]]]
    drifting: list[dict[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="dim")
        yield _status(self.status, self.besides)
        has_room = console.size.height >= len(self.counts) + _FRAME + _ROOM_FOR_FEED
        if self.counts and has_room:
            yield Constrain(self._shares(options.max_width), WIDEST)
        if self.counts:
            yield _labelled("moved", self._moved())
            yield _labelled("drift", self._drift())

    def _shares(self, width: int) -> Table:
        """A line each, whatever the width: a long name is cut, and the bar goes where there is no room.

        ± are percentage points from the shares that are usual, the reference of drift.
        """
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for figure_width in (9, 7, 5):
            table.add_column(width=figure_width, justify="right")
        has_bar = width >= 60
        if has_bar:
            table.add_column(width=BAR_WIDTH)
        table.add_row("", *map(styles.quiet, ("customers", "share", "±")))
        largest = max(self.counts.values())
        for id_ in sorted(self.counts, key=by_number):
            bar = [share_bar(id_, self.counts[id_], largest)] if has_bar else []
            table.add_row(styles.segment(id_, self.names.get(id_, "")), *self._figures(id_), *bar)
        return table

    def _figures(self, id_: str) -> Iterator[RenderableType]:
        share, before = _share(self.counts, id_), self.usual.get(id_, 0.0)
        moved = 100 * (share - before) if self.usual else 0.0
        yield Text(f"{self.counts[id_]:,}")
        yield Text(f"{100 * share:.1f} %")
        yield styles.quiet("" if abs(moved) < 0.05 else f"{moved:+.1f}")

    def _moved(self) -> Text:
        when, moves = self.flows
        if not moves:
            return styles.quiet(f"nobody {when}")
        ways = [
            _place(left).append(" -> ").append_text(_place(entered)).append(f" {n:,}")
            for left, entered, n in moves[:_FLOWS]
        ]
        return Text(", ").join(ways).append_text(styles.quiet(f"  ({when})"))

    def _drift(self) -> Text:
        if not self.drifting:
            return styles.quiet("none")
        told = sorted(self.drifting, key=lambda entry: str(entry["occurred"]))
        return Text("; ").join(
            Text(signal_words(entry["name"])).append_text(styles.quiet(f" since {minute(entry['occurred'])}"))
            for entry in told
        )


def panel(board: Board, now_seconds: float, warmup_customers: int) -> Panel:
    """The board as it is now. Hold its lock."""
    names = {id_: str(profile["name"]) for id_, profile in board.store.profiles.items()}
    return Panel(
        status=sentence(board, now_seconds, warmup_customers),
        besides=not_counted_words(board.counts),
        names=names,
        counts=board.segments() if board.is_counted else {},
        usual=board.mix.usual if board.mix is not None else {},
        flows=telling(board.flows.to_json(now_seconds)),
        drifting=list(board.drifting.values()),
    )


def _status(status: Sentence, besides: str) -> Text:
    more = styles.quiet(f"; {besides}" if besides else "")
    return Text.assemble(styles.word(status.kind), "  ", (_said(status.words), "bold"), more)


def _said(words: Words) -> str:
    """Times of the wall clock in the zone of this terminal, as the browser says them in its own."""
    parts = (word if isinstance(word, str) else _clock(word["at"]) for word in words)
    return "".join(map(safe, parts))


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%H:%M")


def _labelled(label: str, said: Text) -> RenderableType:
    table = Table.grid()  # not as wide as there is room: the ^C that a terminal echoes behind the last line must fit
    table.add_column(width=_LABEL)
    table.add_column(overflow="fold")
    table.add_row(styles.quiet(label), said)
    return table


def _place(place: str) -> Text:
    return styles.quiet(place) if place in ELSEWHERE else styles.segment(place)


def _share(counts: Mapping[str, int], id_: str) -> float:
    return counts.get(id_, 0) / (sum(counts.values()) or 1)
