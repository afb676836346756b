"""Builders that tests share: events, declarations and a fixed model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stream.contracts.events import Event, Override
from stream.customer.features import STEPS, FeatureSet
from stream.model.snapshot import Scale, Segment, Snapshot, Vectors
from stream.settings import CustomerSettings, load

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 1_736_121_600_000
"""2025-01-06 00:00 UTC."""
WALL_MS = 1_800_000_000_000

_ids = count(1)

Lines = tuple[tuple[str, float, bool], ...]


def event(
    customer: str,
    at_ms: int,
    amount: float = 0.0,
    *,
    kind: Literal["order", "view", "profile"] = "order",
    event_id: str | None = None,
    items: float = 0.0,
    discount: float = 0.0,
    lines: Lines = (),
    attributes: dict[str, str | int | float | bool] | None = None,
) -> Event:
    """One event; its id is new unless given."""
    name = event_id if event_id is not None else f"e{next(_ids)}"
    return Event(name, customer, kind, at_ms, amount, items, discount, lines, attributes, 0)


def override(
    customer: str, at_ms: int, segment: int, until_ms: int | None = None, *, event_id: str | None = None
) -> Event:
    """Anna's word on a customer; of segment 0 that she lets go."""
    head = event(customer, at_ms, event_id=event_id)
    return head._replace(type="override", override=Override(segment, until_ms, "anna", "knows them"))


def shop_settings(**changes: Any) -> CustomerSettings:
    """A little shop with every kind of accumulator and feature. Half-life and dormancy floor are 28 days."""
    declared: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "accumulators": [
            {"name": "orders", "kind": "count"},
            {"name": "views", "kind": "count", "of": "view"},
            {"name": "spend", "kind": "sum", "field": "amount"},
            {"name": "weekend", "kind": "count", "when": "weekend"},
            {"name": "evening_spend", "kind": "sum", "field": "amount", "when": "evening"},
            {"name": "own_brand", "kind": "sum", "field": "lines.amount", "when": "private_label"},
            {"name": "weekend_lines", "kind": "sum", "field": "lines.amount", "when": "weekend"},
            {"name": "goods", "kind": "mix", "field": "lines.amount", "values": ["fruit", "bread", "soap"]},
        ],
        "features": [
            _feature("orders", "rate", "orders", prior=4.0, prior_weight=7.0, transform="log1p", range=[0, 150]),
            _feature("basket", "ratio", "spend", per="orders", prior=30.0, transform="log1p", range=[0, 3000]),
            _feature(
                "fresh",
                "share",
                "goods",
                values=["fruit", "bread"],
                per="goods",
                prior=0.5,
                prior_weight=30.0,
            ),
            _feature("variety", "entropy", "goods", prior_weight=3.0),
            _feature("weekend", "share", "weekend", per="orders", prior=0.3),
            _feature("views", "rate", "views", prior_weight=7.0, range=[0, 2000]),
        ],
    }
    return CustomerSettings.model_validate(declared | changes)


def _feature(name: str, kind: str, of: str, **rest: Any) -> dict[str, Any]:
    words = {"unit": f"{name} unit", "low": f"low {name}", "high": f"high {name}"}
    return {"name": name, "kind": kind, "of": of, "range": [0, 1]} | words | rest


@cache
def shop() -> FeatureSet:
    """The compiled declarations of ``shop_settings``."""
    return FeatureSet(shop_settings())


@cache
def retail() -> FeatureSet:
    """The shipped retail declarations."""
    return FeatureSet(load().customers)


def steps(features: FeatureSet, natural: Mapping[str, float]) -> NDArray[np.float64]:
    """A vector in steps, shape (d,), from natural units; features that are not named stand in the middle."""
    vector = np.zeros(len(features.names))
    for column, feature in enumerate(features.features):
        if feature.name in natural:
            ends = np.array([*feature.range, natural[feature.name]])
            low, high, at = np.log1p(ends) if feature.transform == "log1p" else ends
            vector[column] = (at - low) / (high - low) * STEPS - STEPS // 2
    return vector


def model(
    features: FeatureSet,
    segments: Mapping[int, Mapping[str, float]],
    *,
    weights: Mapping[str, float] | None = None,
    version: int = 1,
    epoch: int = 1,
    margin: float = 0.25,
    retiring: Iterable[int] = (),
    sd: float = 3000.0,
) -> Snapshot:
    """A model with a segment at each place (natural units), a cell there and cells around it.

    ``weights``: only these features count; default all, as declared.
    """
    d = len(features.names)
    weight = features.weight if weights is None else np.array([weights.get(n, 0.0) for n in features.names])
    scale = Scale(np.zeros(d), np.full(d, sd), weight, 6.0)
    places = {number: steps(features, place) for number, place in segments.items()}
    leaving = set(retiring)
    known = tuple(
        Segment(number, f"name of {number}", tuple(scale.z(at[None])[0]), 1.0, 10, retiring=number in leaving)
        for number, at in places.items()
    )
    around = [at + off for at in places.values() for off in (np.zeros(d), *(np.eye(d) * sd), *(np.eye(d) * -sd))]
    return Snapshot(
        version=version,
        epoch=epoch,
        features_id=features.features_id,
        features=features.names,
        scale=scale,
        segments=known,
        cell_ids=np.arange(1, len(around) + 1),
        cell_positions=np.array(around),
        margin=margin,
        names={segment.number: segment.name for segment in known},
    )


def shop_model(**changes: Any) -> Snapshot:
    """Three segments of the little shop: 1 occasional and small baskets, 2 frequent and small ones, 3 large ones."""
    places = {
        1: {"orders": 6.0, "basket": 20.0},
        2: {"orders": 15.0, "basket": 20.0},
        3: {"orders": 5.0, "basket": 400.0},
    }
    return model(shop(), places, weights={"orders": 1.0, "basket": 0.7, "fresh": 0.2}, **changes)


def random_model(features: FeatureSet, y: Vectors, k: int, cells: int, rng: np.random.Generator) -> Snapshot:
    """A model whose segments and cells stand where some of these vectors do."""
    scale = Scale(y.mean(axis=0), np.maximum(y.std(axis=0), 1.0), features.weight, 3.0)
    chosen = y[rng.choice(len(y), k, replace=False)]
    segments = tuple(
        Segment(i + 1, f"name of {i + 1}", tuple(z), 1.5, 10) for i, z in enumerate(scale.z(chosen).tolist())
    )
    return Snapshot(
        version=1,
        epoch=1,
        features_id=features.features_id,
        features=features.names,
        scale=scale,
        segments=segments,
        cell_ids=np.arange(1, cells + 1),
        cell_positions=y[rng.choice(len(y), cells, replace=len(y) < cells)].astype(np.float64),
        margin=0.25,
        names={s.number: s.name for s in segments},
    )
