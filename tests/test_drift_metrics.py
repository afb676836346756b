"""The metrics of drift: exact names, and no series for what has no reference."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from stream.drift_metrics import DriftMetrics
from tests.drift.test_monitor import NAMES, monitor, picture


def shown(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_drift_is_shown_by_signal_feature_segment_and_reference() -> None:
    registry = CollectorRegistry()
    metrics, watch = DriftMetrics(registry), monitor()
    metrics.observe(watch.look(picture(0), NAMES))
    assert not any("psi" in line or "centroid" in line for line in shown(registry))
    assert 'segstream_drift_active{signal="event.spend"} 0.0' in shown(registry)
    for day in range(1, 13):
        metrics.observe(watch.look(picture(day, mean=1000.0 * (day == 12), shares=(600, 400)), NAMES))
    text = shown(registry)
    assert 'segstream_drift_active{signal="feature.size"} 1.0' in text
    assert 'segstream_drift_active{signal="share"} 0.0' in text
    assert 'segstream_drift_episodes_total{detector="psi",signal="feature.size"} 1.0' in text
    assert 'segstream_drift_sample_customers{reference="frozen"} 1000.0' in text
    assert 'segstream_segment_share_psi{reference="rolling"} 0.0' in text
    assert 'segstream_centroid_shift_radii{reference="frozen",segment="s1"} 1.0' in text
    assert 'segstream_drift_active{signal="decision.low_margin"} 0.0' in text
    assert "segstream_drift_partitions_apart_seconds 0.0" in text
    for name in ("segstream_psi_floor{of=", "segstream_feature_psi{feature=", "segstream_drift_level{signal="):
        assert any(line.startswith(name) for line in text)
