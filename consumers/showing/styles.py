"""Colours, always beside a word: a segment and a status look the same wherever they are shown."""

from __future__ import annotations

from rich.text import Text

from consumers.printable import safe

SEGMENTS = ("#5f82a3", "#0a80c4", "#c25a9c", "#008c96", "#a06c38", "#766be0", "#bd5a80", "#4f8080")
"""Of segment number n the one at n modulo 8: those of the dashboards, which can be read on light and on dark. Terminals
with fewer colours show the nearest they have."""
_WORDS = {
    "ready": "green",
    "cold": "dim",
    "dormant": "yellow",
    "locked": "magenta",
    "ok": "green",
    "mended": "green",
    "warn": "yellow",
    "fail": "bold red",
    "drift": "blue",
    "warming": "blue",
    "empty": "yellow",
    "stale": "yellow",
    "paused": "yellow",
    "restoring": "yellow",
    "unreachable": "bold red",
}


def word(text: str) -> Text:
    """A status or a result in its colour."""
    return Text.assemble((safe(text), _WORDS.get(text, "default")))


def colour(id_: str) -> str:
    """The colour of a segment.

    >>> colour("s1") == colour("s9"), colour("dormant")
    (True, 'default')
    """
    digits = id_.removeprefix("s")
    return SEGMENTS[int(digits) % len(SEGMENTS)] if digits.isdecimal() else "default"


def segment(id_: str, name: str = "", *, strong: bool = True) -> Text:
    """A segment: its id in its colour, its name beside it. Not ``strong``: one that was left."""
    shown = Text.assemble((safe(id_), f"bold {colour(id_)}" if strong else colour(id_)))
    return shown.append(f" {safe(name)}", "default" if strong else "dim") if name else shown


def quiet(text: str) -> Text:
    """What is there for those who look for it."""
    return Text.assemble((safe(text), "dim"))
