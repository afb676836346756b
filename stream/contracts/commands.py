"""What analysts tell the model owner. Internal, not part of the contract.

Commands go through the learning topic, in order with everything that is learnt: whoever is owner obeys each of them
once, and a snapshot that includes the rows before a command includes what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from stream.contracts.wire import Time, Wire, published

KEY = b"command"
"""Of a command on the learning topic; rows have no key."""
MAX_NAME_BYTES = 60
"""Of a segment's name, in UTF-8: it is shown in tables and messages."""

MAX_SPEAKER = 80
"""Characters of who says it."""

Deed = Literal["accept", "reject", "rollback", "rename", "pin", "unpin", "merge"]


@published
@dataclass(frozen=True, slots=True)
class Command:
    """One thing an analyst wants. ``accept`` and ``reject`` a proposal, ``rollback`` to a model: by ``version``;
    ``rename``, ``pin`` and ``unpin`` a segment: by ``segment``, its number. ``merge`` it ``into`` another one.
    """

    deed: Deed
    at: Time
    """Wall clock of whoever said it."""
    by: Annotated[str, Field(max_length=MAX_SPEAKER)] = ""
    """Who said it."""
    version: Annotated[int, Field(ge=1)] | None = None
    segment: Annotated[int, Field(ge=1)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_BYTES)] | None = None
    into: Annotated[int, Field(ge=1)] | None = None


COMMAND = Wire(Command)
encode_command = COMMAND.encode
decode_command = COMMAND.decode
