"""One alert in two worlds: where it must fire, and where it must not although it nearly would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Series = Mapping[str, str]
"""Series -> its values in promtool's notation, a step of ``interval`` apart. Every series is of the job segstream."""


@dataclass(frozen=True)
class Case:
    """``says``: the summary when it fires; ``labels``: beside the job and the severity."""

    alert: str
    fires: Series
    silent: Series
    says: str
    labels: Mapping[str, str] = field(default_factory=dict)
    at: str = "45m"
    interval: str = "1m"
    is_of_no_job: bool = False
    """``absent`` has no job to name."""

    def tests(self, severity: str, runbook: str) -> list[dict[str, Any]]:
        """Both as promtool has them."""
        job = {} if self.is_of_no_job else {"job": "segstream"}
        fired = {
            "exp_labels": {"severity": severity, **job, **self.labels},
            "exp_annotations": {"summary": self.says, "runbook": runbook},
        }
        return [self._test(self.fires, [fired]), self._test(self.silent, [])]

    def _test(self, world: Series, expected: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "interval": self.interval,
            "input_series": [{"series": of_the_job(name), "values": values} for name, values in world.items()],
            "alert_rule_test": [{"eval_time": self.at, "alertname": self.alert, "exp_alerts": expected}],
        }


def of_the_job(series: str) -> str:
    """A series with the label that a scrape gives it.

    >>> of_the_job("up"), of_the_job('up{instance="w"}')
    ('up{job="segstream"}', 'up{job="segstream",instance="w"}')
    """
    name, brace, labels = series.partition("{")
    return f'{name}{{job="segstream"{"," + labels if brace else "}"}'
