"""The metrics of drift. They are of the whole population, so only the model owner shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from stream.drift.monitor import Report

Samples = Mapping[tuple[str, ...], float]
"""Values by the values of the labels."""


class DriftMetrics:
    """What of drift is scraped. Labels are declared names and segment ids: bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, said: str, *labels: str) -> Gauge:
            return Gauge(f"segstream_{name}", said, labels, registry=registry)

        self.share_psi = gauge(
            "segment_share_psi",
            "Population stability index of customers by segment, against the frozen or the rolling reference.",
            "reference",
        )
        self.feature_psi = gauge(
            "feature_psi", "Population stability index of customers by a feature.", "feature", "reference"
        )
        self.floor = gauge(
            "psi_floor",
            "What the index stays below by chance in 999 of 1,000 looks; of features the greatest.",
            "of",
            "reference",
        )
        self.sample = gauge("drift_sample_customers", "Customers in a reference.", "reference")
        self.shift = gauge(
            "centroid_shift_radii",
            "How far a segment's centroid is from where it was, in its radii then.",
            "segment",
            "reference",
        )
        self.active = gauge("drift_active", "Whether a signal drifts now (1) or not (0).", "signal")
        self.level = gauge("drift_level", "A signal's statistic in its limits: 1 is at the limit.", "signal")
        self.apart = gauge(
            "drift_partitions_apart_seconds",
            "Event time from the slowest input partition to the newest: beyond drift.span_days only events are judged.",
        )
        self.episodes = Counter(
            "segstream_drift_episodes_total", "Drifts that began.", ["signal", "detector"], registry=registry
        )

    def observe(self, report: Report) -> None:
        """A macro step was published."""
        self.show(report)
        for turn in report.turns:
            if turn.what == "begins":
                self.episodes.labels(turn.episode.signal, turn.episode.detector).inc()

    def show(self, report: Report) -> None:
        """How things stand, also when found at a take-over; what has no reference has no series."""
        self.apart.set(report.apart_ms / 1000)
        for gauge, samples in self._shown(report):
            gauge.clear()
            for labels, value in samples.items():
                gauge.labels(*labels).set(value)

    def _shown(self, report: Report) -> Iterator[tuple[Gauge, Samples]]:
        active, against = {episode.signal for episode in report.active}, report.differences.items()
        yield self.level, {(signal,): level for signal, level in report.levels.items()}
        yield self.active, {(signal,): signal in active for signal in report.levels}
        yield self.share_psi, {(reference,): difference.share_psi for reference, difference in against}
        yield self.sample, {(reference,): difference.reference.sample for reference, difference in against}
        floors: dict[tuple[str, ...], float] = {
            ("share", reference): difference.share_floor for reference, difference in against
        }
        yield self.floor, floors | {("feature", r): max(d.feature_floors, default=0.0) for r, d in against}
        indices = {r: zip(report.features, d.feature_psi, strict=True) for r, d in against}
        yield self.feature_psi, {(feature, r): index for r, pairs in indices.items() for feature, index in pairs}
        yield self.shift, {(f"s{n}", r): radii for r, d in against for n, radii in d.shifts.items()}
