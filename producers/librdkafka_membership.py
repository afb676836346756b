"""A membership as librdkafka writes it: the opaque bytes between its consumer and its producer.

The format is librdkafka's own and may change with it, so its consumer's bytes are accepted only if they are the same
when written again: a client that was upgraded stops at its first poll instead of losing its fence.
"""

from __future__ import annotations

import struct

from producers.sink import Membership
from stream.errors import SettingsError

_MAGIC = b"CGMDv2:"
_GENERATION = struct.Struct("=i")


def read_membership(metadata: bytes) -> Membership:
    """What ``Consumer.consumer_group_metadata()`` says. Raises ``SettingsError`` if it is not understood.

    >>> read_membership(bytes_of(Membership("shop", 4, "member-1"))).generation
    4
    """
    try:
        membership = _parsed(metadata)
    except (ValueError, struct.error):
        membership = None
    if membership is None or bytes_of(membership) != metadata:
        raise SettingsError("kafka.client = 'librdkafka': not a confluent-kafka that segstream[librdkafka] allows")
    return membership


def bytes_of(membership: Membership) -> bytes:
    """What ``Producer.send_offsets_to_transaction`` takes."""
    named = b"\x01" if membership.instance is None else b"\x00" + _terminated(membership.instance)
    generation = _GENERATION.pack(membership.generation)
    return _MAGIC + generation + _terminated(membership.group) + _terminated(membership.member) + named


def _parsed(metadata: bytes) -> Membership:
    (generation,) = _GENERATION.unpack_from(metadata, len(_MAGIC))
    group, member, named = metadata[len(_MAGIC) + _GENERATION.size :].split(b"\0", 2)
    instance = None if named == b"\x01" else named[1:-1].decode()
    return Membership(group.decode(), generation, member.decode(), instance)


def _terminated(word: str) -> bytes:
    return word.encode() + b"\0"
