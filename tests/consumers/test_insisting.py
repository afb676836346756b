"""Insisting: a commit that keeps failing is tried ever more patiently, and said aloud."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from consumers.insisting import STUCK_AFTER, Insistence
from stream.errors import CommitFailed
from stream.health import WorkerHealth
from stream.view.journal import Mark

LOST = CommitFailed("transaction of 'w': KafkaTimeoutError")
TOO_LARGE = ("[Error 10] MessageSizeTooLargeError", "MSG_SIZE_TOO_LARGE", "Message size too large")


def marks(next_: int, sequence: int = 7) -> dict[int, Mark]:
    return {3: Mark("topic", 4, "features", next_, sequence)}


class Tries:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.insistence = Insistence(WorkerHealth(self.registry))

    def fail(self, times: int, at: dict[int, Mark] | None = None, error: CommitFailed = LOST) -> list[float]:
        return [self.insistence.failed(at or marks(100), error) for _ in range(times)]

    @property
    def is_stuck(self) -> bool:
        return self.registry.get_sample_value("segstream_commit_stuck") == 1.0


@pytest.fixture
def tries() -> Tries:
    return Tries()


def test_the_second_try_comes_at_once_and_the_later_ones_ever_later(tries: Tries) -> None:
    assert tries.fail(9) == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_five_failures_in_a_row_are_said_aloud(tries: Tries, caplog: pytest.LogCaptureFixture) -> None:
    tries.fail(STUCK_AFTER - 1)
    assert not tries.is_stuck
    assert not caplog.messages
    tries.fail(1)
    assert tries.is_stuck
    assert "5 commits from 3:100 failed in a row" in caplog.messages[-1]
    assert "transactional_id" in caplog.messages[-1]


@pytest.mark.parametrize("said", TOO_LARGE)
def test_a_record_that_is_too_large_is_named_with_its_mend(
    tries: Tries, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    tries.fail(STUCK_AFTER, error=CommitFailed(said))
    assert "max.message.bytes" in caplog.messages[-1]
    assert "segstream doctor" in caplog.messages[-1]


def test_a_commit_ends_it(tries: Tries) -> None:
    tries.fail(STUCK_AFTER)
    tries.insistence.succeeded()
    assert not tries.is_stuck
    assert tries.fail(1) == [0.0]


@pytest.mark.parametrize("elsewhere", [marks(200), marks(100, 8), {}])
def test_another_batch_is_another_matter(tries: Tries, elsewhere: dict[int, Mark]) -> None:
    """One that was committed after all, without an answer, moved on; so did one of only timers."""
    tries.fail(STUCK_AFTER)
    tries.fail(1, elsewhere or {4: Mark("topic", 4, "features", 0)})
    assert not tries.is_stuck
