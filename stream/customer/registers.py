"""Registers: what people said of a customer, last write wins; and as JSON beside the packed row.

Joining two of them is commutative, so order, lateness and merging do not matter to what is known in the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from stream.contracts.events import Override
from stream.errors import BadRecord

V = TypeVar("V")


@dataclass(frozen=True)
class Register(Generic[V]):
    """A last-write-wins value; the larger (time, event id) wins, so merging is commutative."""

    value: V
    at_ms: int
    event_id: str

    def newer(self, other: Register[V] | None) -> Register[V]:
        """The winner of two writes."""
        if other is None or (self.at_ms, self.event_id) >= (other.at_ms, other.event_id):
            return self
        return other


ATTRIBUTES_KEPT = 100
"""Attributes of one customer: the newest. A name for each campaign would let a state grow until no journal record holds
it, and the partition stood still.
"""

Attributes = Mapping[str, Register[str | int | float | bool]]
Word = Register[Override]
"""An analyst's last word, which may have been that the customer is let go."""


@dataclass(frozen=True)
class Registers:
    """All that was said of one customer."""

    attributes: Attributes = field(default_factory=dict)
    """By name."""
    override: Word | None = None

    def told(self, attributes: Attributes) -> Registers:
        """With these too: of each attribute the last write, and of all the ``ATTRIBUTES_KEPT`` newest, in any order of
        telling.
        """
        newest = {name: register.newer(self.attributes.get(name)) for name, register in attributes.items()}
        known = {**self.attributes, **newest}
        if len(known) > ATTRIBUTES_KEPT:
            by_age = sorted(known, key=lambda name: (known[name].at_ms, known[name].event_id, name))
            known = {name: known[name] for name in by_age[-ATTRIBUTES_KEPT:]}
        return replace(self, attributes=known)

    def dump(self) -> bytes:
        """As JSON; nothing where nothing was said. Without an override: only the attributes."""
        attributes = {name: _plain(register) for name, register in sorted(self.attributes.items())}
        if self.override is not None:
            return _json([attributes, _plain(self.override)])
        return _json(attributes) if attributes else b""

    @staticmethod
    def load(blob: bytes) -> Registers:
        """What ``dump`` wrote. Raises ``BadRecord``."""
        if not blob:
            return NOTHING
        try:
            plain = json.loads(blob)
            attributes, override = plain if isinstance(plain, list) else (plain, None)
            return Registers({name: Register(*held) for name, held in attributes.items()}, _word(override))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadRecord(f"registers of a packed state: {error}") from error


NOTHING = Registers()


def _plain(register: Register[Any]) -> list[Any]:
    return [register.value, register.at_ms, register.event_id]


def _word(plain: list[Any] | None) -> Word | None:
    if plain is None:
        return None
    said, at_ms, event_id = plain
    return Register(Override(*said), at_ms, event_id)


def _json(plain: object) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode()
