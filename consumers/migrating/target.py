"""What a migration leads to: the same settings with other topics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from consumers.topics import Shape, shapes
from stream.errors import SettingsError
from stream.settings import TopicSettings

PARTITIONED = ("events", "changes", "rejected", "journal")
"""The topics whose partitions are those of the input. All others have one and know nothing of partitions."""
_GENERATION = re.compile(r"\.v(\d+)$")
_SUFFIX = re.compile(r"[A-Za-z0-9._-]+")
_MOST_PARTITIONS = 1024


@dataclass(frozen=True)
class Target:
    """The topics before and after."""

    old: TopicSettings
    new: TopicSettings

    @property
    def wanted(self) -> Mapping[str, Shape]:
        """The topics to create, by name."""
        every = shapes(self.new)
        return {name: every[name] for name in (getattr(self.new, word) for word in PARTITIONED)}

    @property
    def lines(self) -> list[str]:
        """What to write into the settings file."""
        names = (f'{word} = "{getattr(self.new, word)}"' for word in PARTITIONED)
        return ["[topics]", f"partitions = {self.new.partitions}", *names]


def target_of(topics: TopicSettings, partitions: int, suffix: str | None = None) -> Target:
    """New names and another count. Without a ``suffix`` the next generation: ``.v2``, then ``.v3``.

    ``topics.partitions`` must be what the input topic has. Raises ``SettingsError``.

    >>> target = target_of(TopicSettings(partitions=4), 8)
    >>> target.new.events, target.new.journal, target.new.learning
    ('customer.events.v2', 'segstream.journal.v2', 'segstream.learning')
    >>> target_of(target.new, 3).new.events
    'customer.events.v3'
    """
    if not 1 <= partitions <= _MOST_PARTITIONS:
        raise SettingsError(f"--partitions: {partitions} is not between 1 and {_MOST_PARTITIONS}")
    if partitions == topics.partitions:
        raise SettingsError(f"--partitions: '{topics.events}' has {partitions} already; there is nothing to migrate")
    if suffix is None:
        found = _GENERATION.search(topics.events)
        suffix = f".v{int(found[1]) + 1 if found else 2}"
    if not _SUFFIX.fullmatch(suffix):
        raise SettingsError(f"--suffix: '{suffix}' cannot end a topic's name; use letters, digits, '.', '_' and '-'")
    names = {word: _GENERATION.sub("", getattr(topics, word)) + suffix for word in PARTITIONED}
    taken = {name for word, name in topics if isinstance(name, str)} & set(names.values())
    if taken:
        raise SettingsError(f"--suffix: '{min(taken)}' is in use; choose another suffix")
    return Target(topics, topics.model_copy(update={**names, "partitions": partitions}))
