"""Mutations: take one guard out of the code at a time; at least one test must fail each time.

    python -m benchmarks.mutations --json [--guards "load check,dedup"]

Each runs in a copy of the tree, with the tests that are said to know the guard. A guard that nobody misses is not
tested, whatever the coverage says.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutation:
    """``before`` stands once in ``file``; without the guard it would read ``after``."""

    guard: str
    file: str
    before: str
    after: str
    tests: str

    def is_in(self, text: str) -> bool:
        """Whether there is exactly one place to mutate."""
        return text.count(self.before) == 1


MUTATIONS = (
    Mutation(
        "future check",
        "producers/kafka_sink.py",
        "[future.get(timeout=0).offset for future in sent]",
        "[future.value.offset if future.succeeded() else -1 for future in sent]",
        "tests/test_kafka_halts.py -k K2",
    ),
    Mutation(
        "load check",
        "consumers/worker.py",
        "if not fresh and view.watermark != mark.to_bytes():",
        "if not fresh and view.watermark is None:",
        "tests/consumers/test_worker.py",
    ),
    Mutation(
        "apply guard (Redis)",
        "stream/view/redis_link.py",
        "if held != expected:",
        "if expected is NotImplemented:",
        "tests/view",
    ),
    Mutation(
        "apply guard (twin)",
        "stream/view/memory_store.py",
        "if held.watermark != expected:",
        "if expected is NotImplemented:",
        "tests/view tests/consumers/test_worker.py",
    ),
    Mutation(
        "chain end",
        "consumers/chain.py",
        "return followed.mark.sequence >= int(committed.note)",
        "return at_end",
        "tests/consumers/test_chain.py tests/consumers/test_restoring.py",
    ),
    Mutation(
        "stable offsets",
        "consumers/kafka_reading.py",
        '"isolation_level": "read_committed"',
        '"isolation_level": "read_uncommitted"',
        "tests/test_kafka_guards.py -k OffsetsInDoubt",
    ),
    Mutation(
        "parked records (source)",
        "consumers/kafka_source.py",
        "            unpark(self._consumer, at)\n",
        "",
        "tests/test_kafka_guards.py -k K12",
    ),
    Mutation(
        "parked records (tail)",
        "consumers/kafka_tail.py",
        "        unpark(self._consumer, at)\n",
        "",
        "tests/test_kafka_guards.py -k K12",
    ),
    Mutation(
        "a broker's last words",
        "producers/kafka_network.py",
        "return data, None if data else error",
        "return data, error",
        "tests/test_refusals.py -k wrong_password",
    ),
    Mutation(
        "metadata snapshot",
        "producers/kafka_sink.py",
        "if offsets is not None and not offsets.membership.is_valid:",
        "if offsets is NotImplemented:",
        "tests/test_sink_contract.py -k without_a_generation",
    ),
    Mutation(
        "producer discard",
        "producers/kafka_sink.py",
        "            self.close()\n            if not isinstance(error, KafkaError):",
        "            self._producer.abort_transaction()\n"
        "            raise CommitFailed(str(error)) from error\n"
        "            if not isinstance(error, KafkaError):",
        "tests/test_kafka_guards.py -k K1",
    ),
    Mutation(
        "dedup",
        "stream/decision/intake.py",
        '(rows["seen_high"] == high[:, None])).any(axis=1))',
        '(rows["seen_high"] == high[:, None])).all(axis=1))',
        "tests/decision/test_intake.py tests/decision/test_step.py",
    ),
    Mutation(
        "topic identity",
        "consumers/restoring.py",
        "if mark.topic_id != self.topic_id:",
        "if mark.topic_id is NotImplemented:",
        "tests/consumers/test_restoring.py",
    ),
    Mutation(
        "polling restores",
        "consumers/recovering.py",
        "if poll.membership.is_valid and partition not in poll.assigned:",
        "if poll is NotImplemented:",
        "tests/consumers/test_worker.py -k restore",
    ),
    Mutation(
        "snapshot seek",
        "consumers/owner.py",
        "wiring.source.seek(LEARNING, start.offset)",
        "wiring.source.seek(LEARNING, start.offset + 1)",
        "tests/consumers/test_owner.py",
    ),
    Mutation(
        "snapshot hand-over",
        "consumers/takeover.py",
        "if committed is None or _is_of(start.learner.snapshot, committed) or now_seconds() > deadline:",
        "if True:",
        "tests/consumers/test_owner.py",
    ),
)


def main() -> int:
    """Command line; the exit code is 1 when a guard is not missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guards", help="some of: " + ", ".join(m.guard for m in MUTATIONS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    wanted = {name.strip() for name in arguments.guards.split(",")} if arguments.guards else None
    rows = []
    for mutation in MUTATIONS:
        if wanted is None or mutation.guard in wanted:
            rows.append(_row(mutation))
            said = f"missed by {rows[-1]['failed']}" if rows[-1]["caught"] else "NOT MISSED"
            print(f"{mutation.guard}: {said}", file=sys.stderr)
    caught = sum(row["caught"] for row in rows)
    print(json.dumps({"guards": rows, "caught": caught, "of": len(rows)}, indent=None if arguments.json else 2))
    return 0 if caught == len(rows) else 1


def _row(mutation: Mutation) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="segstream-mutation-") as folder:
        copy = Path(folder) / "tree"
        _copy(copy)
        _mutate(copy, mutation)
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutation.tests.split()],
            cwd=copy,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(copy)},
            check=False,
        )
    failed = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("FAILED ")]
    # Exit code 1 is "tests failed"; anything else is a mutation that does not even import, which proves nothing.
    return {
        "guard": mutation.guard,
        "caught": ran.returncode == 1 and bool(failed),
        "failed": failed[0] if failed else "",
        "seconds": round(time.monotonic() - began, 1),
    }


def _copy(to: Path) -> None:
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, to, ignore=ignored)
    if (ROOT / ".servers").exists():
        (to / ".servers").symlink_to(ROOT / ".servers")


def _mutate(tree: Path, mutation: Mutation) -> None:
    file = tree / mutation.file
    text = file.read_text()
    if not mutation.is_in(text):
        raise SystemExit(f"{mutation.guard}: {mutation.file} does not have exactly one '{mutation.before}'")
    file.write_text(text.replace(mutation.before, mutation.after))


if __name__ == "__main__":
    sys.exit(main())
