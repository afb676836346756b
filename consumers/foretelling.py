"""Foretelling: what accepting a proposal would do to the customers, each decided for as the sweep would.

The owner knows cells and not who holds what in them, nor how silent anybody has become; its own matrix is an estimate.
Here every state in the store is looked at, under the very model that would follow. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np

from stream.contracts.commands import Command
from stream.contracts.timestamps import rfc3339
from stream.customer.features import FeatureSet
from stream.customer.state import unpack
from stream.decision.assign import NONE, Assigner
from stream.decision.look import look
from stream.model.learner import Learner
from stream.model.proposals import Flows
from stream.settings import Tree
from stream.view.journal import Mark
from stream.view.reader import Reader

PAGE = 10_000
"""Customers looked at side by side."""


def foretold(settings: Tree, features: FeatureSet, reader: Reader, record: bytes, partitions: Iterable[int]) -> Flows:
    """Customers by the segment they hold and the one they would, if the proposal in a model record were accepted now.

    ``partitions``: those looked at, one after the other.

    Raises ``BadRecord``, ``StoreUnavailable``, and ``ValueError`` if none waits.
    """
    model = _if_accepted(settings, features, record)
    flows: Flows = {}
    for partition in partitions:
        watermark = reader.watermark(partition)
        if watermark is None:
            continue
        now_ms = Mark.from_bytes(watermark).now_ms
        blobs = (blob for _, blob in reader.states(partition))
        while page := list(islice(blobs, PAGE)):
            _add(flows, features, page, now_ms, model)
    return flows


def _if_accepted(settings: Tree, features: FeatureSet, record: bytes) -> Assigner:
    learner = Learner.from_record(record, features, settings.model)
    waiting = learner.state.docket.waiting
    if waiting is None:
        raise ValueError("no proposal waits")
    learner.obey(Command("accept", rfc3339(0), version=waiting.version))
    return Assigner(learner.macro_step(0).snapshot)


def _add(flows: Flows, features: FeatureSet, blobs: list[bytes], now_ms: int, model: Assigner) -> None:
    before, _ = unpack(features, blobs)
    before = before[before["segment"] != NONE]
    after = before.copy()
    look(features, after, np.full(len(after), now_ms), model)
    pairs, counts = np.unique(np.stack([before["segment"], after["segment"]], axis=1), axis=0, return_counts=True)
    for (old, new), n in zip(pairs.tolist(), counts.tolist(), strict=True):
        row = flows.setdefault(old, {})
        row[new] = row.get(new, 0) + n
