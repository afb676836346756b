"""A consumer group of the in-memory broker: who is in it, who reads what, what is committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from producers.sink import Committed, Membership


@dataclass
class MemoryGroup:
    """State of one group. A generation ends with every change of the members."""

    name: str
    generation: int = 0
    topics: dict[str, str] = field(default_factory=dict)
    """Member -> the topic it reads, in order of joining."""
    offsets: dict[tuple[str, int], Committed] = field(default_factory=dict)
    """(topic, partition) -> committed offset."""
    joined: int = 0

    def join(self, topic: str) -> str:
        """A new member; return its id."""
        self.joined += 1
        self.generation += 1
        member = f"{self.name}-{self.joined}"
        self.topics[member] = topic
        return member

    def expel(self, member: str) -> None:
        """What a session timeout does. The member learns at its next poll."""
        if self.topics.pop(member, None) is not None:
            self.generation += 1

    def rebalance(self) -> None:
        """A new generation of the same members."""
        self.generation += 1

    def membership(self, member: str) -> Membership:
        """What the member is now; not valid when it is none any more."""
        if member not in self.topics:
            return Membership(self.name, -1, "")
        return Membership(self.name, self.generation, member)

    def share(self, member: str, partitions: int) -> frozenset[int]:
        """The member's part of its topic's partitions."""
        if member not in self.topics:
            return frozenset()
        peers = [peer for peer, topic in self.topics.items() if topic == self.topics[member]]
        return frozenset(range(peers.index(member), partitions, len(peers)))

    def committed(self, topic: str) -> Mapping[int, Committed]:
        """Committed offset by partition."""
        return {partition: offset for (of, partition), offset in self.offsets.items() if of == topic}
