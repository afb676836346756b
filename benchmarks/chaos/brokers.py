"""Rows 16, 17, 19, 20 and 21: the broker dies, or what is said to it or by it does not arrive; its disk is full."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.chaos.proxy import END_TXN, PRODUCE, TXN_OFFSET_COMMIT, Rules
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import Stage
from benchmarks.servers import ApacheKafka
from consumers.embedded import HOST
from producers.watchdog import EXIT_CODE
from stream.errors import BrokerUnavailable

DOWN_SECONDS = 60.0
PATIENCE_SECONDS = 180.0
"""A broker that was killed reads its logs again, and clients come back one after the other."""
WATCHDOG_SECONDS = 8.0
DISK_BYTES = 256 << 20


def broker_restart(scene: Scene, tally: Tally) -> None:
    """Row 19: SIGKILL and SIGTERM, back at once, and a minute of nothing."""

    def restart(stage: Stage, run: int) -> None:
        stage.load.is_on = False
        # Without a broker nobody starts, and a commit under way is ended by the watchdog.
        stage.expected.add(EXIT_CODE)
        stage.excused.add(BrokerUnavailable.__name__)
        before = stage.progress.batches
        if run % 2:
            scene.broker.terminate()
        else:
            scene.broker.kill()
        stage.go_on(DOWN_SECONDS if run == 3 else 1.0)
        scene.broker.launch()
        stage.load.is_on = True
        back.append(stage.until(lambda: stage.progress.batches > before, "a commit", PATIENCE_SECONDS))

    back: list[float] = []
    disturbed(scene, tally, 4, restart, PATIENCE_SECONDS)
    tally.remarks.append(f"seconds from the broker being up to the next commit: {[round(s, 1) for s in back]}")


def lost_replies(scene: Scene, tally: Tally) -> None:
    """Row 16: records are written, but nobody hears of it until the producer has given up."""
    kafka_rule(scene, tally, Rules(drop_replies=True, kinds=frozenset({PRODUCE})), 12.0)


def late_commit(scene: Scene, tally: Tally) -> None:
    """Row 17: EndTxn is held back for longer than the client waits, and delivered afterwards (Jepsen, 2024)."""
    kafka_rule(scene, tally, Rules(hold_requests=True, kinds=frozenset({END_TXN})), 8.0)


def mute_coordinator(scene: Scene, tally: Tally) -> None:
    """Row 20: nothing of a commit is answered: the watchdog ends the process."""
    silence = Rules(hold_requests=True, kinds=frozenset({END_TXN, TXN_OFFSET_COMMIT}))
    kafka_rule(scene, tally, silence, 2 * WATCHDOG_SECONDS + 4)


def kafka_rule(scene: Scene, tally: Tally, rules: Rules, seconds: float, runs: int = 3) -> None:
    """So many times this rule for so long, for the service only."""

    def apply(stage: Stage, _: int) -> None:
        stage.expected.add(EXIT_CODE)
        with scene.detour.under(rules):
            stage.go_on(seconds)
        stage.commits(2)
        bitten[0] = sum(actor.deaths.count(EXIT_CODE) for actor in stage.cast)

    bitten = [0]
    settings = {"worker": {"watchdog_seconds": WATCHDOG_SECONDS}}
    disturbed(scene, tally, runs, apply, seen_by_cast=f"{HOST}:{scene.detour.port}", settings=settings)
    tally.remarks.append(f"{rules.met} requests or replies were met by it, {bitten[0]} processes ended by the watchdog")
    if not rules.met:
        tally.complaints.append("the rule met nothing")


class SmallDisk(ApacheKafka):
    """A broker whose logs are on a disk of their own; it has to be mounted, so this needs root."""

    @property
    def disk(self) -> Path:
        """Where that is mounted."""
        return self.folder / "data"

    def command(self) -> Sequence[str]:
        """See ``ChildServer``."""
        if not self.disk.exists():
            self.disk.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.disk)]
            subprocess.run(mount, check=True, capture_output=True)
        return super().command()

    def stop(self) -> None:
        """See ``ChildServer``."""
        self.kill()
        subprocess.run(["umount", str(self.disk)], check=False, capture_output=True)
        super().stop()

    @property
    def has_ended(self) -> bool:
        """Whether it has given up."""
        return self._process is not None and self._process.poll() is not None


def full_disk(scene: Scene, tally: Tally) -> None:
    """Row 21: the broker cannot write any more, and ends; later there is room again."""
    disk = SmallDisk()
    try:
        disk.start()
        disturbed(replace(scene, broker=disk), tally, 2, partial(fill_disk, disk, tally), PATIENCE_SECONDS)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        tally.skipped = f"a small disk cannot be mounted here: {error}"
    finally:
        disk.stop()


def fill_disk(disk: SmallDisk, tally: Tally, stage: Stage, _: int) -> None:
    """With work still to do, nothing can be written any more; then the broker starts again, with room."""
    stage.expected.add(EXIT_CODE)
    stage.excused.add(BrokerUnavailable.__name__)
    stage.load.is_on = False
    stage.load.send(1500)
    filler = disk.disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(64 << 10))
    stage.until(lambda: disk.has_ended or stage.progress.left == 0, "the broker's end", 60.0)
    tally.remarks.append(f"the broker ended by itself: {disk.has_ended}, {stage.progress.left} records left to do")
    stage.go_on(3.0)
    disk.kill()
    filler.unlink()
    disk.launch()
    stage.until(lambda: stage.progress.left == 0, "the rest", PATIENCE_SECONDS)
    stage.load.is_on = True
