"""What the doctor looks at, as plain data, and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from consumers.topics import Topic
from stream.settings import Tree
from stream.view.journal import Mark

Result = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One judgement. ``mend`` says what to do about it; empty where nothing is to be done."""

    check: str
    result: Result
    says: str
    mend: str = ""


@dataclass(frozen=True)
class KeySample:
    """Some of the newest records of the input topic."""

    records: int = 0
    keyless: int = 0
    misplaced: int = 0
    """Records in another partition than murmur2 of their key says."""


@dataclass(frozen=True)
class PartitionFacts:
    """One input partition, in the journal and in the store. Times are the wall clock of the records."""

    journal_first: int = 0
    """First offset of the journal that the broker still has."""
    written: Mark | None = None
    """Of the newest whole batch in the journal; ``None`` while the journal is empty."""
    written_at_ms: int = 0
    floor_at_ms: int = 0
    """When the oldest journal record that a restore needs was written."""
    applied: Mark | None = None
    """The watermark in the store."""
    status: str | None = None
    """What the workers say they are doing to the partition."""


@dataclass(frozen=True)
class ModelFacts:
    """The newest snapshot on the model topic."""

    version: int
    kind: str
    features_id: str
    published_at_ms: int


@dataclass(frozen=True)
class Facts:
    """Everything the checks read. What could not be asked is missing, and the error says why."""

    settings: Tree
    features_id: str
    """Of the declarations in the settings."""
    now_ms: int
    broker_error: str | None = None
    topics: Mapping[str, Topic] = field(default_factory=dict)
    """Those that exist."""
    keys: KeySample = KeySample()
    partitions: Mapping[int, PartitionFacts] = field(default_factory=dict)
    model: ModelFacts | None = None
    learnt_at_ms: int | None = None
    """When the newest learning record was written."""
    store: str | None = None
    """Name and version of the server."""
    store_error: str | None = None
