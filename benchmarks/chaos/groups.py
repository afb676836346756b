"""Rows 12 to 15, 18, 36, 37: processes that stand still, come, go, come twice, or leave in good order."""

from __future__ import annotations

import random
import signal

from benchmarks.chaos.cast import Actor, drain_seconds
from benchmarks.chaos.scene import Scene, Tally, disturbed
from benchmarks.chaos.stage import OURS, Stage, Stuck
from benchmarks.chaos.tripwire import Wire

REFUSED = "transaction failed"
"""What a worker says whose commit the broker refused."""
POLL_SECONDS = 4.0
TURNS = 30
KILLED_SECONDS = 0.1
"""Hardly time to leave in good order: it is killed."""


def frozen_worker(scene: Scene, tally: Tally) -> None:
    """Row 12: it stops in the middle of a batch, others take over, it goes on: a zombie."""
    refused: list[bool] = []

    def stop(stage: Stage, run: int) -> None:
        actor = stage.cast.workers[run % 2]
        before = actor.saying(REFUSED)
        tripped(stage, actor, Wire("BCDF"[run % 4], 2, "stop"))
        stage.go_on(stage.settings.kafka.session_timeout_seconds + 2)
        stage.commits(2)  # of the others
        actor.send(signal.SIGCONT)
        stage.go_on(3.0)  # librdkafka tries for a while
        stage.commits(2)
        refused.append(actor.saying(REFUSED) > before)

    disturbed(scene, tally, 8, stop)
    tally.remarks.append(f"a commit of the zombie was refused in {sum(refused)} runs")


def stalled_thread(scene: Scene, tally: Tally) -> None:
    """Row 13: the heart beats on, but the worker does not poll in time."""

    def stall(stage: Stage, run: int) -> None:
        actor = stage.cast.workers[run % 2]
        tripped(stage, actor, Wire("BD"[run % 2], 2, f"sleep={POLL_SECONDS + 4}"))
        stage.go_on(POLL_SECONDS + 4)
        stage.commits(2)

    disturbed(scene, tally, 4, stall, options=("--max-poll-interval", str(POLL_SECONDS)))


def rebalance_storm(scene: Scene, tally: Tally) -> None:
    """Row 14: for a minute two more workers come and go by turns, one change every two seconds."""
    guests: dict[int, Actor] = {}
    still: list[bool] = []

    def storm(stage: Stage, turn: int) -> None:
        slot, before = len(stage.cast.workers) + turn % 2, stage.progress.batches
        if slot in guests:
            guests.pop(slot).end(KILLED_SECONDS if turn % 4 == 3 else drain_seconds(stage.settings))
        else:
            guests[slot] = stage.cast.worker(slot)
            guests[slot].start()
        stage.go_on(2.0)
        still.append(stage.progress.batches == before)
        if turn == TURNS - 1:
            for guest in guests.values():
                guest.end(drain_seconds(stage.settings))

    disturbed(scene, tally, TURNS, storm)
    tally.remarks.append(f"no commit in {sum(still)} of {TURNS} turns")


def failed_transaction(scene: Scene, tally: Tally) -> None:
    """Row 15: offsets are refused, the transaction fails, and before the next one partitions have moved to a guest."""
    refused: list[bool] = []

    def fail(stage: Stage, run: int) -> None:
        actor, guest = stage.cast.workers[run % 2], stage.cast.worker(2, f"guest-{run}")
        before = actor.saying(REFUSED)
        tripped(stage, actor, Wire("B", 2, f"sleep={POLL_SECONDS + 4}"))
        guest.start()
        stage.go_on(POLL_SECONDS + 4)
        stage.commits(6)
        refused.append(actor.saying(REFUSED) > before)
        guest.end(drain_seconds(stage.settings))

    disturbed(scene, tally, 4, fail, options=("--max-poll-interval", str(POLL_SECONDS)))
    tally.remarks.append(f"a commit was refused in {sum(refused)} runs")


def same_slot(scene: Scene, tally: Tally) -> None:
    """Row 18: a second worker under the same transactional id."""

    def double(stage: Stage, run: int) -> None:
        twin = stage.cast.worker(0, f"worker-0-too-{run}")
        before = stage.progress.batches
        twin.start()
        stage.go_on(10.0)
        fate = "lives on" if twin.is_alive else "ended"
        batches = stage.progress.batches - before
        tally.remarks.append(f"the twin {fate}, refused {twin.saying(REFUSED)} times, {batches} batches meanwhile")
        code = twin.end(drain_seconds(stage.settings))
        if code not in OURS and twin.saying("segstream: ") == 0:  # it may give up, but must say so
            tally.complaints.append(f"the twin ended with {code}: {twin.lines()[-1:]}")
        stage.commits(2)

    disturbed(scene, tally, 3, double)


def troubled_owner(scene: Scene, tally: Tally) -> None:
    """Row 36: the owner is killed, paused for longer than its session, and there are two of them."""

    def trouble(stage: Stage, run: int) -> None:
        owner = stage.cast.owner
        models = stage.progress.models
        if run % 3 == 0:
            owner.send(signal.SIGKILL)
        elif run % 3 == 1:
            tripped(stage, owner, Wire(random.Random(run).choice("BCD"), 1, "stop"))
            other = stage.cast.second_owner()
            other.start()
            stage.go_on(stage.settings.kafka.session_timeout_seconds + 3)
            owner.send(signal.SIGCONT)
            stage.until(lambda: stage.progress.models > models, "a model of one of them")
            other.end(drain_seconds(stage.settings))
        else:
            other = stage.cast.second_owner()
            other.start()
            stage.go_on(8.0)
            other.end(drain_seconds(stage.settings))
        models = stage.progress.models
        stage.until(lambda: stage.progress.models > models, "another model")

    disturbed(scene, tally, 6, trouble)


def rolling_restart(scene: Scene, tally: Tally) -> None:
    """Row 37: SIGTERM inside of a transaction; then all of them, one after the other. Each ends with 0, in time."""
    seconds: list[float] = []

    def restart(stage: Stage, run: int) -> None:
        actors = list(stage.cast)
        actor, before = actors[run % len(actors)], len(actors[run % len(actors)].deaths)
        if actor is stage.cast.owner:
            actor.send(signal.SIGTERM)
        else:
            actor.set(Wire("CDF"[run % 3], 2, "term"))
        allowed = drain_seconds(stage.settings) + 20
        seconds.append(stage.until(lambda: len(actor.deaths) > before, f"{actor.name} leaving", allowed))
        if actor.deaths[-1] != 0:
            tally.complaints.append(f"{actor.name} left with {actor.deaths[-1]}")
        stage.until(lambda: actor.is_alive, f"{actor.name} alive")
        stage.go_on(4.0)  # until it hears signals again
        stage.commits(2)

    disturbed(scene, tally, 9, restart)
    tally.remarks.append(f"the slowest was gone after {max(seconds):.1f} s")


def tripped(stage: Stage, actor: Actor, wire: Wire) -> None:
    """Stretch a wire and wait until somebody fell over it."""
    stage.until(lambda: actor.is_alive, f"{actor.name} alive")
    before = len(actor.sprung())
    actor.set(wire)
    stage.until(lambda: len(actor.sprung()) > before, f"{actor.name} at {wire}")
    if actor.sprung()[-1] != str(wire):
        raise Stuck(f"{actor.name} fell over {actor.sprung()[-1]} and not {wire}")
