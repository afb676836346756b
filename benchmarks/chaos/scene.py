"""What the rows of the matrix share: the broker, where stages are put up, and how a run becomes a row."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.chaos.checker import Verdict
from benchmarks.chaos.proxy import Proxy
from benchmarks.chaos.report import Row
from benchmarks.chaos.stage import SECONDS, Play, Stage
from benchmarks.servers import ApacheKafka


@dataclass(frozen=True)
class Scene:
    """One run of the harness."""

    broker: ApacheKafka
    detour: Proxy
    """Stands before the broker; for those who come in at ``broker.detour_port``."""
    folder: Path
    seeds: int = 20
    kills: int = 100
    """Of the soak."""
    minutes: float = 30.0
    """The soak takes at most."""
    workers: int = 2
    client: str = "kafka-python"
    tell: Callable[[str], None] = lambda _: None

    @contextmanager
    def stage(self, name: str, **play: Any) -> Iterator[Stage]:
        """A stage, entered. Its logs stay if something goes wrong on it."""
        settings = {key: dict(section) for key, section in play.pop("settings", {}).items()}
        if self.client != "kafka-python":
            settings.setdefault("kafka", {})["client"] = self.client
        full = {"workers": self.workers, "settings": settings, **play}
        with Stage(name, replace(Play(self.broker.bootstrap_servers, self.folder), **full), self.tell) as stage:
            yield stage


@dataclass
class Tally:
    """Several streams of one row."""

    row: int | str
    fault: str
    runs: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    skipped: str = ""
    """Why it cannot be run on this machine."""

    def judged(self, verdict: Verdict, where: Path) -> None:
        """One stream was checked; its logs are ``where``, and stay if something is wrong."""
        self.verdicts.append(verdict)
        if verdict.passed:
            if not self.complaints:
                shutil.rmtree(where, ignore_errors=True)
            return
        counts = f"lost {verdict.lost}, repeated {verdict.repeated}, features equal: {verdict.features_equal}"
        self.complaints.append(f"{'; '.join((counts, *verdict.breaches))} (logs: {where})")

    def to_row(self) -> Row:
        """What to report."""
        events = sum(verdict.events for verdict in self.verdicts)
        checked = f"{len(self.verdicts)} streams of {events} events in all checked" if self.verdicts else ""
        note = "; ".join(filter(None, (checked, *self.remarks, *self.complaints)))
        if self.skipped:
            return Row(self.row, self.fault, 0, None, self.skipped)
        return Row(self.row, self.fault, self.runs, self.runs > 0 and not self.complaints, note)


def disturbed(
    scene: Scene, tally: Tally, runs: int, disturb: Callable[[Stage, int], None], seconds: float = SECONDS, **play: Any
) -> None:
    """One stream that is disturbed so many times, each after further commits were seen, and checked at the end."""
    with scene.stage(f"row{tally.row}", **play) as stage:
        stage.warm_up()
        for run in range(runs):
            stage.commits(2, seconds)
            disturb(stage, run)
            tally.runs += 1
        stage.commits(2, seconds)
        tally.judged(stage.finish(seconds), stage.folder)
