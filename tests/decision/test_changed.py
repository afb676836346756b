"""What counts as a move, and which moves are flaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream.customer.state import empty
from stream.decision.changed import Changed
from tests.helpers import DAY_MS, MONDAY_MS, shop

SOON = 35 * DAY_MS
"""Back within so long is a flap."""


def change(**fields: tuple[int, int]) -> Changed:
    """One customer, from s2, where it came to from s1 a week ago; each field before and after."""
    before, after = empty(shop(), 1), empty(shop(), 1)
    usual = {"segment": (2, 1), "previous": (1, 2), "since": (MONDAY_MS, MONDAY_MS + 7 * DAY_MS)}
    usual["looked_at"] = usual["since"]
    for name, (old, new) in (usual | fields).items():
        before[name], after[name] = old, new
    return Changed(np.zeros(1, np.int64), np.zeros(1, np.int64), before, after, np.ones(1, bool), np.array([None]))


@pytest.mark.parametrize(
    ("fields", "moves", "flaps"),
    [
        pytest.param({}, 1, 1, id="back"),
        pytest.param({"segment": (2, 3)}, 1, 0, id="on"),
        pytest.param({"segment": (2, 2)}, 0, 0, id="stays"),
        pytest.param({"segment": (0, 1)}, 0, 0, id="from nowhere"),
        pytest.param({"lock": (1, 0)}, 0, 0, id="let go by an analyst"),
        pytest.param({"looked_at": (MONDAY_MS, MONDAY_MS + SOON - 1)}, 1, 1, id="just soon enough"),
        pytest.param({"looked_at": (MONDAY_MS, MONDAY_MS + SOON)}, 1, 0, id="back after years, nearly"),
    ],
)
def test_a_flap_is_a_way_back_that_comes_soon(fields: dict[str, Any], moves: int, flaps: int) -> None:
    found = change(**fields)
    assert (found.moves, found.flaps(SOON)) == (moves, flaps)


def test_soon_is_within_five_typical_gaps() -> None:
    settings = shop().settings
    assert settings.flap_ms == 5 * settings.typical_gap_days * DAY_MS
