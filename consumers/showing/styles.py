"""Colours, always beside a word: a segment and a status look the same wherever they are shown."""

from __future__ import annotations

from rich.text import Text

from consumers.printable import safe

_SEGMENTS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "bright_magenta")
_WORDS = {
    "ready": "green",
    "cold": "bright_black",
    "dormant": "yellow",
    "locked": "magenta",
    "ok": "green",
    "mended": "green",
    "warn": "yellow",
    "fail": "bold red",
}


def word(text: str) -> Text:
    """A status or a result in its colour."""
    return Text.assemble((safe(text), _WORDS.get(text, "default")))


def segment(id_: str, name: str = "", *, strong: bool = True) -> Text:
    """A segment: its id in its colour, its name beside it. Not ``strong``: one that was left."""
    digits = id_.removeprefix("s")
    colour = _SEGMENTS[int(digits) % len(_SEGMENTS)] if digits.isdecimal() else "default"
    shown = Text.assemble((safe(id_), f"bold {colour}" if strong else colour))
    return shown.append(f" {safe(name)}", "default" if strong else "dim") if name else shown


def quiet(text: str) -> Text:
    """What is there for those who look for it."""
    return Text.assemble((safe(text), "dim"))
