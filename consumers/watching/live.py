"""The board, kept up to date by its three watches."""

from __future__ import annotations

from dataclasses import replace

from consumers.watching.board import Board
from consumers.watching.broker_watch import BrokerWatch
from consumers.watching.outside import Outside
from consumers.watching.rounds import Rounds
from consumers.watching.store_watch import Census, StoreWatch
from stream.settings import Tree


class Live:
    """Starts and stops the watches."""

    def __init__(self, settings: Tree, outside: Outside) -> None:
        self.board = board = Board(outside.now_seconds())
        self._rounds = [
            Rounds("broker", lambda: BrokerWatch(board, settings, outside), self._broker_failed),
            Rounds("store", lambda: StoreWatch(board, settings, outside), self._store_failed),
            Rounds("census", lambda: Census(board, outside), lambda _: None),
        ]

    def start(self) -> None:
        """Begin to watch."""
        for rounds in self._rounds:
            rounds.start()

    def stop(self) -> None:
        """End; a watch that waits for the network is left to it."""
        for rounds in self._rounds:
            rounds.stop()
        for rounds in self._rounds:
            rounds.join(2.0)

    def _broker_failed(self, error: str) -> None:
        with self.board.lock:
            self.board.broker = replace(self.board.broker, error=error)

    def _store_failed(self, error: str) -> None:
        with self.board.lock:
            self.board.store = replace(self.board.store, error=error)
