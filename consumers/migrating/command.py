"""What ``segstream migrate`` says and asks."""

from __future__ import annotations

from collections.abc import Callable

from consumers.build import Backend, kafka_backend
from consumers.migrating.run import Moved, migrate
from consumers.migrating.target import PARTITIONED, Target, target_of
from stream.settings import Tree


def command(settings: Tree, partitions: int, suffix: str | None, confirmed: Callable[[str], bool]) -> int:
    """Migrate if ``confirmed``; returns the exit code."""
    target = target_of(settings.topics, partitions, suffix)
    return tell(settings, kafka_backend(settings), target, confirmed, print)


def tell(
    settings: Tree, backend: Backend, target: Target, confirmed: Callable[[str], bool], say: Callable[[str], None]
) -> int:
    """As ``command``, on any backend."""
    old, new = target.old, target.new
    say(f"from {old.partitions} to {new.partitions} partitions, in new topics:")
    for word in PARTITIONED:
        say(f"  {getattr(old, word)} -> {getattr(new, word)}")
    if not confirmed("segstream and its producers are stopped; go on?"):
        return 1
    for line in _what_next(target, migrate(settings, backend, target, say)):
        say(line)
    return 0


def _what_next(target: Target, moved: Moved) -> list[str]:
    old, new = target.old, target.new
    return [
        f"{moved.customers:,} customers moved, {min(moved.by_partition):,} to {max(moved.by_partition):,} a partition",
        "",
        "1. In segstream.toml:",
        *(f"     {line}" for line in target.lines),
        f"2. Producers send to '{new.events}' from now on; what still comes to '{old.events}' is not read.",
        f"3. Subscribers read '{new.changes}'. It begins with the newest change of each customer",
        f"   ({moved.changes:,}) and goes on with the next version; older ones stay in '{old.changes}'.",
        "4. Start segstream. It fills the store from the new journal first.",
    ]
