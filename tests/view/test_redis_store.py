"""What only a real server can do wrong: policies, rights, memory, lost connections. On Redis and Valkey."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from stream.errors import SettingsError, StoreUnavailable
from stream.settings import RedisSettings
from stream.view.redis_reader import RedisReader
from stream.view.redis_store import RedisStore
from stream.view.store import Loaded, Update, Wanted
from tests.view.server import Fate, Proxy, Server, free_port, settings_of

FIRST = Update(b"1", {b"ann": b"a"}, {b"ann": 5}, {b"ann": {"id": "s1"}}, {b"ann": b"{}"})
SECOND = Update(b"2", {b"ann": b"b"}, {b"ann": 6}, {b"ann": {"id": "s2"}}, {b"ann": b"[]"})
ALL = Wanted([], due_before_ms=100, due_limit=10, sweep_limit=10)
AFTER_FIRST = {0: Loaded(b"1", {b"ann": b"a"}, [b"ann"], [b"ann"])}
AFTER_SECOND = {0: Loaded(b"2", {b"ann": b"b"}, [b"ann"], [b"ann"])}


@contextmanager
def store_on(settings: RedisSettings) -> Iterator[RedisStore]:
    store = RedisStore(settings)
    try:
        yield store
    finally:
        store.close()


class AtMulti:
    """The fate of the first chunk in which a transaction begins; all others pass."""

    def __init__(self, fate: Fate) -> None:
        self.seen = 0
        self._fate: Fate = fate

    def __call__(self, chunk: bytes) -> Fate:
        if b"MULTI" not in chunk:
            return "pass"
        self.seen += 1
        return self._fate if self.seen == 1 else "pass"


def test_check_tells_name_and_version(server: Server) -> None:
    with store_on(server.settings()) as store:
        name, version = store.check().split()
    assert name == server.kind
    assert int(version.split(".")[0]) >= 6


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_check_refuses_a_server_that_evicts(own_server: Server, policy: str) -> None:
    with own_server.client() as client, store_on(own_server.settings()) as store:
        client.config_set("maxmemory-policy", policy)
        with pytest.raises(SettingsError, match=rf"maxmemory-policy is {policy}.*CONFIG SET .* noeviction"):
            store.check()
        client.config_set("maxmemory-policy", "noeviction")
        assert store.check()


def test_check_refuses_a_cluster(kind: str, tmp_path: Path) -> None:
    node = Server(kind, tmp_path, "--cluster-enabled", "yes")
    try:
        with store_on(node.settings()) as store, pytest.raises(SettingsError, match="is a cluster"):
            store.check()
    finally:
        node.stop()


def test_the_least_rights_are_enough_and_less_is_named(own_server: Server) -> None:
    """As on a managed server, CONFIG is forbidden. What is granted here is what operators must grant."""
    writer = "+get +set +del +unlink +mset +hset +hdel +hmget +zadd +zrem +zrangebyscore +zrangebylex +info"
    keys = "~segstream:* ~segment:* ~features:* ~segments"
    with own_server.client() as client, store_on(own_server.settings("writer:pw")) as store:
        client.execute_command("ACL SETUSER writer on >pw", *keys.split(), *writer.split(), "+@transaction")
        assert store.check()
        assert store.apply(0, None, FIRST)
        assert store.load({0: ALL}) == AFTER_FIRST
        store.publish_segments({"s1": b"{}"})
        store.publish_status(0, "restoring")
        store.publish_status(0, None)
        store.wipe(0)
        client.execute_command("ACL SETUSER writer -mset")
        with pytest.raises(StoreUnavailable, match=r"grant it to the user of redis\.url .*mset"):
            store.apply(0, None, FIRST)
        client.execute_command("ACL SETUSER writer +mset")
        assert store.apply(0, None, FIRST), "nothing was left half applied"


def test_a_reader_needs_no_right_to_write(own_server: Server) -> None:
    with own_server.client() as client, store_on(own_server.settings()) as store:
        client.execute_command("ACL SETUSER reader on >pw ~* +@read")
        assert store.apply(0, None, FIRST)
        store.publish_segments({"s1": b"{}"})
        reader = RedisReader(own_server.settings("reader:pw"))
        assert reader.segment(b"ann") == {"id": "s1"}
        assert reader.features(b"ann") == {}
        assert reader.segments() == {"s1": {}}
        assert list(reader.customers("s1")) == [(b"ann", {"id": "s1"})]
        assert list(reader.states(0)) == [(b"ann", b"a")]
        reader.close()


def test_a_full_server_is_unavailable_and_nothing_is_half_applied(own_server: Server) -> None:
    with own_server.client() as client, store_on(own_server.settings()) as store:
        assert store.apply(0, None, FIRST)
        client.config_set("maxmemory", "1mb")
        with pytest.raises(StoreUnavailable, match="is full: raise its maxmemory"):
            store.apply(0, b"1", SECOND)
        assert store.load({0: ALL}) == AFTER_FIRST
        client.config_set("maxmemory", "0")
        assert client.hgetall("segment:ann") == {b"id": b"s1"}
        assert client.get("features:ann") == b"{}"
        assert store.apply(0, b"1", SECOND)
        assert store.load({0: ALL}) == AFTER_SECOND


def test_a_replica_is_unavailable_for_writing(own_server: Server) -> None:
    with own_server.client() as client, store_on(own_server.settings()) as store:
        assert store.apply(0, None, FIRST)
        client.replicaof("127.0.0.1", free_port())
        with pytest.raises(StoreUnavailable, match=r"is a replica: point redis\.url to the primary"):
            store.apply(0, b"1", SECOND)
        client.replicaof("no", "one")
        assert store.apply(0, b"1", SECOND)


def test_a_key_of_a_foreign_type_is_named_and_the_watermark_vouches_for_nothing(server: Server) -> None:
    with server.client() as client, store_on(server.settings()) as store:
        assert store.apply(0, None, FIRST)
        client.set("segstream:deadlines:0", "mine")
        with pytest.raises(StoreUnavailable, match=r"refused a command .*wrong kind of value"):
            store.apply(0, b"1", SECOND)
        assert store.load({1: ALL})[1].watermark is None
        assert client.get("segstream:watermark:0") is None


def test_an_unreachable_server_is_named() -> None:
    port = free_port()
    told = rf"127\.0\.0\.1:{port}/0 cannot be reached: start it, or mend redis\.url"
    with store_on(settings_of(port)) as store, pytest.raises(StoreUnavailable, match=told):
        store.load({0: ALL})


def test_a_server_that_hangs_is_given_up_in_bounded_time(own_server: Server) -> None:
    timeout_seconds = 0.4
    with store_on(own_server.settings(timeout_seconds=timeout_seconds)) as store:
        assert store.apply(0, None, FIRST)
        own_server.pause()
        try:
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match=r"does not answer: .* redis\.timeout_seconds"):
                store.load({0: ALL})
            assert time.monotonic() - began < 3 * timeout_seconds + 1.0, "three tries, and they do not nest"
        finally:
            own_server.resume()
        assert store.load({0: ALL}) == AFTER_FIRST


def test_a_restarted_server_is_found_again(own_server: Server) -> None:
    with store_on(own_server.settings()) as store:
        assert store.apply(0, None, FIRST)
        own_server.restart()
        assert store.apply(0, None, FIRST), "the connection kept from before is dead"
        own_server.restart()
        assert store.load({0: ALL})[0].watermark is None


def test_load_and_apply_take_two_round_trips_each(server: Server) -> None:
    with Proxy(server.port) as proxy, store_on(settings_of(proxy.port)) as store:
        for partition in range(8):
            assert store.apply(partition, None, FIRST)
        began = proxy.turns
        assert len(store.load({p: Wanted([b"ann", b"bob"], 100, 10, b"", 10) for p in range(8)})) == 8
        assert proxy.turns - began == 2
        began = proxy.turns
        assert store.apply(0, b"1", SECOND)
        assert proxy.turns - began == 2


def test_a_connection_lost_between_watch_and_exec_is_not_replaced(server: Server) -> None:
    fate = AtMulti("cut")
    with Proxy(server.port, fate) as proxy, store_on(settings_of(proxy.port)) as store:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            store.apply(0, None, FIRST)
        assert fate.seen == 1, "sent once"
        assert store.load({0: ALL})[0] == Loaded(None, {}, [], [])
        assert store.apply(0, None, FIRST)


def test_a_lost_reply_is_unknown_and_the_watermark_tells(server: Server) -> None:
    fate = AtMulti("swallow the reply")
    with Proxy(server.port, fate) as proxy, store_on(settings_of(proxy.port)) as store:
        with pytest.raises(StoreUnavailable):
            store.apply(0, None, FIRST)
        assert fate.seen == 1, "sent once"
        assert store.load({0: ALL}) == AFTER_FIRST
        assert not store.apply(0, None, FIRST)


def test_another_writer_between_compare_and_exec_wins(server: Server) -> None:
    """The compare has passed by then: only WATCH can tell."""
    with store_on(server.settings()) as other:
        overtaken: list[bool] = []

        def fate(chunk: bytes) -> Fate:
            if b"MULTI" in chunk:
                overtaken.append(other.apply(0, b"1", SECOND))
            return "pass"

        assert other.apply(0, None, FIRST)
        with Proxy(server.port, fate) as proxy, store_on(settings_of(proxy.port)) as store:
            assert not store.apply(0, b"1", Update(b"3", {b"ann": b"late"}))
        assert overtaken == [True]
        assert other.load({0: ALL}) == AFTER_SECOND


def test_a_flush_in_the_middle_of_a_load_does_not_make_customers_unknown(server: Server) -> None:
    flushes = iter([True])

    def fate(chunk: bytes) -> Fate:
        if b"HMGET" in chunk and next(flushes, False):
            with server.client() as client:
                client.flushall()
        return "pass"

    with Proxy(server.port, fate) as proxy, store_on(settings_of(proxy.port)) as store:
        assert store.apply(0, None, FIRST)
        assert store.load({0: ALL}) == {0: Loaded(None, {}, [], [])}


def test_a_connection_lost_in_a_read_is_replaced(server: Server) -> None:
    cuts = iter([True, False, True])

    def fate(chunk: bytes) -> Fate:
        return "cut" if b"HMGET" in chunk and next(cuts, False) else "pass"

    with Proxy(server.port, fate) as proxy, store_on(settings_of(proxy.port)) as store:
        assert store.apply(0, None, FIRST)
        assert store.load({0: ALL}) == AFTER_FIRST
        assert store.load({0: ALL}) == AFTER_FIRST


@pytest.mark.parametrize("password", ["canary", "canary/kiwi#lime?plum:@%", "canäry ☃"])
def test_a_password_is_never_told(own_server: Server, password: str) -> None:
    with own_server.client() as client:
        client.execute_command("ACL SETUSER", "worker", "on", f">{password}", "~*", "+@all")
    with store_on(own_server.settings(f"worker:{quote(password, safe='')}")) as store:
        assert store.check()
        own_server.stop()
        with pytest.raises(StoreUnavailable) as unreachable:
            store.check()
        own_server.restart()
        with pytest.raises(StoreUnavailable, match=r"refuses user or password: mend redis\.url") as refused:
            store.check()
        for error in (unreachable, refused):
            told = "".join(traceback.format_exception(error.value)) + repr(store)
            assert not [piece for piece in re.split(r"\W+", password) if piece and piece in told]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:6379",
        "http://127.0.0.1",
        "redis://:half/other@127.0.0.1:6379",
        "redis://127.0.0.1:port",
        "redis://127.0.0.1?socket_keepalives=1",
        "redis://127.0.0.1?health_check_interval=often",
    ],
)
def test_a_url_that_cannot_be_read_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=r"redis\.url cannot be read: write redis://") as error:
        RedisStore(RedisSettings(url=SecretStr(url)))
    assert "half" not in "".join(traceback.format_exception(error.value))


def test_nothing_in_the_url_overrules_what_the_store_relies_on(server: Server) -> None:
    options = "decode_responses=yes&protocol=3&retry_on_timeout=yes&socket_timeout=77"
    settings = RedisSettings(url=SecretStr(f"redis://127.0.0.1:{server.port}/0?{options}"))
    with store_on(settings) as store:
        assert store.apply(0, None, FIRST)
        assert store.load({0: ALL}) == AFTER_FIRST


def test_customers_are_told_from_other_keys(server: Server) -> None:
    with server.client() as client, store_on(server.settings()) as store:
        assert store.apply(0, None, FIRST)
        store.publish_segments({"s1": b"{}"})
        client.set("segment:not-ours", "a string")
        client.hset("segmented:ann", "id", "s1")
        reader = RedisReader(server.settings())
        assert list(reader.customers()) == [(b"ann", {"id": "s1"})]
        reader.close()
