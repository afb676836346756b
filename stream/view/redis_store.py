"""The store on Redis: read a batch in two round trips, write it in one guarded transaction a partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from stream.errors import SettingsError, StoreUnavailable
from stream.settings import RedisSettings
from stream.view.keys import (
    FEATURES,
    SEGMENT,
    SEGMENTS,
    customers_key,
    deadlines_key,
    states_key,
    status_key,
    watermark_key,
)
from stream.view.redis_link import Command, RedisLink
from stream.view.store import Loaded, Store, Update, Wanted

_LOADS = 3
"""A load is begun again when another worker wrote in the middle of it; it does so once, as it takes over from us."""


class RedisStore(Store):
    """A ``Store`` on one Redis or Valkey primary."""

    def __init__(self, settings: RedisSettings) -> None:
        self._link = RedisLink(settings)

    def check(self) -> str:
        """Name and version of the server, such as ``redis 7.0.15``, if state is safe in it.

        Asks INFO, for managed servers forbid CONFIG. Raises ``SettingsError`` and ``StoreUnavailable``.
        """
        told = self._info()
        policy = told.get("maxmemory_policy", "not told by INFO")
        if policy != "noeviction":
            raise SettingsError(
                f"Redis at {self._link.address}: maxmemory-policy is {policy} and must be noeviction, or "
                "customers vanish when memory is short: `CONFIG SET maxmemory-policy noeviction`, and in "
                "redis.conf; where CONFIG is forbidden, the parameters of the managed service"
            )
        if told.get("cluster_enabled") == "1":
            raise SettingsError(f"Redis at {self._link.address} is a cluster: redis.url needs one primary")
        name = told.get("server_name", "redis")
        return f"{name} {told.get(f'{name}_version', 'of unknown version')}"

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        """See ``Store.load``. The watermark is read before and after the states; if it moved, all is read again.

        For a store that is flushed in between would pass its customers off as unknown, under a watermark that held.
        """
        for _ in range(_LOADS):
            replies = self._link.ask(*chain.from_iterable(_lookups(p, asked) for p, asked in wanted.items()))
            heads = {p: replies[3 * i : 3 * i + 3] for i, p in enumerate(wanted)}
            names = {p: (*wanted[p].customers, *due, *sweep) for p, (_, due, sweep) in heads.items()}
            states, after = self._states({p: [*dict.fromkeys(customers)] for p, customers in names.items()})
            if all(head[0] == after[p] for p, head in heads.items()):
                return {p: Loaded(after[p], states[p], due, sweep) for p, (_, due, sweep) in heads.items()}
        raise StoreUnavailable(f"Redis at {self._link.address}: somebody else keeps writing to our partitions")

    def _states(
        self, names: Mapping[int, Sequence[bytes]]
    ) -> tuple[dict[int, dict[bytes, bytes]], dict[int, bytes | None]]:
        """States of the named customers, and the watermarks after they were read."""
        states: dict[int, dict[bytes, bytes]] = {p: {} for p in names}
        some = {p: customers for p, customers in names.items() if customers}
        lookups = (("HMGET", states_key(p), *customers) for p, customers in some.items())
        replies = iter(self._link.ask(*lookups, *(("GET", watermark_key(p)) for p in names)))
        for p, customers in some.items():
            found = zip(customers, next(replies), strict=True)
            states[p] = {c: state for c, state in found if state is not None}
        return states, dict(zip(names, replies, strict=True))

    def apply(self, partition: int, expected: bytes | None, update: Update) -> bool:
        """See ``Store.apply``. Two round trips: watch and compare, then everything in one transaction.

        After ``StoreUnavailable`` the update may have been applied: the watermark tells.
        """
        return self._link.transact(watermark_key(partition), expected, _commands(partition, update))

    def wipe(self, partition: int) -> None:
        """See ``Store.wipe``."""
        rest = (states_key(partition), deadlines_key(partition), customers_key(partition))
        self._link.ask(("DEL", watermark_key(partition)), ("UNLINK", *rest))

    def publish_segments(self, profiles: Mapping[str, bytes]) -> None:
        """See ``Store.publish_segments``."""
        fill = [("HSET", SEGMENTS, *_flat(profiles.items()))] if profiles else []
        self._link.ask(("MULTI",), ("DEL", SEGMENTS), *fill, ("EXEC",))

    def publish_status(self, partition: int, status: str | None) -> None:
        """See ``Store.publish_status``."""
        key = status_key(partition)
        self._link.ask(("DEL", key) if status is None else ("SET", key, status))

    def close(self) -> None:
        """See ``Store.close``."""
        self._link.close()

    def _info(self) -> dict[str, str]:
        lines = self._link.ask(("INFO",))[0].decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


def _lookups(partition: int, wanted: Wanted) -> list[Command]:
    """The watermark, who is due, and whose turn in the sweep it is."""
    before = "-inf" if wanted.due_before_ms is None else f"({wanted.due_before_ms}"
    after = b"(" + wanted.sweep_after if wanted.sweep_after else b"-"
    return [
        ("GET", watermark_key(partition)),
        ("ZRANGEBYSCORE", deadlines_key(partition), "-inf", before, "LIMIT", 0, wanted.due_limit),
        ("ZRANGEBYLEX", customers_key(partition), after, "+", "LIMIT", 0, wanted.sweep_limit),
    ]


def _commands(partition: int, update: Update) -> list[Command]:
    """All of ``update``. A public hash is deleted before it is written, so no old field lingers."""
    states, deadlines, customers = states_key(partition), deadlines_key(partition), customers_key(partition)
    timers, documents, gone = update.deadlines.items(), update.documents.items(), update.forgotten
    parts: list[tuple[Command, Sequence[Any]]] = [
        (("HSET", states), _flat(update.states.items())),
        (("ZADD", customers), _flat((0, c) for c in update.states)),
        (("ZADD", deadlines), _flat((ms, c) for c, ms in timers if ms is not None)),
        (("ZREM", deadlines), [c for c, ms in timers if ms is None]),
        (("MSET",), _flat((FEATURES + c, document) for c, document in documents if document is not None)),
        (("DEL",), [FEATURES + c for c, document in documents if document is None]),
        (("DEL",), [SEGMENT + c for c in update.hashes]),
        *((("HSET", SEGMENT + c), _flat(fields.items())) for c, fields in update.hashes.items() if fields),
        (("HDEL", states), gone),
        (("ZREM", deadlines), gone),
        (("ZREM", customers), gone),
        (("DEL",), [prefix + c for c in gone for prefix in (SEGMENT, FEATURES)]),
        (("SET", watermark_key(partition)), [update.watermark]),
    ]
    return [(*head, *arguments) for head, arguments in parts if arguments]


def _flat(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    return list(chain.from_iterable(pairs))
