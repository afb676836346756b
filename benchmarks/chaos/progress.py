"""How far the service is, as any reader sees it: what is committed to the journal and to the model topic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from kafka import KafkaConsumer, TopicPartition

from stream.settings import Tree
from stream.view.journal import JournalPart, Mark
from stream.view.reader import Reader


class Progress:
    """Follows the journal and the model topic as they are committed (read_committed).

    ``sent``: how many records were written to the input so far.
    """

    def __init__(self, settings: Tree, sent: Callable[[], int]) -> None:
        topics = settings.topics
        self._sent = sent
        self.marks: dict[int, Mark] = {}
        self._journal = [TopicPartition(topics.journal, p) for p in range(topics.partitions)]
        self._model = TopicPartition(topics.model, 0)
        # One consumer for all of them: a KafkaTail reads one partition at a time.
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            reconnect_backoff_max_ms=1000,
        )
        self._consumer.assign([*self._journal, self._model])
        self.batches = 0
        self.models = 0

    @property
    def left(self) -> int:
        """Input records that no committed batch has processed."""
        return self._sent() - sum(mark.next for mark in self.marks.values())

    def is_shown(self, reader: Reader) -> bool:
        """Whether the store is where the journal is."""
        return all(reader.watermark(p) == mark.to_bytes() for p, mark in self.marks.items())

    def __str__(self) -> str:
        return f"{self.left} records left after {self.batches} batches and {self.models} models"

    def look(self) -> Self:
        """Read on, a tenth of a second at most."""
        found = self._consumer.poll(timeout_ms=100, max_records=10_000)
        self.models += len(found.get(self._model, ()))
        for at in self._journal:
            for record in found.get(at, ()):
                part = JournalPart.unpack(record.value)
                self.batches += part.is_last
                self.marks[at.partition] = replace(part.mark, journal=record.offset)
        return self

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
