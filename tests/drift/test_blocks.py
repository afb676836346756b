"""Chunks and blocks: nothing is lost and nothing counted twice, however a stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.drift.blocks import Blocks, Chunks


@given(st.lists(st.integers(1, 500), max_size=12), st.integers(1, 300))
def test_blocks_hold_every_event_once_whatever_the_batches(batches: list[int], events: int) -> None:
    values = np.arange(float(sum(batches)))[:, None]
    blocks, means, n = Blocks(events, 1), list[float](), list[int]()
    for part in np.split(values, np.cumsum(batches)[:-1]) if batches else []:
        before = blocks.n
        done = blocks.take(Chunks.of(part, part[:, 0].astype(np.int64), events))
        means += [float(block.means[0]) for block in done]
        n.append(before + len(part) - blocks.n)
        assert all(block.at_ms <= part[-1, 0] for block in done)
    assert blocks.n < events
    left = 0.0 if blocks.sums is None else float(blocks.sums[0])
    assert sum(n) + blocks.n == len(values)
    if events == 1:
        assert means == values[:, 0].tolist()
        assert left == 0.0


def test_chunks_of_no_events_are_none() -> None:
    chunks = Chunks.of(np.zeros((0, 3)), np.zeros(0, np.int64), 200)
    assert (chunks.n.shape, chunks.sums.shape) == ((0,), (0, 3))
    assert Blocks(2, 3).take(chunks) == []


def test_the_time_of_a_block_is_its_newest_event_though_events_come_late() -> None:
    (block,) = Blocks(3, 1).take(Chunks.of(np.zeros((3, 1)), np.array([5, 9, 7]), 2))
    assert block.at_ms == 9
