"""Histograms of the population: every customer once in each feature, exact whole numbers that simply add.

Counted on a fine grid that is the same everywhere and for ever, so workers need not know any bins: the bins of a
reference are quantiles of what it held when it was frozen, made of whole cells of the grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stream.drift.blocks import IntArray

GRID = 128
"""Cells of a feature's declared range."""


def grid_counts(y: NDArray[np.int16], signs: IntArray, steps: int) -> IntArray:
    """How many customers stand in each cell, (d, GRID): vectors (m, d) of -steps / 2 to steps / 2, counted by ``signs``
    (m,).

    >>> y = np.array([[-16000, 16000], [-15999, 0]], np.int16)
    >>> grid_counts(y, np.array([1, 1]), 32_000)[:, [0, 64, 127]].tolist()
    [[2, 0, 0], [0, 1, 1]]
    """
    d = y.shape[1]
    cell = np.clip((y.astype(np.int64) + steps // 2) * GRID // steps, 0, GRID - 1)
    flat = np.bincount((cell + GRID * np.arange(d)).ravel(), np.repeat(signs, d), d * GRID)
    return flat.astype(np.int64).reshape(d, GRID)


def quantile_bins(counts: IntArray, bins: int) -> IntArray:
    """Bin of each cell of the grid, (GRID,): at most ``bins``, of about as many customers each; a spike has its own.

    >>> quantile_bins(np.array([0, 10, 10, 60, 10, 10]), 4).tolist()
    [0, 0, 0, 1, 2, 2]
    """
    known = np.maximum(counts, 0)
    middle = np.cumsum(known) - known / 2
    wanted = np.minimum(bins * middle / max(int(known.sum()), 1), bins - 1).astype(np.int64)
    return np.unique(wanted, return_inverse=True)[1]


def binned(counts: IntArray, bins: IntArray) -> IntArray:
    """Customers by bin, (b,).

    >>> binned(np.array([1, 2, 3]), np.array([0, 1, 1])).tolist()
    [1, 5]
    """
    customers = np.zeros(int(bins.max()) + 1, np.int64)
    np.add.at(customers, bins, counts)
    return customers
