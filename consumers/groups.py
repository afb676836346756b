"""Consumer groups as the broker knows them: whether anybody is in one."""

from __future__ import annotations

from kafka.errors import GroupIdNotFoundError

from producers.kafka_client import administrating
from stream.errors import BrokerUnavailable
from stream.settings import KafkaSettings


def members(kafka: KafkaSettings, group: str) -> int:
    """How many members ``group`` has; 0 if there is no such group. Raises ``BrokerUnavailable``.

    A member that was killed counts until its session has timed out.
    """
    with administrating(kafka, f"describe group '{group}'") as admin:
        try:
            told = admin.describe_groups([group])[group]
        except ValueError as error:  # kafka-python 3.0.12 asks for our rights, and reads only those it knows
            raise BrokerUnavailable(f"cannot describe group '{group}': {error}") from error
    refusal = told["error"]
    if refusal is not None and GroupIdNotFoundError.__name__ not in refusal:
        raise BrokerUnavailable(f"cannot describe group '{group}': {refusal}")
    return len(told["members"])
