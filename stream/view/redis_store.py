"""The store on Redis: a batch is read in two round trips and written in one guarded transaction a partition.

redis-py's pipelines are not used: they raise ``WatchError`` both for a changed watermark and for a lost
connection, which are opposite answers here; with retries and health checks they may reconnect between WATCH
and MULTI, which runs the transaction unwatched; and they cost 1.4 times as much a command. ``RedisLink``
speaks through redis-py's public connections instead, and repeats only what may be repeated.
"""

# mypy: allow-untyped-calls
# (redis-py annotates only some of its methods)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from redis import exceptions
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import Connection, ConnectionPool, parse_url
from redis.retry import Retry

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
from stream.view.store import Loaded, Store, Update, Wanted

Command = tuple[Any, ...]
"""Name and arguments: bytes, str or int."""

_RETRIES = 2
_MOST_ARGUMENTS = 100_000
"""Of one command; Redis refuses 2^20. Even, so that pairs stay together."""

_MENDS: tuple[tuple[type[exceptions.RedisError], str], ...] = (
    (exceptions.AuthenticationError, "refuses user or password: mend redis.url"),
    (exceptions.BusyLoadingError, "is still loading its data: wait for it"),
    (exceptions.TimeoutError, "does not answer: see what blocks it, or raise redis.timeout_seconds"),
    (exceptions.ConnectionError, "cannot be reached: start it, or mend redis.url"),
    (exceptions.ReadOnlyError, "is a replica: point redis.url to the primary"),
    (exceptions.OutOfMemoryError, "is full: raise its maxmemory"),
    (exceptions.NoPermissionError, "forbids a command or a key: grant it to the user of redis.url"),
    (exceptions.RedisError, "refused a command"),
)
"""The first that fits, so the narrow before the wide."""


class RedisLink:
    """Connections to one server: all in bytes, retries bounded, errors in our words and without secrets.

    Raises ``SettingsError`` if ``redis.url`` cannot be read; connects when first used.
    """

    def __init__(self, settings: RedisSettings) -> None:
        ours = {
            "decode_responses": False,
            "protocol": 2,  # RESP3 would add push messages and reconnects of its own, and nothing we need
            "socket_timeout": settings.timeout_seconds,
            "socket_connect_timeout": settings.timeout_seconds,
            "retry": Retry(NoBackoff(), 0),  # nested retries multiply; the one loop is in _opened
        }
        try:
            options = {**parse_url(settings.url.get_secret_value()), **ours}
            self._pool = ConnectionPool(**options)
            # Connects to nothing, but refuses options that do not exist.
            self._pool.connection_class(**self._pool.connection_kwargs)
        except (ValueError, TypeError, exceptions.RedisError):
            # Without its cause: of a password with a bare '/' in it, that quotes one half.
            raise SettingsError(
                "redis.url cannot be read: write redis://user:password@host:6379/0, or rediss:// for TLS; "
                "percent-encode special characters of user and password"
            ) from None
        where = f"{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db', 0)}"
        self.address = str(options.get("path", where))
        self._retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), _RETRIES)

    def ask(self, *commands: Command) -> list[Any]:
        """The replies to ``commands``, sent in one round trip, and sent again if the connection is lost."""
        with self._translated(), self._opened(commands) as (_, replies):
            return replies

    def transact(self, key: str, expected: bytes | None, commands: Sequence[Command]) -> bool:
        """Run ``commands`` atomically if ``key`` holds ``expected``, else ``False``. Never sends them twice.

        Raises ``StoreUnavailable``; if the connection was lost, only ``key`` tells whether they were run.
        """
        watch = (("WATCH", key), ("GET", key))
        with self._translated(), self._opened(watch) as (connection, (_, held)):
            if held != expected:
                _exchange(connection, [("UNWATCH",)])
                return False
            done = _exchange(connection, [("MULTI",), *commands, ("EXEC",)])[-1]
            if done is None:
                return False
            for error in (reply for reply in done if isinstance(reply, exceptions.RedisError)):
                # One was refused as it ran (a key of a foreign type) and the others were not: Redis does not
                # roll back, so what guards them must not vouch for them.
                _exchange(connection, [("DEL", key)])
                raise error
            return True

    def close(self) -> None:
        """Close all connections."""
        self._pool.disconnect()

    @contextmanager
    def _opened(self, commands: Sequence[Command]) -> Iterator[tuple[Connection, list[Any]]]:
        """A connection and the replies to its first commands: together repeated, what follows is not."""
        connection, replies = self._retry.call_with_retry(lambda: self._open(commands), lambda _: None)
        try:
            yield connection, replies
        except BaseException:
            connection.disconnect()  # replies may be on their way, or a WATCH be set
            raise
        finally:
            self._pool.release(connection)

    def _open(self, commands: Sequence[Command]) -> tuple[Connection, list[Any]]:
        connection = self._pool.get_connection()
        try:
            return connection, _exchange(connection, commands)
        except BaseException:
            connection.disconnect()
            self._pool.release(connection)
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exceptions.RedisError as error:
            mend = next(mend for kind, mend in _MENDS if isinstance(error, kind))
            said = str(error).partition(", with args")[0]  # customer ids would follow
            raise StoreUnavailable(f"Redis at {self.address} {mend} ({said})") from error


def _exchange(connection: Connection, commands: Sequence[Command]) -> list[Any]:
    """One round trip. Redis errors of single commands are raised; those inside of EXEC are in its reply."""
    connection.send_packed_command(connection.pack_commands(commands))
    return [connection.read_response() for _ in commands]


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
                "customers vanish when memory is short: `CONFIG SET maxmemory-policy noeviction`, the same in "
                "redis.conf; where CONFIG is forbidden, the parameters of the managed service"
            )
        if told.get("cluster_enabled") == "1":
            raise SettingsError(f"Redis at {self._link.address} is a cluster: redis.url needs one primary")
        name = told.get("server_name", "redis")
        return f"{name} {told.get(f'{name}_version', 'of unknown version')}"

    def load(self, wanted: Mapping[int, Wanted]) -> dict[int, Loaded]:
        """See ``Store.load``. States may be newer than the watermark, never older: then ``apply`` refuses."""
        replies = self._link.ask(*chain.from_iterable(_lookups(p, asked) for p, asked in wanted.items()))
        heads = {p: replies[3 * i : 3 * i + 3] for i, p in enumerate(wanted)}
        names = {p: (*wanted[p].customers, *due, *sweep) for p, (_, due, sweep) in heads.items()}
        states = self._states({p: [*dict.fromkeys(customers)] for p, customers in names.items()})
        return {p: Loaded(watermark, states[p], due, sweep) for p, (watermark, due, sweep) in heads.items()}

    def _states(self, names: Mapping[int, Sequence[bytes]]) -> dict[int, dict[bytes, bytes]]:
        states: dict[int, dict[bytes, bytes]] = {p: {} for p in names}
        some = {p: customers for p, customers in names.items() if customers}
        replies = self._link.ask(*(("HMGET", states_key(p), *customers) for p, customers in some.items()))
        for (p, customers), packed in zip(some.items(), replies, strict=True):
            states[p] = {c: state for c, state in zip(customers, packed, strict=True) if state is not None}
        return states

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

    def identity(self) -> str:
        """See ``Store.identity``. A restart changes the run id, a failover the replication id."""
        told = self._info()
        return f"{told.get('run_id')}:{told.get('master_replid')}"

    def close(self) -> None:
        """See ``Store.close``."""
        self._link.close()

    def _info(self) -> dict[str, str]:
        lines = self._link.ask(("INFO",))[0].decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


def _lookups(partition: int, wanted: Wanted) -> list[Command]:
    """Watermark first: if another worker's batch comes in between, the states must be the newer."""
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
    return [
        (*head, *arguments[start : start + _MOST_ARGUMENTS])
        for head, arguments in parts
        for start in range(0, len(arguments), _MOST_ARGUMENTS)
    ]


def _flat(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    return list(chain.from_iterable(pairs))
