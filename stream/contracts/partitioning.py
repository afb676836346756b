"""Which partition a key belongs to: Kafka's Java default, murmur2 of the key modulo the partitions.

Other clients hash otherwise by default (librdkafka: CRC32): the customer would be on two partitions, twice.
"""

from __future__ import annotations

from functools import lru_cache
from struct import iter_unpack

_SEED = 0x9747B28C
_M = 0x5BD1E995
_32_BITS = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """32-bit MurmurHash2 (Appleby, 2008) as ``org.apache.kafka.common.utils.Utils.murmur2``, unsigned.

    >>> [hex(murmur2(key)) for key in (b"", b"21", b"foobar")]
    ['0x106e08d9', '0xc5f2f8ec', '0xd0e47bbe']
    """
    h = _SEED ^ len(data)
    whole = len(data) & ~3
    for (k,) in iter_unpack("<I", data[:whole]):
        k = k * _M & _32_BITS  # noqa: PLW2901  the reference's own words
        h = (h * _M & _32_BITS) ^ ((k ^ k >> 24) * _M & _32_BITS)
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _32_BITS
    h = (h ^ h >> 13) * _M & _32_BITS
    return h ^ h >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` in a topic of ``partitions``. Cached: customers come back, hashing is slow.

    >>> partition_of(b"foobar", 4)
    2
    """
    return (murmur2(key) & _POSITIVE) % partitions
