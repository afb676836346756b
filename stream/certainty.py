"""How sure a worker is of what it decides: margin, fit, who is odd, and who is held though another segment is nearer.

Of each customer the last look of a batch counts, so a busy customer weighs no more than its batches.
"""

from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry, Counter

from stream.batch_histogram import BatchHistogram
from stream.customer.state import ATYPICAL, States, Status
from stream.model.snapshot import IntArray


class Certainty:
    """Additive over workers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.margin = BatchHistogram(
            "segstream_margin_ratio",
            "Margin of the held segment over its rival at each customer's last look of a batch.",
            registry=registry,
            buckets=(-0.25, -0.1, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0),
        )
        self.fit = BatchHistogram(
            "segstream_fit_radii",
            "Distance to the held segment in its radii at each customer's last look of a batch.",
            registry=registry,
            buckets=(0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0),
        )
        self.atypical = Counter(
            "segstream_atypical_total",
            "Customers found far from their segment, two looks in a row, at their last look of a batch.",
            registry=registry,
        )
        self.suppressed = Counter(
            "segstream_changes_suppressed_total",
            "Customers whom the margin held although another segment is nearer, at their last look of a batch.",
            registry=registry,
        )

    def observe(self, rows: States, touched: IntArray) -> None:
        """The states of a batch, of which those ``touched`` count."""
        # Column by column: whole rows are ten times as much to copy.
        margin, fit, status, atypical = (rows[name][touched] for name in ("margin", "fit", "status", "atypical"))
        self.margin.observe_all(margin[np.isfinite(margin)])
        self.fit.observe_all(fit[np.isfinite(fit)])
        ready = status == Status.READY  # who is locked is held by an analyst and not by the margin
        self.atypical.inc(int(np.count_nonzero(ready & (atypical & ATYPICAL > 0))))
        self.suppressed.inc(int(np.count_nonzero(ready & (margin < 0))))
