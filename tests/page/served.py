"""A page served on a port of this machine, over the twins, which can be stopped and started again."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

import uvicorn

from consumers.embedded import free_port, listens
from consumers.lockstep import Lockstep
from consumers.page.app import Page
from consumers.twins import Twins, drain
from producers.orders import Encoded
from tests.brokers import eventually
from tests.page.shops import outside_of


@dataclass
class Served:
    twins: Twins
    port: int = field(default_factory=free_port)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    _lockstep: Lockstep | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        page = Page(self.twins.settings, replace(outside_of(self.twins), now_seconds=time.time))
        config = uvicorn.Config(page.app, port=self.port, log_config=None, timeout_graceful_shutdown=1)
        server = self._server = uvicorn.Server(config)
        page.hub.is_ending = lambda: server.should_exit
        self._thread = threading.Thread(target=server.run, daemon=True)
        self._thread.start()
        eventually(lambda: listens(self.port) or None, "the page listens")

    def stop(self) -> None:
        if self._lockstep is not None:
            self._lockstep.close()
            self._lockstep = None
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(20)
            self._server = self._thread = None

    def happen(self, *events: Encoded) -> None:
        """Events come in and are processed."""
        self.twins.send(events)
        if self._lockstep is None:
            self._lockstep = self.twins.lockstep()
        with suppress(StopIteration):
            drain(self._lockstep.run_once, idle_rounds=2)
