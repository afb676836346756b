"""Told: what analysts have said since the last macro step, and what comes of it in the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from stream.contracts.commands import Command
from stream.model.deliberation import Ordered
from stream.model.footing import Ended
from stream.model.grouping import Grouping
from stream.model.ledger import LedgerEntry
from stream.model.merging import merger, not_two
from stream.model.snapshot import Snapshot
from stream.model.state import State

_STRUCTURE = ("born", "split", "merged", "retiring")


@dataclass(frozen=True)
class Heard:
    """A command, and why it is not done; empty if it is."""

    command: Command
    refusal: str = ""


@dataclass
class Told:
    """Takes commands; ``ordered`` is the grouping they come to, if it is any."""

    heard: list[Heard] = field(default_factory=list)
    ordered: Ordered | None = None
    _because: str = ""
    """Of the grouping."""

    def take(self, command: Command, state: State, earlier: Snapshot | None) -> str:
        """Take a command; what it says of names and of the docket holds at once. Returns why not, empty if taken."""
        refusal = self._refusal(command, state, earlier)
        self.heard.append(Heard(command, refusal))
        return refusal

    @property
    def commands(self) -> list[Command]:
        """Those that are done."""
        return [said.command for said in self.heard if not said.refusal]

    def explained(
        self, entries: Sequence[LedgerEntry], why_so_many: str, ended: Mapping[int, Ended]
    ) -> tuple[LedgerEntry, ...]:
        """The ledger entries of the macro step, with who wanted it, or why segments are more, fewer, or others."""
        renamed = {c.segment: _by(c, "renamed") for c in self.commands if c.deed == "rename"}
        because = self._because or why_so_many

        def why(entry: LedgerEntry) -> str:
            if entry.kind == "renamed":
                return renamed.get(entry.number, "")
            if entry.kind == "retiring" and entry.number in ended:
                return ended[entry.number].why
            return because * (entry.kind in _STRUCTURE)

        return tuple(replace(entry, why=why(entry)) for entry in entries)

    def _refusal(self, command: Command, state: State, earlier: Snapshot | None) -> str:
        if state.snapshot is None:
            return "there is no model yet"
        match command.deed:
            case "accept":
                return self._accept(command, state)
            case "reject":
                return self._reject(command, state)
            case "rollback":
                return self._roll_back(command, state, earlier)
            case "merge":
                return self._merge(command, state, state.snapshot)
            case "refreeze":
                state.monitor.refreeze()
                return ""
            case _:
                return _name(command, state)

    def _accept(self, command: Command, state: State) -> str:
        waiting = state.docket.waiting
        if waiting is None or waiting.version != command.version:
            return f"no proposal {command.version} waits"
        self.ordered, self._because = Ordered(waiting.centres), _by(command, f"proposal {waiting.version} accepted")
        return ""

    def _reject(self, command: Command, state: State) -> str:
        waiting = state.docket.waiting
        if waiting is None or waiting.version != command.version:
            return f"no proposal {command.version} waits"
        state.docket = replace(state.docket, waiting=None, rejected=waiting.centres)
        return ""

    def _roll_back(self, command: Command, state: State, earlier: Snapshot | None) -> str:
        if state.river is not None:
            return f"models of kind {state.river.kind} cannot be gone back to"
        if earlier is None or earlier.version != command.version:
            return f"model {command.version} is not kept any more"
        standing = [s for s in earlier.segments if not s.retiring]
        centres = earlier.scale.steps(earlier.centroids_of(standing))
        self.ordered = Ordered(centres, tuple(s.number for s in standing))
        self._because = _by(command, f"back to model {earlier.version}")
        return ""

    def _merge(self, command: Command, state: State, snapshot: Snapshot) -> str:
        if state.river is not None:
            return f"models of kind {state.river.kind} find their segments themselves"
        standing = self._standing(snapshot)
        number, into = command.segment or 0, command.into or 0
        if standing is None:
            return "another grouping was just accepted: say it again when it stands"
        if refusal := not_two(standing.numbers, number, into):
            return refusal
        masses = state.population.masses(snapshot.scale)
        found = merger(masses[masses.n > 0], standing, number, into, snapshot.margin)
        if found.refusal:
            return found.refusal
        new = found.grouping
        self.ordered, self._because = Ordered(new.scale.steps(new.centroids), new.numbers), self._merged(command)
        # What waits is better than segments that will not be there.
        state.docket = replace(state.docket, waiting=None)
        return ""

    def _standing(self, snapshot: Snapshot) -> Grouping | None:
        """What a merge begins with: another merge, or a rollback, may have been said just before."""
        if self.ordered is None:
            return Grouping.of(snapshot)
        if self.ordered.numbers is None:
            return None
        centres = snapshot.scale.z(self.ordered.centres)
        return Grouping(snapshot.scale, self.ordered.numbers, centres, np.ones(len(centres)))

    def _merged(self, command: Command) -> str:
        before = f"{self._because}, " if self._because else ""
        return before + _by(command, f"s{command.segment} merged into s{command.into}")


def _name(command: Command, state: State) -> str:
    number = command.segment or 0
    wording = state.wordings.get(number)
    if wording is None:
        return f"there is no segment s{number}"
    if command.deed == "rename":
        name = (command.name or "").strip()
        if any(other.name == name for n, other in state.wordings.items() if n != number):
            return f"another segment is called '{name}'"
        state.wordings[number] = replace(wording, name=name, is_pinned=True, doubted_since_ms=None)
    else:
        state.wordings[number] = replace(wording, is_pinned=command.deed == "pin", doubted_since_ms=None)
    return ""


def _by(command: Command, what: str) -> str:
    return f"{what} by {command.by}" if command.by else what
