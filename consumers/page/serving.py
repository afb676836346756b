"""Serving the page: a process of its own, alone or beside the demo."""

from __future__ import annotations

import logging
import multiprocessing
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from pydantic import SecretStr

from consumers.embedded import free_port, listens
from consumers.page.app import Page
from consumers.watching.outside import kafka_and_redis
from stream.errors import SettingsError
from stream.settings import Tree

log = logging.getLogger(__name__)

START_SECONDS = 40.0
"""The demo goes on without its page when that is not there by then."""


def serve(settings: Tree) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. Raises ``SettingsError`` where the port is taken."""
    page = Page(settings, kafka_and_redis(settings))
    listening = _listening(settings.page.host, settings.page.port)
    config = uvicorn.Config(
        page.app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    page.hub.is_ending = lambda: server.should_exit
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn has its own, and passes the signal on to ours at the end
    log.info("the page is at %s", address(settings))
    with listening:
        server.run(sockets=[listening])
    return 0


def address(settings: Tree, *, with_token: bool = False) -> str:
    """Where a browser finds it. The token stands behind the '#', which no browser sends."""
    page = settings.page
    host = f"[{page.host}]" if ":" in page.host else page.host
    token = f"#token={page.token.get_secret_value()}" if with_token and page.token else ""
    return f"http://{host}:{page.port}/{token}"


@contextmanager
def beside(settings: Tree) -> Iterator[str | None]:
    """Serve in a process of its own while the block runs; the address, with the token in it, or ``None`` without luck.

    The settings go through a pipe, so the token is on no command line. The process ends with its parent.
    """
    port = free_port() if listens(settings.page.port) else settings.page.port
    token = settings.page.token or SecretStr(secrets.token_urlsafe(16))
    settings = settings.model_copy(update={"page": settings.page.model_copy(update={"port": port, "token": token})})
    process = multiprocessing.get_context("spawn").Process(target=_beside, args=(settings,), daemon=True)
    process.start()
    try:
        yield address(settings, with_token=True) if _came_up(process, port) else None
    finally:
        process.terminate()
        process.join(5.0)
        if process.is_alive():
            process.kill()
            process.join()


def _beside(settings: Tree) -> None:
    """In the process of the page. Ctrl-C is for the parent, which ends us."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.disable(logging.WARNING)  # the terminal is the demo's
    serve(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _came_up(process: multiprocessing.process.BaseProcess, port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.is_alive() and time.monotonic() < deadline:
        if listens(port):
            return True
        time.sleep(0.05)
    return False


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SettingsError(f"page.port: {host}:{port} cannot be listened on ({error.strerror})") from error
    return listening
