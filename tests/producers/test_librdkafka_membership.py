from __future__ import annotations

import pytest
from confluent_kafka import Consumer

from producers.librdkafka_membership import bytes_of, read_membership
from producers.sink import Membership
from stream.errors import SettingsError


@pytest.mark.parametrize(
    "membership",
    [
        Membership("shop", 0, "rdkafka-1"),
        Membership("shop", 2**31 - 1, "rdkafka-1", "slot-0"),
        Membership("läden", -1, "", "slot-0"),
    ],
)
def test_what_is_written_is_read(membership: Membership) -> None:
    assert read_membership(bytes_of(membership)) == membership


@pytest.mark.parametrize("instance", [None, "slot-0"])
def test_a_consumer_that_has_not_joined_is_nobody(instance: str | None) -> None:
    """Fact: these are the bytes of the librdkafka that is installed."""
    config = {"bootstrap.servers": "127.0.0.1:1", "group.id": "shop", "log_level": 0}
    consumer = Consumer(config if instance is None else config | {"group.instance.id": instance})
    assert read_membership(consumer.consumer_group_metadata()) == Membership("shop", -1, "", instance)
    consumer.close()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"CGMDv3:" + bytes_of(Membership("shop", 1, "m"))[7:],
        bytes_of(Membership("shop", 1, "m"))[:-1],
        bytes_of(Membership("shop", 1, "m")) + b"\0",
        bytes_of(Membership("shop", 1, "m", "i"))[:-1],
        bytes_of(Membership("shop", 1, "m")).replace(b"shop", b"sh\xff\xfe"),
    ],
)
def test_other_bytes_are_never_guessed_around(damaged: bytes) -> None:
    with pytest.raises(SettingsError, match="confluent-kafka"):
        read_membership(damaged)
