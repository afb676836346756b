"""The one format of internal records: a little JSON and some arrays, hashed and compressed. Data only, never pickle.

    magic "SG" | format 1 byte | blake2b-128 of the rest | zstd( length of head, 4 bytes | head JSON | arrays )

Arrays are little-endian and row-major, so a record reads the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from stream.errors import BadRecord

MAGIC = b"SG\x01"
MAX_BYTES = 256 * 1024 * 1024
"""What a record may unpack to: a guard against a record that is a bomb."""
_DIGEST_BYTES = 16
_PLAIN = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"}

Arrays = dict[str, NDArray[Any]]


def pack(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """One record.

    >>> head, arrays = unpack(pack({"next": 7}, {"n": np.arange(3)}))
    >>> head["next"], arrays["n"].tolist()
    (7, [0, 1, 2])
    """
    shapes, chunks = {}, []
    for name, array in (arrays or {}).items():
        if array.dtype.name not in _PLAIN:
            raise TypeError(f"array '{name}' is {array.dtype.name}, which is not plain data")
        shapes[name] = [array.dtype.name, list(array.shape)]
        chunks.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    front = json.dumps({"head": head, "arrays": shapes}, allow_nan=False, separators=(",", ":")).encode()
    body = zstandard.ZstdCompressor(level=1).compress(len(front).to_bytes(4, "little") + front + b"".join(chunks))
    return MAGIC + hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() + body


def unpack(record: bytes) -> tuple[dict[str, Any], Arrays]:
    """Head and arrays of a record. Raises ``BadRecord`` for anything that ``pack`` did not write."""
    start = len(MAGIC) + _DIGEST_BYTES
    body = record[start:]
    if record[: len(MAGIC)] != MAGIC:
        raise BadRecord("not a segstream record, or of another format")
    if hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() != record[len(MAGIC) : start]:
        raise BadRecord("hash does not match: the record is damaged")
    try:
        # The decompressor believes the frame about its size, whatever max_output_size says; -1 is "not told".
        if not 0 <= zstandard.frame_content_size(body) <= MAX_BYTES:
            raise BadRecord(f"record would unpack to more than {MAX_BYTES} bytes")
        plain = zstandard.ZstdDecompressor().decompress(body)
        size = int.from_bytes(plain[:4], "little")
        front = json.loads(plain[4 : 4 + size])
        return dict(front["head"]), _arrays(dict(front["arrays"]), plain, 4 + size)
    except (zstandard.ZstdError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise BadRecord(f"record does not unpack: {error}") from error


def _arrays(shapes: Mapping[str, Any], plain: bytes, at: int) -> Arrays:
    arrays: Arrays = {}
    for name, (dtype, shape) in shapes.items():
        if dtype not in _PLAIN or min(shape, default=0) < 0:
            raise BadRecord(f"array '{name}' is not plain data")
        count = math.prod(shape)
        little = np.frombuffer(plain, np.dtype(dtype).newbyteorder("<"), count, at)
        arrays[name] = little.reshape(shape).astype(dtype)
        at += count * arrays[name].itemsize
    return arrays
