"""The fault matrix: which row is run by what, and why some are not run here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.chaos import admission, bad_input, brokers, groups, measures, misuse, starving, stores
from benchmarks.chaos.crashes import crash_row
from benchmarks.chaos.scene import Scene, Tally
from benchmarks.chaos.tripwire import POINTS


@dataclass(frozen=True)
class Act:
    """How a row is run. What happened goes into the tally as it happens, so that an error does not lose it."""

    fault: str
    run: Callable[[Scene, Tally], None]


SOAK = 11
OWNER_POINT = "J"
CRASHES = {**POINTS, OWNER_POINT: "model owner between reading what to learn and its snapshot's commit"}

ACTS: dict[int | str, Act] = {
    **{
        row: Act(f"SIGKILL at {point}: {what}", partial(crash_row, point=point))
        for row, (point, what) in enumerate(CRASHES.items(), 1)
    },
    12: Act("SIGSTOP in the middle of a batch for longer than the session, then SIGCONT", groups.frozen_worker),
    13: Act("main thread stalled for longer than the poll interval, heartbeat alive", groups.stalled_thread),
    14: Act("rebalance storm: members join and leave every 2 s for a minute", groups.rebalance_storm),
    15: Act("transaction fails as its offsets are refused, then partitions move", groups.failed_transaction),
    16: Act("produce replies lost inside of a transaction", brokers.lost_replies),
    17: Act("EndTxn delayed beyond the client's timeout, delivered later", brokers.late_commit),
    18: Act("two processes with the same transactional id", groups.same_slot),
    19: Act("broker SIGKILL, SIGTERM, and down for 60 s", brokers.broker_restart),
    20: Act("coordinator mute during commits", brokers.mute_coordinator),
    21: Act("broker's disk full", brokers.full_disk),
    22: Act("Redis SIGKILL, restarted with a torn append-only file", stores.torn_log),
    23: Act("Redis FLUSHALL; a watermark deleted; single deletions found by the audit", stores.forgotten),
    24: Act("Redis fails over to a stale replica", stores.stale_replica),
    25: Act("Redis full, read-only, busy, loading, forbidden", stores.refusing),
    26: Act("Redis replies lost, 3 s late, connections half open", stores.far_away),
    27: Act("evicting Redis, recreated topic, more partitions, input gone before it was read", misuse.misconfigured),
    28: Act("duplicates: 1 %, in bursts, across restarts", misuse.duplicates),
    29: Act("late, early, equal, absurd times", bad_input.odd_times),
    30: Act("payloads that are no events", bad_input.fuzzed),
    31: Act("oversized events", bad_input.oversized),
    32: Act("nothing but poison", misuse.poisoned),
    33: Act("one customer is half of the traffic; a backlog", misuse.hot_key),
    35: Act("bad snapshots on the model topic", misuse.forged_models),
    36: Act("model owner killed, paused, and two of them", groups.troubled_owner),
    37: Act("SIGTERM inside of a transaction, rolling restart of all", groups.rolling_restart),
    38: Act("certificate expired or of another host, password changed, right taken away", admission.kept_out),
    39: Act("out of file descriptors, out of memory", starving.starved),
    "scale": Act("1 -> 4 -> 2 -> 4 -> 2 workers under load", measures.growing),
}
"""Row -> what runs it."""

ELSEWHERE: dict[int | str, tuple[str, str]] = {
    34: ("erase racing events", "not built here yet"),
}
"""Row -> (fault, why it is not run here)."""
