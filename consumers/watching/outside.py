"""What the page reads and writes with: the seams, made when somebody needs one, so that tests pass the twins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from consumers.clients import clients
from consumers.source import Tail
from producers.kafka_writer import KafkaWriter
from producers.writer import Writer
from stream.settings import Tree
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader


@dataclass(frozen=True)
class Outside:
    """Factories: an instance belongs to one thread."""

    reader: Callable[[], Reader]
    tail: Callable[[], Tail]
    writer: Callable[[], Writer]
    now_seconds: Callable[[], float]


def kafka_and_redis(settings: Tree) -> Outside:
    """As the settings say."""
    client = clients(settings.kafka)
    return Outside(
        reader=lambda: RedisReader(settings.redis),
        tail=lambda: client.tail(settings.kafka),
        writer=lambda: KafkaWriter(settings.kafka),
        now_seconds=time.time,
    )
