"""The journal: every committed state, packed a batch at a time, each record chained to the one before.

A record of partition P says: the input from offset ``start`` to ``next`` led to these states. Together with its own
offset its head is the partition's watermark. Following the chain from a watermark until its ``sequence`` is the one
committed beside the input offset brings the store up to date; nothing but Kafka is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stream.customer.features import NEVER
from stream.customer.state import SCHEMA
from stream.errors import BadRecord
from stream.packing import pack, unpack

PART_BYTES = 512 * 1024
"""A record is cut into parts of at most this many bytes of states, before compression."""
NOTHING = -1
"""Journal offset before the first record."""


@dataclass(frozen=True)
class Mark:
    """Where a partition stands. As JSON it is the watermark in the store; without ``journal``, the head of a record."""

    topic_id: str
    """Of the input topic, so that a recreated topic is noticed."""
    partitions: int
    """Of the input topic, so that a changed count is noticed."""
    features_id: str
    next: int
    """First input offset not yet processed."""
    sequence: int = 0
    """Batches of this partition so far. Committed as the note beside ``next``: where the chain ends, to the batch, for
    timers and sweeps commit batches that do not move ``next``."""
    journal: int = NOTHING
    """Offset of the newest journal record that the store has."""
    now_ms: int = NEVER
    newest_event_ms: int = NEVER
    """Time of the newest event: on a live stream ``now`` goes on without events, but only so far (``idle_cap``)."""
    claims: Mapping[str, int] = field(default_factory=dict)
    model_version: int = 0
    floor: int = 0
    """Journal offset where the last finished sweep began: every live customer has been written again since."""
    sweep_began: int = 0
    sweep_after: str = ""
    """The sweep goes in name order; this is the last name it wrote."""
    sweep_count: int = 0
    """Customers written by the running sweep."""
    customers: int = 0
    """Customers counted by the last finished sweep."""
    sweep_epoch: int = 0
    """Structure of the model when the running sweep began ..."""
    swept_epoch: int = 0
    """... and when the last finished one did."""
    journal_id: str = ""
    """Of the journal topic, so that a recreated one is noticed; empty where nobody knew."""
    schema: int = SCHEMA

    def to_bytes(self) -> bytes:
        """The watermark."""
        return json.dumps(vars(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, watermark: bytes) -> Mark:
        """Read a watermark. Raises ``BadRecord``."""
        try:
            return cls.of_fields(json.loads(watermark), "watermark")
        except (ValueError, TypeError) as error:
            raise BadRecord(f"not a watermark: {error}") from error

    @classmethod
    def of_fields(cls, fields: Mapping[str, Any], what: str) -> Mark:
        """From its fields. Another schema, whose fields may be others, is refused by its name: ``BadRecord``."""
        schema = dict(fields).get("schema")
        if isinstance(schema, int) and schema != SCHEMA:
            raise BadRecord(f"{what} of schema {schema}, this version reads {SCHEMA}")
        return cls(**fields)


@dataclass(frozen=True)
class JournalPart:
    """One record of the journal."""

    mark: Mark
    """As of the end of the batch; ``mark.journal`` is not known to the record itself and is ``NOTHING``."""
    start: int
    """First input offset of the batch."""
    previous: int
    """Offset of the last part of the batch before, ``NOTHING`` at the start of the chain."""
    part: int
    parts: int
    states: Mapping[str, bytes]

    @property
    def is_last(self) -> bool:
        """Whether the batch is complete with this part."""
        return self.part == self.parts - 1

    def pack(self) -> bytes:
        """The record."""
        blobs = list(self.states.values())
        head = {
            "mark": {k: v for k, v in vars(self.mark).items() if k != "journal"},
            "start": self.start,
            "previous": self.previous,
            "part": self.part,
            "parts": self.parts,
            "customers": list(self.states),
        }
        lengths = np.array([len(b) for b in blobs], dtype=np.int32)
        return pack(head, {"lengths": lengths, "states": np.frombuffer(b"".join(blobs), dtype=np.uint8)})

    @classmethod
    def unpack(cls, record: bytes) -> JournalPart:
        """Read a record. Raises ``BadRecord``."""
        head, arrays = unpack(record)
        try:
            ends = np.cumsum(arrays["lengths"]).tolist()
            plain = arrays["states"].tobytes()
            blobs = [plain[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            states = dict(zip(head["customers"], blobs, strict=True))
            mark = Mark.of_fields(head["mark"], "journal record")
            return cls(mark, head["start"], head["previous"], head["part"], head["parts"], states)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRecord(f"not a journal record: {error}") from error


def parts_of(mark: Mark, start: int, previous: int, states: Mapping[str, bytes]) -> list[JournalPart]:
    """Cut one batch into records. There is always at least one: a commit without one would break the chain."""
    slices = list(_slices(list(states.items()))) or [[]]
    head = replace(mark, journal=NOTHING)
    return [JournalPart(head, start, previous, i, len(slices), dict(s)) for i, s in enumerate(slices)]


def _slices(items: Sequence[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    held: list[tuple[str, bytes]] = []
    size = 0
    for item in items:
        if held and size + len(item[1]) > PART_BYTES:
            yield held
            held, size = [], 0
        held.append(item)
        size += len(item[1])
    if held:
        yield held
