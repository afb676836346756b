"""``now`` of a partition: event time reached. It never goes back, and one stray date cannot carry it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.customer.features import NEVER, TimeArray


@dataclass(frozen=True)
class Clock:
    """Event time reached, and who claims a time too far ahead to be believed of one customer alone."""

    now_ms: int = NEVER
    claims: Mapping[str, int] = field(default_factory=dict)
    """Customer -> the farthest time it claimed, more than ``max_jump_ms`` ahead of ``now_ms``."""


def advance(
    clock: Clock, customers: Sequence[str], at_ms: TimeArray, max_jump_ms: int, witnesses: int
) -> tuple[Clock, TimeArray]:
    """``now`` after each event, in offset order, and the clock after the last one.

    An event dated more than ``max_jump_ms`` ahead moves ``now`` only when ``witnesses`` distinct customers have reached
    that time: then to the latest time that so many have reached.

    >>> import numpy as np
    >>> clock, now = advance(Clock(100), ["a", "b"], np.array([110, 105]), 1000, 3)
    >>> now.tolist(), clock.now_ms
    ([110, 110], 110)
    """
    if not len(at_ms):
        return clock, at_ms
    start = at_ms[0] if clock.now_ms == NEVER else clock.now_ms
    reached = np.maximum(np.maximum.accumulate(at_ms), start)
    before = np.concatenate(([start], reached[:-1]))
    if not clock.claims and (at_ms - before <= max_jump_ms).all():
        return Clock(int(reached[-1])), reached
    return _advance_with_claims(clock, int(start), customers, at_ms, max_jump_ms, witnesses)


def spread(start_ms: int, reached: TimeArray, tells_time: NDArray[np.bool_]) -> TimeArray:
    """``now`` after each event, from ``reached`` after those that tell the time, and before the first of them.

    >>> import numpy as np
    >>> spread(5, np.array([7, 9]), np.array([False, True, False, True])).tolist()
    [5, 7, 7, 9]
    """
    return np.concatenate(([start_ms], reached))[np.cumsum(tells_time)]


def moments(at_ms: TimeArray, reached: TimeArray, tells_time: NDArray[np.bool_]) -> TimeArray:
    """When each event's customer is looked at: as the event says, but nobody is ahead of ``now`` for an analyst's word.

    >>> import numpy as np
    >>> moments(np.array([7, 900]), np.array([7, 7]), np.array([True, False])).tolist()
    [7, 7]
    """
    return np.where(tells_time | (reached == NEVER), at_ms, np.minimum(at_ms, reached))


def _advance_with_claims(
    clock: Clock, now: int, customers: Sequence[str], at_ms: TimeArray, max_jump_ms: int, witnesses: int
) -> tuple[Clock, TimeArray]:
    claims = dict(clock.claims)
    reached = np.empty_like(at_ms)
    for i, (customer, at) in enumerate(zip(customers, at_ms.tolist(), strict=True)):
        if at - now <= max_jump_ms:
            now = max(now, at)
        else:
            claims[customer] = max(at, claims.get(customer, at))
            if len(claims) >= witnesses:
                now = sorted(claims.values(), reverse=True)[witnesses - 1]
        claims = {who: claimed for who, claimed in claims.items() if claimed - now > max_jump_ms}
        reached[i] = now
    return Clock(now, claims), reached
