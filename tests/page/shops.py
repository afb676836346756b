"""A page over the twins, whose watches go one round when they are told to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from consumers.memory_source import MemoryTail
from consumers.page.app import Page
from consumers.twins import Twins
from consumers.watching.broker_watch import BrokerWatch
from consumers.watching.outside import Outside
from consumers.watching.store_watch import Census, StoreWatch
from producers.writer import MemoryWriter
from stream.settings import Tree
from tests.consumers.shop import settings

TOKEN = "let me name them"


def outside_of(twins: Twins) -> Outside:
    return Outside(
        reader=lambda: twins.store.reader,
        tail=lambda: MemoryTail(twins.broker),
        writer=lambda: MemoryWriter(twins.broker),
        now_seconds=twins.wall.now,
    )


def tree(**flags: Any) -> Tree:
    return settings(page={"token": TOKEN}, **flags)


@dataclass
class Watched:
    twins: Twins
    most_clients: int = 32
    page: Page = field(init=False)
    broker: BrokerWatch = field(init=False)
    store: StoreWatch = field(init=False)
    census: Census = field(init=False)

    def __post_init__(self) -> None:
        outside = outside_of(self.twins)
        self.page = Page(self.twins.settings, outside, self.most_clients)
        board = self.page.live.board
        self.broker = BrokerWatch(board, self.twins.settings, outside)
        self.store = StoreWatch(board, self.twins.settings, outside)
        self.census = Census(board, outside)

    def look(self) -> None:
        """A second passes; every watch goes one round."""
        self.twins.wall.wait(1.0)
        self.broker.round()
        self.census.round()
        self.store.round()

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page.snapshot())
        return found

    @property
    def sentence(self) -> str:
        words = self.said["status"]["words"]
        return "".join(word if isinstance(word, str) else "TIME" for word in words)
