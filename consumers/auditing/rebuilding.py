"""Rebuilding the population: what the journaled states add up to, put in the place of what the learner counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from consumers.auditing.population import Census
from stream.customer.features import FeatureSet
from stream.customer.state import States
from stream.model.cells import Cells
from stream.model.nursery import Nursery
from stream.model.population import Population
from stream.model.snapshot import NURSERY, Snapshot
from stream.model.state import State
from stream.model.sums import Sums


@dataclass(frozen=True)
class Recount:
    """Every customer of the journal once: by cell, by held segment, and those of the nursery one by one."""

    census: Census
    nursery: Nursery

    @classmethod
    def of(cls, features: FeatureSet, rows: Iterable[States]) -> Recount:
        """Count the customers of all partitions."""
        recount = cls(Census(features), Nursery(len(features.names)))
        for some in rows:
            recount.census.count(some)
            young = some[some["cell"] == NURSERY]["y"]
            recount.nursery.add(np.ones(len(young), np.int64), young)
        return recount


def rebuilt(state: State, recount: Recount) -> State:
    """The state with these customers, and otherwise as it was.

    Cells that the state does not know were made by a model that is lost: their customers are still theirs.
    """
    old, found = state.population.cells, recount.census.cells
    ids = np.array(sorted(found.keys() - {NURSERY}), np.int64)
    next_id = max(old.next_id, 1 + int(ids.max(initial=NURSERY)))
    cells = Cells(old.ids.copy(), Sums.none(len(old), state.population.dimensions), old.positions, next_id)
    if len(ids):
        sums = [found[cell] for cell in ids.tolist()]
        columns = (np.concatenate([getattr(s, part) for s in sums]) for part in ("n", "sums", "squares"))
        cells.add(ids, Sums(*columns))
    return replace(
        state,
        population=Population(cells, recount.nursery, recount.census.grid),
        held=dict(recount.census.held),
        holdings=recount.census.holdings,
        tenures=recount.census.tenures,
        footings={},  # found anew: the people of the old ones were miscounted, too
    )


def renewed(snapshot: Snapshot, cells: Cells, version: int, learning_offset: int) -> Snapshot:
    """The same segments in the same scale as another version, over the cells as they are now."""
    return replace(
        snapshot,
        version=version,
        learning_offset=learning_offset,
        cell_ids=cells.ids.copy(),
        cell_positions=cells.positions,
    )
