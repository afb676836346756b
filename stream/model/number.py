"""The number of segments, when the model may choose it: what several indices agree on, twice, within bounds.

One index alone contradicts the next on real data (DESIGN 4), so one scan changes nothing and neither does one index.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

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
