"""The report: what was done to the service, how often, and whether it stood it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row of the fault matrix."""

    row: int | str
    fault: str
    runs: int
    """How often the fault was seen to happen."""
    passed: bool | None
    """``None``: not run here; the note says why."""
    note: str = ""


@dataclass
class Report:
    """All of it."""

    client: str
    broker: str
    rows: list[Row] = field(default_factory=list)
    soak: dict[str, Any] | None = None
    takeover_seconds: dict[str, Any] | None = None
    restore: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As printed."""
        return asdict(self)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(row.passed is not False for row in self.rows)
