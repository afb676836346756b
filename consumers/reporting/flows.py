"""Who moved where in a period, with the causes and the reason that was given most often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from consumers.showing.words import cause_words, feature_words
from consumers.watching.places import move
from stream.contracts.changes import Because, Cause, SegmentChange


@dataclass(frozen=True)
class Flow:
    """Moves from one place to another: a customer who went there twice counts twice."""

    left: str
    entered: str
    moves: int
    causes: Counter[Cause]
    mostly: str
    """The strongest reason of most of them, and of how many; empty where there is none."""

    def to_json(self) -> dict[str, Any]:
        """Plain data; places are ids of segments, ``new``, ``dormant`` or ``closed``."""
        causes = {cause.value: n for cause, n in self.causes.most_common()}
        return {
            "from": self.left,
            "to": self.entered,
            "moves": self.moves,
            "causes": causes,
            "mostly": self.mostly,
        }

    @property
    def why(self) -> str:
        """All of the causes in words, the most frequent first."""
        return causes_words(self.causes)


def causes_words(causes: Counter[Cause]) -> str:
    """Causes with how often, the most frequent first; a single one without.

    >>> causes_words(Counter([Cause.TIME])), causes_words(Counter([Cause.TIME, Cause.BEHAVIOUR, Cause.TIME]))
    ('as time went by', 'as time went by (2), by what they did (1)')
    """
    if len(causes) == 1:
        return cause_words(next(iter(causes)))
    return ", ".join(f"{cause_words(cause)} ({n:,})" for cause, n in causes.most_common())


def flows_of(changes: Iterable[SegmentChange]) -> list[Flow]:
    """The largest first. Who only changed status moved nowhere."""
    by_way = defaultdict[tuple[str, str], list[SegmentChange]](list)
    for change in changes:
        left, entered = move(change)
        if left != entered:
            by_way[left, entered].append(change)
    flows = [
        Flow(left, entered, len(moved), Counter(change.cause for change in moved), _mostly(moved))
        for (left, entered), moved in by_way.items()
    ]
    return sorted(flows, key=lambda flow: (-flow.moves, flow.left, flow.entered))


def _mostly(moved: Iterable[SegmentChange]) -> str:
    """Who is placed for the first time was nowhere before, so nothing rose or fell."""
    said = Counter(_said(change.reasons[0]) for change in moved if change.reasons and change.cause is not Cause.FIRST)
    if not said:
        return ""
    ((words, n),) = said.most_common(1)
    return f"{words} ({n:,})"


def _said(reason: Because) -> str:
    """A reason without its figures, so that it can be counted.

    >>> _said(Because("basket_value", 2.1, 5.3, "money per order", 0.6))
    'basket value rose'
    >>> _said(Because("silence", 7.2, 31.0, "days", 1.0)), _said(Because("age", None, 3.0, "years", 1.0))
    ('silence', 'age')
    """
    name = feature_words(reason.feature)
    if reason.feature == "silence" or reason.before is None or reason.after is None:
        return name
    return f"{name} {'rose' if reason.after > reason.before else 'fell'}"
