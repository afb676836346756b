"""What a learner remembers, and how it goes on after a restart: as data beside its snapshot, never pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from stream.customer import holdings, tenure
from stream.customer.holdings import Holding
from stream.drift import record as drift_record
from stream.drift.histograms import GRID
from stream.drift.monitor import Monitor, Plan
from stream.errors import BadRecord
from stream.model import footing_record
from stream.model.cells import Cells
from stream.model.docket_record import arrays_of, docket_of, head_of
from stream.model.footing import Footing
from stream.model.naming import Wording
from stream.model.number import Number
from stream.model.nursery import Nursery
from stream.model.population import Population
from stream.model.proposals import Docket
from stream.model.river_kinds import RiverGroups
from stream.model.snapshot import FloatArray, Scale, Snapshot
from stream.model.snapshot_record import array, read, written
from stream.model.sums import Sums
from stream.packing import Arrays, pack, unpack
from stream.settings import ModelSettings


@dataclass
class State:
    """All that a learner remembers."""

    population: Population
    snapshot: Snapshot | None = None
    held: dict[int, int] = field(default_factory=dict)
    """Customers by the number of the segment they hold, without zeros."""
    holdings: dict[int, Holding] = field(default_factory=dict)
    """What those customers add up to, by the same number."""
    tenures: tenure.Counts = field(default_factory=dict)
    """How many of them have held it since which week."""
    looks: int = 0
    """Looks since the last macro step."""
    now_ms: int = 0
    """Event time reached."""
    wordings: dict[int, Wording] = field(default_factory=dict)
    """By segment number, of the listed segments."""
    resting: dict[int, Wording] = field(default_factory=dict)
    """What people called segments that are gone."""
    family_wordings: dict[int, Wording] = field(default_factory=dict)
    """By family number, of those that have segments."""
    stated: dict[int, FloatArray] = field(default_factory=dict)
    """Mean in steps (d,) of each assignable segment when it was last stated where it stands."""
    footings: dict[int, Footing] = field(default_factory=dict)
    """What each assignable segment was founded as."""
    river: RiverGroups | None = None
    docket: Docket = field(default_factory=Docket)
    number: Number | None = None
    """How many segments there are to be; ``None`` before the first scan."""
    scanned: int = 0
    """Looks since the last scan."""
    monitor: Monitor = field(default_factory=lambda: Monitor(Plan()))
    """What is known of drift."""


def pack_state(state: State, snapshot: Snapshot) -> bytes:
    """The model record of the state right after the macro step that made ``snapshot``."""
    head, arrays = written(snapshot)
    cells, (nursery_y, nursery_n) = state.population.cells, state.population.nursery.vectors(owed=True)
    head["owner"] = {
        "next_cell": cells.next_id,
        "held": sorted(state.held.items()),
        "holdings": holdings.written(state.holdings),
        "tenures": tenure.written(state.tenures),
        "now_ms": state.now_ms,
        "wordings": [[number, asdict(wording)] for number, wording in state.wordings.items()],
        "resting": [[number, asdict(wording)] for number, wording in state.resting.items()],
        "family_wordings": [[number, asdict(wording)] for number, wording in state.family_wordings.items()],
        "stated": list(state.stated),
        "river": [state.river.kind, state.river.segments] if state.river else None,
        "number": asdict(state.number) if state.number else None,
        "scanned": state.scanned,
        "drift": drift_record.head_of(state.monitor),
        "footings": footing_record.head_of(state.footings),
        **head_of(state.docket),
    }
    arrays |= {
        "cell_n": cells.sums.n,
        "cell_sums": cells.sums.sums,
        "cell_squares": cells.sums.squares,
        "nursery_y": nursery_y,
        "nursery_n": nursery_n,
        "stated": np.array(list(state.stated.values())),
        "grid": state.population.grid,
        **footing_record.arrays_of(state.footings, state.population.dimensions),
        **drift_record.arrays_of(state.monitor),
        **arrays_of(state.docket),
    }
    return pack(head, arrays | (_written_river(state.river) if state.river else {}))


def unpack_state(record: bytes, settings: ModelSettings, plan: Plan | None = None) -> State:
    """The state in a model record; drift goes on by ``plan``, or as it was. Raises ``BadRecord``."""
    head, arrays = unpack(record)
    snapshot = read(head, arrays)
    try:
        owner = head["owner"]
        return State(
            population=_population(owner, arrays, snapshot),
            snapshot=snapshot,
            held={int(number): int(n) for number, n in owner["held"]},
            holdings=holdings.read(owner["holdings"]),
            tenures=tenure.read(owner["tenures"]),
            now_ms=int(owner["now_ms"]),
            wordings={int(number): _wording(said) for number, said in owner["wordings"]},
            resting={int(number): _wording(said) for number, said in owner["resting"]},
            family_wordings={int(number): _wording(said) for number, said in owner["family_wordings"]},
            stated=dict(zip(map(int, owner["stated"]), array(arrays, "stated", np.float64, -1, -1), strict=True)),
            footings=footing_record.footings_of(owner["footings"], arrays, len(snapshot.features)),
            river=None if settings.kind == "cells" else _river(owner, arrays, snapshot, settings),
            docket=docket_of(owner, arrays, len(snapshot.features)),
            number=Number(**owner["number"]) if owner["number"] else None,
            scanned=int(owner["scanned"]),
            monitor=drift_record.monitor_of(owner["drift"], arrays, plan, len(snapshot.features)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRecord(f"not an owner's record: {error!r}") from error


def _population(owner: Mapping[str, Any], arrays: Arrays, snapshot: Snapshot) -> Population:
    q, d = snapshot.cell_positions.shape
    sums = Sums(
        array(arrays, "cell_n", np.int64, q),
        array(arrays, "cell_sums", np.int64, q, d),
        array(arrays, "cell_squares", np.int64, q, d),
    )
    nursery, nursery_n = Nursery(d), array(arrays, "nursery_n", np.int64, -1)
    nursery.add(nursery_n, array(arrays, "nursery_y", np.int16, len(nursery_n), d))
    cells = Cells(snapshot.cell_ids.copy(), sums, snapshot.cell_positions.copy(), int(owner["next_cell"]))
    if not cells.knows(cells.ids):
        raise BadRecord("owner's record has a cell that never was")
    return Population(cells, nursery, array(arrays, "grid", np.int64, d, GRID))


def _wording(said: Mapping[str, Any]) -> Wording:
    words = tuple((str(feature), bool(high)) for feature, high in said["words"])
    return Wording(said["name"], words, said["doubted_since_ms"], bool(said["is_pinned"]))


def _written_river(river: RiverGroups) -> Arrays:
    return {
        "river_mean": river.scale.mean,
        "river_sd": river.scale.sd,
        "river_weight": river.scale.weight,
        "river_centres": river.centres_z,
        "river_rows": river.rows,
    }


def _river(owner: Mapping[str, Any], arrays: Arrays, snapshot: Snapshot, settings: ModelSettings) -> RiverGroups:
    """river's clusterer as it was; from its last rows if the settings changed; from the segments if new."""
    segments, seed, d = settings.first_segments, settings.seed, len(snapshot.features)
    if owner["river"] is None:
        fresh = RiverGroups(settings.kind, segments, seed, snapshot.scale)
        centroids = np.array([s.centroid for s in snapshot.segments if not s.retiring])
        fresh.resume(centroids, np.zeros((0, d), np.int16))
        return fresh
    mean, sd, weight = (array(arrays, f"river_{part}", np.float64, d) for part in ("mean", "sd", "weight"))
    river = RiverGroups(settings.kind, segments, seed, Scale(mean, sd, weight, snapshot.scale.clip))
    rows = array(arrays, "river_rows", np.int16, -1, d)
    if owner["river"] == [settings.kind, segments]:
        river.resume(array(arrays, "river_centres", np.float64, -1, d), rows)
    else:
        river.start(rows)
    return river
