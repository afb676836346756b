"""What an audit says: each part names what was compared, and the first differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

FIRST = 10
"""Differences that are spelt out."""


@dataclass(frozen=True)
class Part:
    """One comparison. ``compared`` reads like "2,469 states"."""

    check: str
    compared: str
    differences: int
    first: tuple[str, ...]
    """At most ``FIRST`` of the differences, in words."""

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True)
class Repaired:
    """What a repair did, and what an audit says afterwards."""

    done: Sequence[str]
    parts: Sequence[Part]

    @property
    def ok(self) -> bool:
        """Whether nothing differs any more."""
        return all(part.holds for part in self.parts)


def part(check: str, compared: str, differences: Iterable[str]) -> Part:
    """A part from all its differences, which are counted and mostly forgotten.

    >>> part("view", "3 states", ["customer '7' is missing"])
    Part(check='view', compared='3 states', differences=1, first=("customer '7' is missing",))
    """
    rest = iter(differences)
    first = tuple(islice(rest, FIRST))
    return Part(check, compared, len(first) + sum(1 for _ in rest), first)
