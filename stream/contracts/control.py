"""What operators tell the workers, through the control topic: hold, or go on. Internal, not part of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from stream.contracts.wire import Time, Wire, published

KEY = b"workers"
"""The only key: compaction keeps the newest command, which is the one that counts."""
MAX_REASON = 200
"""Characters of a reason."""


@published
@dataclass(frozen=True, slots=True)
class Control:
    """One command to all workers. The newest one holds until there is another, across restarts."""

    paused: bool
    reason: Annotated[str, Field(max_length=MAX_REASON)]
    """In the operator's words; empty if there are none."""
    at: Time
    """Wall clock of whoever said it."""


CONTROL = Wire(Control)
encode_control = CONTROL.encode
decode_control = CONTROL.decode
