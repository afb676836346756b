"""The metrics of drift. They are of the whole population, so only the model owner shows them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from stream.drift.monitor import Report


class DriftMetrics:
    """What of drift is scraped. Labels are declared names and segment ids: bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.share_psi = Gauge(
            "segstream_segment_share_psi",
            "Population stability index of customers by segment, against the frozen or the rolling reference.",
            ["reference"],
            registry=registry,
        )
        self.feature_psi = Gauge(
            "segstream_feature_psi",
            "Population stability index of customers by a feature.",
            ["feature", "reference"],
            registry=registry,
        )
        self.floor = Gauge(
            "segstream_psi_floor",
            "What the index stays below by chance in 999 of 1,000 looks; of features the greatest.",
            ["of", "reference"],
            registry=registry,
        )
        self.sample = Gauge(
            "segstream_drift_sample_customers", "Customers in a reference.", ["reference"], registry=registry
        )
        self.shift = Gauge(
            "segstream_centroid_shift_radii",
            "How far a segment's centroid is from where it was, in its radii then.",
            ["segment", "reference"],
            registry=registry,
        )
        self.active = Gauge(
            "segstream_drift_active", "Whether a signal drifts now (1) or not (0).", ["signal"], registry=registry
        )
        self.level = Gauge(
            "segstream_drift_level",
            "A signal's statistic in its limits: 1 is at the limit.",
            ["signal"],
            registry=registry,
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
        for gauge in (self.share_psi, self.feature_psi, self.floor, self.sample, self.shift, self.active, self.level):
            gauge.clear()
        active = {episode.signal for episode in report.active}
        for signal, level in report.levels.items():
            self.level.labels(signal).set(level)
            self.active.labels(signal).set(signal in active)
        for reference, difference in report.differences.items():
            self.share_psi.labels(reference).set(difference.share_psi)
            self.floor.labels("share", reference).set(difference.share_floor)
            self.floor.labels("feature", reference).set(max(difference.feature_floors, default=0.0))
            self.sample.labels(reference).set(difference.reference.sample)
            for feature, index in zip(report.features, difference.feature_psi, strict=True):
                self.feature_psi.labels(feature, reference).set(index)
            for number, radii in difference.shifts.items():
                self.shift.labels(f"s{number}", reference).set(radii)
