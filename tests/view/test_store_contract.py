"""The contract of the store and its reader, over every implementation."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from stream.view.store import Loaded, Store, Update, Wanted
from tests.view.conftest import View

HASH = {"id": "s3", "name": "frequent, high spend", "status": "ready", "version": "4", "provisional": ""}
ODD_IDS = [
    b"a b\r\n$3\r\nfoo\r\n",
    "Zoë Ångström 🛒".encode(),
    b"\x00",
    b"\xff\xfe",
    b"-",
    b"+",
    b"(ann",
    b"[ann",
    b"*?{ann}",
    b"segment:ann",
    b"x" * 1000,
]


def everything_about(customer: bytes, watermark: bytes = b"1") -> Update:
    """An update that writes every kind of key."""
    return Update(
        watermark,
        states={customer: b"state\x00\xff"},
        deadlines={customer: 100},
        hashes={customer: HASH},
        documents={customer: b'{"orders": 2.5}'},
    )


def loaded(watermark: bytes | None, states: dict[bytes, bytes]) -> Loaded:
    """What is loaded when nobody was due or swept."""
    return Loaded(watermark, states, [], [])


def everyone(store: Store, partition: int = 0) -> Loaded:
    """All that ``load`` can tell of a small partition."""
    wanted = Wanted([], due_before_ms=2**53, due_limit=1000, sweep_limit=1000)
    return store.load({partition: wanted})[partition]


def test_an_empty_store_knows_nothing(view: View) -> None:
    assert view.store.load({0: Wanted([b"ann"]), 7: Wanted([])}) == {0: loaded(None, {}), 7: loaded(None, {})}
    assert view.store.load({}) == {}
    assert everyone(view.store) == loaded(None, {})
    assert view.reader.segment(b"ann") is None
    assert view.reader.features(b"ann") is None
    assert view.reader.segments() == {}
    assert list(view.reader.customers()) == []
    assert view.reader.state(0, b"ann") is None
    assert list(view.reader.states(0)) == []
    assert view.reader.watermark(0) is None
    assert view.reader.status(0) is None


def test_what_is_applied_is_loaded_and_read(view: View) -> None:
    assert view.store.apply(0, None, everything_about(b"ann"))
    states = {b"ann": b"state\x00\xff"}
    assert view.other.load({0: Wanted([b"bob", b"ann", b"ann"])}) == {0: loaded(b"1", states)}
    assert everyone(view.store) == Loaded(b"1", states, [b"ann"], [b"ann"])
    assert view.reader.segment(b"ann") == HASH
    assert view.reader.features(b"ann") == {"orders": 2.5}
    assert list(view.reader.customers()) == [(b"ann", HASH)]
    assert view.reader.state(0, b"ann") == b"state\x00\xff"
    assert list(view.reader.states(0)) == [(b"ann", b"state\x00\xff")]
    assert view.reader.watermark(0) == b"1"


def test_partitions_are_apart_and_load_together(view: View) -> None:
    names = {p: [b"%d-%d" % (p, i) for i in range(3)] for p in range(5)}
    for p, customers in names.items():
        states = dict.fromkeys(customers, b"%d" % p)
        assert view.store.apply(p, None, Update(b"w%d" % p, states, {customers[0]: p}))
    found = view.store.load({p: Wanted([customers[2]], p + 1, 1, customers[0], 1) for p, customers in names.items()})
    for p, customers in names.items():
        states = dict.fromkeys(customers, b"%d" % p)
        assert found[p] == Loaded(b"w%d" % p, states, [customers[0]], [customers[1]])


@pytest.mark.parametrize("expected", [None, b"", b"0", b"1 "])
def test_a_stale_watermark_is_refused_and_changes_nothing(view: View, expected: bytes | None) -> None:
    assert view.store.apply(0, None, everything_about(b"ann"))
    before = everyone(view.store)
    refused = Update(
        b"2", {b"ann": b"x", b"bob": b"x"}, {b"ann": None}, {b"ann": None}, {b"ann": None}, forgotten=[b"ann"]
    )
    assert not view.store.apply(0, expected, refused)
    assert everyone(view.store) == before
    assert view.reader.segment(b"ann") == HASH
    assert view.reader.features(b"ann") is not None
    assert view.store.apply(0, b"1", refused), "and the connection that was refused is good again"


def test_of_two_competing_writers_exactly_one_wins(view: View) -> None:
    expected: bytes | None = None
    start = Barrier(2)

    def write(store: Store, watermark: bytes) -> bool:
        start.wait()
        update = Update(watermark, {b"ann": watermark}, hashes={b"ann": {"by": watermark.decode()}})
        return store.apply(0, expected, update)

    with ThreadPoolExecutor(2) as pool:
        for round_ in range(30):
            marks = [b"%d-mine" % round_, b"%d-theirs" % round_]
            won = list(pool.map(write, (view.store, view.other), marks))
            assert sorted(won) == [False, True]
            expected = marks[won.index(True)]
            assert view.store.load({0: Wanted([b"ann"])})[0] == loaded(expected, {b"ann": expected})
            assert view.reader.segment(b"ann") == {"by": expected.decode()}


def test_applying_twice_is_applying_once(view: View) -> None:
    update = everything_about(b"ann")
    assert view.store.apply(0, None, update)
    once = everyone(view.store), view.reader.segment(b"ann"), view.reader.features(b"ann")
    assert not view.store.apply(0, None, update)
    assert view.store.apply(0, b"1", update)
    assert (everyone(view.store), view.reader.segment(b"ann"), view.reader.features(b"ann")) == once


def test_the_sweep_covers_everybody_in_name_order_while_customers_come(view: View) -> None:
    there = [b"%03d" % (i * 37 % 500) for i in range(500)]
    assert view.store.apply(0, None, Update(b"0", dict.fromkeys(there, b"old")))
    swept: list[bytes] = []
    page: Sequence[bytes] = [b""]
    while page:
        after = swept[-1] if swept else b""
        found = view.store.load({0: Wanted([], sweep_after=after, sweep_limit=7)})[0]
        page = found.sweep
        assert list(found.states) == page
        swept += page
        assert found.watermark is not None
        turn = int(found.watermark) + 1
        newcomers = {b"%03d+%d" % (turn * 61 % 500, turn): b"new"}
        assert view.store.apply(0, found.watermark, Update(b"%d" % turn, newcomers))
    assert swept == sorted(set(swept))
    assert set(there) <= set(swept)


def test_customers_are_due_in_order_of_deadline_then_name(view: View) -> None:
    deadlines = {b"eve": 30, b"dan": 10, b"bob": 20, b"ann": 20, b"old": -5, b"gone": 1}
    assert view.store.apply(0, None, Update(b"1", dict.fromkeys(deadlines, b""), deadlines))
    assert view.store.apply(0, b"1", Update(b"2", deadlines={b"gone": None, b"never": None, b"old": -(2**52)}))

    def due(before_ms: int | None, limit: int) -> Sequence[bytes]:
        return view.store.load({0: Wanted([], due_before_ms=before_ms, due_limit=limit)})[0].due

    assert due(31, 10) == [b"old", b"dan", b"ann", b"bob", b"eve"]
    assert due(30, 10) == [b"old", b"dan", b"ann", b"bob"], "before, not at"
    assert due(31, 3) == [b"old", b"dan", b"ann"]
    assert due(-(2**52), 10) == due(31, 0) == due(None, 10) == []


def test_due_and_swept_customers_bring_their_states(view: View) -> None:
    update = Update(b"1", {b"ann": b"a", b"bob": b"b", b"cat": b"c", b"dan": b"d"}, {b"dan": 5, b"stray": 1})
    assert view.store.apply(0, None, update)
    found = view.store.load({0: Wanted([b"ann"], 6, 10, b"ann", 1)})[0]
    assert found == Loaded(b"1", {b"ann": b"a", b"dan": b"d", b"bob": b"b"}, [b"stray", b"dan"], [b"bob"])


def test_wipe_removes_what_is_private_of_one_partition(view: View) -> None:
    for partition in (0, 1):
        assert view.store.apply(partition, None, everything_about(b"ann"))
    view.store.publish_status(0, "restoring")
    view.store.wipe(0)
    view.store.wipe(0)
    assert everyone(view.store, 0) == loaded(None, {})
    assert everyone(view.store, 1).watermark == b"1"
    assert view.reader.segment(b"ann") == HASH
    assert view.reader.features(b"ann") is not None
    assert view.reader.status(0) == "restoring"
    assert view.store.apply(0, None, everything_about(b"bob"))


def test_a_replaced_hash_keeps_no_field_of_the_old_one(view: View) -> None:
    assert view.store.apply(0, None, Update(b"1", hashes={b"ann": {"id": "s1", "previous": "s2"}, b"bob": HASH}))
    assert view.store.apply(0, b"1", Update(b"2", hashes={b"ann": {"id": "", "status": "cold"}, b"bob": {}}))
    assert view.reader.segment(b"ann") == {"id": "", "status": "cold"}
    assert view.reader.segment(b"bob") is None
    assert view.store.apply(0, b"2", Update(b"3", hashes={b"ann": None, b"never": None}))
    assert view.reader.segment(b"ann") is None


def test_documents_are_replaced_and_removed(view: View) -> None:
    assert view.store.apply(0, None, Update(b"1", documents={b"ann": b"{}", b"bob": b"{}"}))
    assert view.store.apply(0, b"1", Update(b"2", documents={b"ann": b'{"a": 1}', b"bob": None, b"never": None}))
    assert view.reader.features(b"ann") == {"a": 1}
    assert view.reader.features(b"bob") is None


def test_the_forgotten_lose_all_their_keys_even_those_written_with_it(view: View) -> None:
    assert view.store.apply(0, None, everything_about(b"ann"))
    both = everything_about(b"bob", b"2")
    forgetting = Update(b"2", both.states, both.deadlines, both.hashes, both.documents, [b"ann", b"bob", b"never"])
    assert view.store.apply(0, b"1", forgetting)
    assert everyone(view.store) == loaded(b"2", {})
    assert list(view.reader.customers()) == []
    for customer in (b"ann", b"bob"):
        assert view.reader.features(customer) is None
        assert view.reader.state(0, customer) is None


def test_an_id_is_any_bytes(view: View) -> None:
    watermark: bytes | None = None
    for i, customer in enumerate(ODD_IDS):
        assert view.store.apply(0, watermark, everything_about(customer, b"%d" % i))
        watermark = b"%d" % i
    assert sorted(everyone(view.store).states) == sorted(ODD_IDS)
    assert everyone(view.store).sweep == sorted(ODD_IDS)
    assert sorted(view.reader.customers()) == sorted((customer, HASH) for customer in ODD_IDS)
    for customer in ODD_IDS:
        assert view.reader.features(customer) == {"orders": 2.5}
        assert view.store.load({0: Wanted([], sweep_after=customer, sweep_limit=99)})[0].sweep == [
            later for later in sorted(ODD_IDS) if later > customer
        ]
    assert view.store.apply(0, watermark, Update(b"end", forgotten=ODD_IDS))
    assert everyone(view.store) == loaded(b"end", {})


def test_segments_are_replaced_as_a_whole(view: View) -> None:
    view.store.publish_segments({"s1": b'{"name": "rare"}', "s2": b"{}"})
    view.store.publish_segments({"s2": b'{"name": "frequent"}', "s3": b"{}"})
    assert view.reader.segments() == {"s2": {"name": "frequent"}, "s3": {}}
    view.store.publish_segments({})
    assert view.reader.segments() == {}


def test_a_status_is_said_and_taken_back(view: View) -> None:
    view.store.publish_status(3, "restoring: 12 of 50 records")
    assert view.reader.status(3) == "restoring: 12 of 50 records"
    view.store.publish_status(3, None)
    assert view.reader.status(3) is None


def test_listings_of_many_pages_have_everybody_once(view: View) -> None:
    names = [b"%05d" % i for i in range(2500)]
    hashes = {c: {"id": f"s{i % 3}"} for i, c in enumerate(names)}
    assert view.store.apply(0, None, Update(b"1", {c: c for c in reversed(names)}, hashes=hashes))
    assert list(view.reader.states(0)) == [(c, c) for c in names]
    assert sorted(view.reader.customers()) == sorted(hashes.items())
    assert sorted(view.reader.customers("s1")) == [(c, h) for c, h in hashes.items() if h["id"] == "s1"]
    assert list(view.reader.customers("s9")) == []


def test_an_update_may_be_large(view: View) -> None:
    """A restore writes many batches at once."""
    names = [b"%05d" % i for i in range(50_000)]
    states = {c: c * 70 for c in names}
    assert view.store.apply(0, None, Update(b"1", states, dict.fromkeys(names, 5)))
    found = view.store.load({0: Wanted([], 6, 100_000, b"", 100_000)})[0]
    assert found == Loaded(b"1", states, names, names)


def test_a_restarted_server_knows_nobody(view: View) -> None:
    assert view.store.apply(0, None, everything_about(b"ann"))
    view.restart()
    assert everyone(view.store) == loaded(None, {})
    assert view.reader.segment(b"ann") is None
