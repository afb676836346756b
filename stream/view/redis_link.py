"""The connections to Redis: what may be repeated is repeated a little, what may not be never is.

redis-py's client and pipelines are not used: they raise ``WatchError`` both for a changed key and for a lost
connection, which are opposite answers here; with a health check due they reconnect between WATCH and MULTI
and run the transaction unwatched; and they cost 1.4 times as much a command. Its connections are public, too.
"""

# mypy: allow-untyped-calls
# (redis-py annotates only some of its methods)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hiredis import pack_command
from redis import exceptions
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import Connection, ConnectionPool, parse_url
from redis.retry import Retry

from stream.errors import SettingsError, StoreUnavailable
from stream.settings import RedisSettings

Command = tuple[Any, ...]
"""Name and arguments: bytes, str or int."""

_RETRIES = 2

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


class _Packer:
    """As redis-py's own, but without looking at each argument for what we never send: a quarter less CPU."""

    def pack(self, *command: Any) -> list[bytes]:
        return [pack_command(command)]


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
            "health_check_interval": 0,  # reconnects under a WATCH
            "command_packer": _Packer(),
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
