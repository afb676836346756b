"""Static members: who comes back in time finds everything as it was; of two under one name, one must stop."""

from __future__ import annotations

from typing import cast

import pytest

from consumers.source import Poll, Source
from stream.errors import SettingsError
from tests.brokers import STATIC_MEMBERS, KafkaKit, Kit, eventually, fresh, joined, promising

pytestmark = promising(STATIC_MEMBERS)


def member(kit: Kit, topic: str, group: str, name: str) -> Source:
    return cast(KafkaKit, kit).source(topic, group, name)


def settled(sources: list[Source]) -> list[Poll]:
    """Poll until each has a partition of its own."""

    def probe() -> list[Poll] | None:
        polls = [source.poll(0.05) for source in sources]
        shared = frozenset[int]().union(*(poll.assigned for poll in polls))
        return polls if len(shared) == len(sources) and all(len(p.assigned) == 1 for p in polls) else None

    return eventually(probe, "a partition each")


def test_who_comes_back_in_time_stops_nobody(kit: Kit) -> None:
    topic, group = fresh("t"), fresh("group")
    kit.create(topic, 2)
    name = fresh("a")
    first, other = member(kit, topic, group, name), member(kit, topic, group, fresh("b"))
    before = settled([first, other])
    first.close()
    again = member(kit, topic, group, name)
    back = joined(again, set(before[0].assigned), at_begin=False)
    assert back.membership.generation == before[0].membership.generation
    assert back.membership.member != before[0].membership.member, "the one before is fenced"
    after = other.poll(0.1)
    assert (after.epoch, after.membership) == (before[1].epoch, before[1].membership)


def test_of_two_with_one_name_the_older_must_stop_and_says_which_setting(kit: Kit) -> None:
    topic, group, name = fresh("t"), fresh("group"), fresh("a")
    kit.create(topic)
    older = member(kit, topic, group, name)
    joined(older, {0})
    newer = member(kit, topic, group, name)
    joined(newer, {0}, at_begin=False)

    def stopped() -> bool | None:
        older.poll(0.1)
        return None

    with pytest.raises(SettingsError, match=r"kafka\.instance: another process"):
        eventually(stopped, "being told")
