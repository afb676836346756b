"""A stage: topics and a store of its own, a load, processes under supervision, and the verdict at the end."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.chaos.cast import Cast, drain_seconds
from benchmarks.chaos.checker import Verdict, examine
from benchmarks.chaos.load import Load
from benchmarks.chaos.progress import Progress
from benchmarks.chaos.proxy import Proxy
from benchmarks.servers import RedisServer
from consumers.embedded import HOST
from consumers.kafka_tail import KafkaTail
from consumers.topics import create_topics
from producers.orders import Encoded
from stream.errors import SegstreamError
from stream.settings import TopicSettings, load
from stream.view.redis_reader import RedisReader

SECONDS = 90.0
"""How long anything that is waited for may take."""
ANSWER_SECONDS = 2.0
OURS = (0, -9, -15)
"""Exit codes that the harness itself causes."""
_count = itertools.count()


class Stuck(SegstreamError):
    """Raised when what is waited for does not happen."""


@dataclass(frozen=True)
class Play:
    """What a stage is made with. ``settings`` count more than the stage's own; ``options`` go to every process."""

    bootstrap_servers: str
    """Where the harness reads and writes."""
    folder: Path
    seen_by_cast: str | None = None
    """Where the service reads and writes, if that is a detour."""
    workers: int = 2
    settings: dict[str, Any] | None = None
    told_to_cast: dict[str, dict[str, Any]] | None = None
    """Settings of the service alone."""
    secrets: Mapping[str, str] | None = None
    """Environment variables of the service; whoever starts gets them as they are then."""
    options: tuple[str, ...] = ()
    redis: tuple[str, ...] = ()
    """Options of redis-server."""
    store_detour: Proxy | None = None
    """Stands before the store."""
    events: Iterator[Encoded] | None = None
    per_second: float = 250.0


class Stage:
    """Everything between the curtains. Entering starts it and waits for the first model."""

    def __init__(self, name: str, play: Play, report: Callable[[str], None] = lambda _: None) -> None:
        self._play, self._report = play, report
        self.name = name
        self.expected = {*OURS}
        """Exit codes that are no reason to complain."""
        self.excused: set[str] = set()
        """Errors that may end a process with 1."""
        self.forged: set[int] = set()
        """Offsets of the model topic that the harness wrote."""
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=play.folder))

    def __enter__(self) -> Self:
        play = self._play
        self.redis = self._stack.enter_context(RedisServer(*play.redis))
        flags = settings_of(play.bootstrap_servers, self._redis_url(), play.settings or {})
        self.settings = load(flags=flags)
        create_topics(self.settings)
        self.load = Load(self.settings, play.events, play.per_second)
        self._stack.callback(self.load.close)
        self.progress = Progress(self.settings, lambda: self.load.sent)
        self._stack.callback(self.progress.close)
        self.cast = Cast(self._seen_by_cast(flags), self.folder, play.workers, play.options, play.secrets)
        self._stack.callback(self._kill_all)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def tick(self) -> None:
        """A tenth of a second at most: raise the dead, look how far they are, give them something to do."""
        self.cast.tend()
        self.progress.look()
        self.load.top_up(self.progress.left)
        self._report(f"{self.name}: {self.progress}")
        for actor in self.cast:
            if 2 in actor.deaths:
                raise Stuck(f"{actor.name} refuses to start: {actor.lines()[-1]}")

    def until(self, reached: Callable[[], object], what: str, seconds: float = SECONDS) -> float:
        """Go on until it is so; returns how long that took. Raises ``Stuck``."""
        started = time.monotonic()
        while not reached():
            if time.monotonic() - started > seconds:
                self._ask()
                raise Stuck(f"not within {seconds:g} s: {what} ({self.progress})")
            self.tick()
        return time.monotonic() - started

    def commits(self, count: int, seconds: float = SECONDS) -> None:
        """Go on until so many more batches are seen to be committed."""
        goal = self.progress.batches + count
        self.until(lambda: self.progress.batches >= goal, f"{count} commits", seconds)

    def go_on(self, seconds: float) -> None:
        """Go on for some time."""
        ends = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= ends, "", seconds + SECONDS)

    def warm_up(self) -> None:
        """Until there is a model and every partition moves."""
        everyone = self.settings.topics.partitions
        self.until(lambda: self.progress.models >= 1 and len(self.progress.marks) == everyone, "a first model")
        self.commits(4)

    @contextmanager
    def looking(self) -> Iterator[tuple[KafkaTail, RedisReader]]:
        """Topics and store, as anybody reads them."""
        tail, reader = KafkaTail(self.settings.kafka), RedisReader(self.settings.redis)
        with closing(tail), closing(reader):
            yield tail, reader

    def finish(self, seconds: float = SECONDS) -> Verdict:
        """Let them do all that was sent, end them, and judge."""
        self.load.is_on = False
        with self.looking() as (tail, reader):
            done = lambda: self.progress.left == 0 and self.progress.is_shown(reader)  # noqa: E731
            self.until(done, "the end", seconds)
            unruly = self.cast.end(drain_seconds(self.settings), tuple(self.expected))
            verdict = examine(self.settings, tail, reader, self.forged)
        return Verdict(**{**verdict.__dict__, "breaches": (*verdict.breaches, *unruly, *self.strange_deaths())})

    def strange_deaths(self) -> list[str]:
        """Sentences about processes that ended and should not have, with the last thing they said."""
        found = []
        for actor in self.cast:
            errors = [line for line in actor.lines() if line.startswith("segstream: ")]
            excused = sum(line.startswith(f"segstream: {name}:") for line in errors for name in self.excused)
            codes = Counter(code for code in actor.deaths if code not in self.expected)
            codes[1] -= min(codes[1], excused)
            if +codes:
                found.append(
                    f"{actor.name} ended with {dict(+codes)}: {[*dict.fromkeys(errors)][-2:] or actor.lines()[-1:]}"
                )
        return found

    def _ask(self) -> None:
        """Let everybody write into its log where it stands."""
        for actor in self.cast:
            actor.send(signal.SIGUSR1)
        time.sleep(ANSWER_SECONDS)

    def _seen_by_cast(self, flags: dict[str, Any]) -> dict[str, Any]:
        seen = self._play.seen_by_cast or self._play.bootstrap_servers
        told = self._play.told_to_cast or {}
        mine = {**flags, "kafka": {**flags["kafka"], "bootstrap_servers": seen}}
        return {**mine, **{section: {**mine.get(section, {}), **changes} for section, changes in told.items()}}

    def _redis_url(self) -> str:
        detour = self._play.store_detour
        if detour is None:
            return self.redis.url
        detour.upstream = self.redis.port
        return f"redis://{HOST}:{detour.port}/0"

    def _kill_all(self) -> None:
        for actor in self.cast:
            actor.wanted = False
            actor.end(0.0)


def settings_of(bootstrap_servers: str, redis_url: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Flags of a stage: topics and a group that nobody else has, small batches, and timeouts one can wait for."""
    tag = f"{os.getpid()}-{next(_count)}"
    ours: dict[str, dict[str, Any]] = {
        "kafka": {
            "bootstrap_servers": bootstrap_servers,
            "group": f"chaos-{tag}",
            "transactional_id": f"chaos-{tag}",
            "session_timeout_seconds": 4.0,
            "request_timeout_seconds": 5.0,
            "transaction_timeout_seconds": 6.0,
            "poll_timeout_seconds": 0.05,
            "max_poll_records": 50,
        },
        "topics": {name: f"{default}-{tag}" for name, default in TopicSettings() if isinstance(default, str)},
        "model": {"warmup_customers": 60, "macro_rows": 300, "interval_seconds": 0, "cells": 40},
        "redis": {"url": redis_url},
        "metrics": {"enabled": False},
    }
    merged = {name: {**section, **changes.get(name, {})} for name, section in ours.items()}
    return {"profile": "personas", **{k: v for k, v in changes.items() if k not in merged}, **merged}
