"""The board on a terminal: what the page says, in as many lines as there is room for."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from consumers.showing.board import Panel, panel
from consumers.watching.status import Sentence
from tests.consumers.shop import quiet_shop
from tests.consumers.showing.terminal import coloured
from tests.page.shops import Watched, tree

PANEL = Panel(
    status=Sentence("ok", ["1,200 active customers in 2 segments, up to date, mix stable since ", "2023-04-15"]),
    besides="besides: 3 dormant",
    names={"s2": "rare", "s10": "frequent, high spend"},
    counts={"s10": 900, "s2": 300},
    usual={"s10": 2 / 3, "s2": 1 / 3},
    flows=("last 7 moves", [["s2", "s10", 6], ["s10", "dormant", 1]]),
    drifting=[{"name": "event.unit_price", "occurred": 1_682_899_200_000}],
)


def lines(shown: Panel, width: int = 100, height: int = 40) -> list[str]:
    console = Console(width=width, height=height, record=True, file=StringIO())
    console.print(shown)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_sentence_shares_moves_and_drift() -> None:
    rule, *said = lines(PANEL)
    assert set(rule) == {"─"}
    assert " ".join(said[:-5]) == (
        "ok  1,200 active customers in 2 segments, up to date, mix stable since 2023-04-15; besides: 3 dormant"
    )
    rows = [line.split() for line in said[-5:]]
    assert rows[0] == ["customers", "share", "±"]
    assert rows[1] == ["s2", "rare", "300", "25.0", "%", "-8.3", "████"]
    assert rows[2] == ["s10", "frequent,", "high", "spend", "900", "75.0", "%", "+8.3", "████████████"]
    assert said[-2:] == [
        "moved  s2 -> s10 6, s10 -> dormant 1  (last 7 moves)",
        "drift  unit price of the orders since 2023-05-01 00:00",
    ]


def test_nothing_to_tell_is_told() -> None:
    calm = lines(replace(PANEL, flows=("in 15 minutes", []), drifting=[]))
    assert calm[-2:] == ["moved  nobody in 15 minutes", "drift  none"]
    before = lines(replace(PANEL, status=Sentence("empty", ["no customers yet"]), besides="", counts={}))
    assert before[1:] == ["empty  no customers yet"]


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_every_segment_has_one_line_and_nothing_sticks_out(width: int) -> None:
    long = replace(PANEL, names={"s2": "x" * 60, "s10": "\x1b[2J[red]"})
    shown = lines(long, width)
    assert all(len(line) <= width for line in shown)
    assert len([line for line in shown if line.startswith(("s2 ", "s10 "))]) == 2
    assert "\x1b[2J" not in coloured(long)


def test_where_there_is_no_room_the_feed_comes_first() -> None:
    low = lines(PANEL, height=12)
    assert not any(line.startswith("s10") for line in low)
    assert low[-1].startswith("drift")


def test_it_says_what_the_page_says() -> None:
    shop = Watched(quiet_shop(tree()))
    shop.look()
    shown = panel(shop.page.live.board, shop.twins.wall.now(), 40)
    assert shown.status.to_json() == shop.said["status"]
    assert shown.counts == {segment["id"]: segment["customers"] for segment in shop.said["segments"]}
    assert (sum(n for *_, n in shown.flows[1]), shown.drifting) == (shop.said["flows"]["last_count"], [])


def test_a_time_of_the_wall_clock_is_said_in_this_terminals_zone() -> None:
    shown = lines(replace(PANEL, status=Sentence("ok", ["since ", {"at": 1_682_899_200_000}]), besides=""))
    assert shown[1].startswith("ok  since ")
    assert shown[1][-3] == ":"
