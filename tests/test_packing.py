"""The record format: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis.extra import numpy as hnp

from stream.errors import BadRecord
from stream.packing import MAGIC, MAX_BYTES, Arrays, pack, unpack

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
HEADS = st.dictionaries(KEYS, JSON, max_size=4)
DTYPES = hnp.integer_dtypes(endianness="?") | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes(sizes=(32, 64))
ARRAYS = st.dictionaries(KEYS, hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)), max_size=3)
RECORD = pack({"next": 7, "now": None}, {"y": np.arange(12, dtype=np.int16).reshape(3, 4), "n": np.zeros(0)})


def sealed(body: bytes) -> bytes:
    """A record whose hash is right, whatever is in it."""
    return MAGIC + hashlib.blake2b(body, digest_size=16).digest() + body


def framed(front: bytes, rest: bytes = b"") -> bytes:
    """A record that is sealed and decompresses well, with any front."""
    return sealed(zstandard.ZstdCompressor().compress(len(front).to_bytes(4, "little") + front + rest))


@given(HEADS, ARRAYS)
def test_what_goes_in_comes_out(head: dict[str, Any], arrays: Arrays) -> None:
    got_head, got = unpack(pack(head, arrays))
    assert got_head == head
    assert list(got) == list(arrays)
    for name, array in arrays.items():
        assert got[name].dtype == array.dtype.newbyteorder("=")
        assert got[name].dtype.isnative
        np.testing.assert_array_equal(got[name], array)
        assert got[name].shape == array.shape
        assert got[name].flags.writeable


@given(HEADS, ARRAYS)
def test_the_same_gives_the_same_bytes(head: dict[str, Any], arrays: Arrays) -> None:
    laid_out_otherwise = {name: a.copy(order="F").astype(a.dtype.newbyteorder()) for name, a in arrays.items()}
    assert pack(head, laid_out_otherwise) == pack(head, arrays)


@given(st.integers(0, len(RECORD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(at: int, flip: int) -> None:
    damaged = bytearray(RECORD)
    damaged[at] ^= flip
    with pytest.raises(BadRecord):
        unpack(bytes(damaged))


@given(st.integers(0, len(RECORD) - 1))
def test_a_cut_record_is_found(length: int) -> None:
    with pytest.raises(BadRecord):
        unpack(RECORD[:length])


@given(st.binary(max_size=200))
def test_noise_is_a_bad_record_even_when_its_hash_is_right(noise: bytes) -> None:
    for record in (
        noise,
        MAGIC + noise,
        sealed(noise),
        framed(noise),
        framed(b'{"head":{},"arrays":' + noise),
    ):
        with pytest.raises(BadRecord):
            unpack(record)


@given(JSON, JSON, st.binary(max_size=40))
def test_any_front_unpacks_to_plain_data_or_is_a_bad_record(head: object, arrays: object, rest: bytes) -> None:
    try:
        got_head, got = unpack(framed(json.dumps({"head": head, "arrays": arrays}).encode(), rest))
    except BadRecord:
        return
    assert isinstance(got_head, dict)
    assert isinstance(got, dict)


@pytest.mark.parametrize(
    "shapes",
    [
        [1],
        {"a": 1},
        {"a": ["object", [1]]},
        {"a": ["O", [1]]},
        {"a": ["S8", [1]]},
        {"a": ["V8", [1]]},
        {"a": [["int8"], [1]]},
        {"a": ["int8", [-1]]},
        {"a": ["int8", [-2, -4]]},
        {"a": ["int8", ["8"]]},
        {"a": ["int8", [1.0]]},
        {"a": ["int8", [9]]},
        {"a": ["int8", [10**30]]},
        {"a": ["int64", [2**62]]},
    ],
)
def test_arrays_that_pack_does_not_write_are_refused(shapes: object) -> None:
    with pytest.raises(BadRecord):
        unpack(framed(json.dumps({"head": {}, "arrays": shapes}).encode(), b"x" * 8))


@pytest.mark.parametrize(
    "front", [b"[" * 100_000, b'{"head":' + b"[" * 100_000, b"1", b"[]", b'{"head":1,"arrays":{}}']
)
def test_fronts_that_pack_does_not_write_are_refused(front: bytes) -> None:
    with pytest.raises(BadRecord):
        unpack(framed(front))


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    run_of_zeros = bytes([0b011, 0, 16, 0])  # the last block, run-length encoded: 2^17 times one byte
    says_one_tebibyte = b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little") + run_of_zeros
    with pytest.raises(BadRecord, match="more than"):
        unpack(sealed(says_one_tebibyte))


def test_a_frame_that_does_not_tell_its_size_is_refused() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    chunks = [stream.compress(bytes(1 << 20)) for _ in range(MAX_BYTES >> 20)]
    with pytest.raises(BadRecord, match="more than"):
        unpack(sealed(b"".join([*chunks, stream.flush()])))


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.array([b"a"]), np.array([1j]), np.array([True])])
def test_only_plain_numbers_are_packed(array: Arrays) -> None:
    with pytest.raises(TypeError, match="not plain data"):
        pack({}, {"a": array})  # type: ignore[dict-item]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_head_is_strict_json(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"margin": number})
