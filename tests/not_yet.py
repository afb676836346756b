"""Metrics that rules, dashboards and runbooks already name and the code does not show yet."""

from __future__ import annotations

NOT_YET = frozenset(
    {
        "segstream_segment_share_psi",
        "segstream_feature_psi",
        "segstream_psi_floor",
        "segstream_drift_sample_customers",
        "segstream_centroid_shift_radii",
        "segstream_drift_active",
        "segstream_drift_episodes_total",
        "segstream_drift_level",
    }
)
"""The drift engine brings them, with these names and labels; then this is empty and the tests hold them, too."""
