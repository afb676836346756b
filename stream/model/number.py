"""The number of segments: what the settings say, or what several indices agree on, twice, within bounds; or a person.

One index alone contradicts the next on real data (DESIGN 4), so one scan changes nothing and neither does one index.
Who merges two segments, accepts a grouping or goes back to one has said how many there are to be. That lasts until
somebody says otherwise, the setting changes, or, with ``segments = "auto"``, the indices do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from stream.model.choice import Scan

AGREE = 3
"""So many of the four indices must want the same number ..."""
SCANS = 2
"""... in so many scans in a row."""


@dataclass(frozen=True)
class Number:
    """How many segments there are to be, and what speaks for another number."""

    k: int
    advice: dict[str, int] = field(default_factory=dict)
    """Index -> the number it would choose within the bounds; from the newest scan."""
    wanted: int = 0
    """What enough indices agreed on in the newest scan; 0: nothing but the present number."""
    times: int = 0
    """In how many scans in a row."""
    why: str = ""
    """The plain reason of the last change."""
    instead_of: int = 0
    """The setting that ``k`` stands in for, because a person decided so; 0: nobody did."""

    def under(self, setting: int | Literal["auto"]) -> Number:
        """What holds of it under ``model.segments``."""
        if setting == "auto":
            return replace(self, instead_of=0)
        k, instead_of = (self.k, setting) if self.instead_of == setting else (setting, 0)
        return Number(k, self.advice, instead_of=instead_of)

    def decided(self, k: int, setting: int | Literal["auto"]) -> Number:
        """The number after a person decided for a grouping of ``k``."""
        is_as_set = setting in ("auto", k)
        return Number(k, self.advice, instead_of=0 if is_as_set else int(setting))

    def after(self, scan: Scan, least: int, most: int) -> Number:
        """The number after another scan, when it may be anything from ``least`` to ``most``."""
        near = Scan(tuple(s for s in scan.scores if least - 1 <= s.k <= most + 1))
        advice = {name: k and min(max(k, least), most) for name, k in near.advice.items()}
        wanted, votes = Counter(advice.values()).most_common(1)[0]
        if wanted in (0, self.k) or votes < AGREE:
            return Number(self.k, advice, why=self.why)
        times = self.times + 1 if wanted == self.wanted else 1
        if times < SCANS:
            return Number(self.k, advice, wanted, times, self.why)
        names = ", ".join(sorted(name.replace("_", "-") for name, k in advice.items() if k == wanted))
        return Number(wanted, advice, why=f"{wanted} segments instead of {self.k}: {names} say so in {times} scans")
