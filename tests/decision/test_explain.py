from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.customer.features import STEPS
from stream.decision.assign import NONE, Assigner
from stream.decision.explain import Explainer
from stream.model.snapshot import Snapshot
from tests.helpers import DAY_MS, HOUR_MS, MONDAY_MS, event, model, shop, shop_model, steps
from tests.town import Town

D = len(shop().names)
HALF = STEPS // 2


def crowd(seed: int, n: int) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-HALF, HALF + 1, (n, D)).astype(np.int16)


def chance_model(seed: int) -> Snapshot:
    """Four segments anywhere, the last one retiring; two features have no weight."""
    rng = np.random.default_rng(seed)
    snapshot = shop_model(margin=float(rng.choice([0.0, 0.1, 0.25])))
    weight = np.array([1.0, 0.5, 0.7, 0.0, 2.0, 0.0])
    scale = replace(
        snapshot.scale, mean=rng.uniform(-4e3, 4e3, D), sd=rng.uniform(2e3, 9e3, D), weight=weight, clip=2.5
    )
    z = scale.z(crowd(seed + 1, 4))
    first = snapshot.segments[0]
    segments = tuple(
        replace(first, number=i + 1, centroid=tuple(at), retiring=i == 3) for i, at in enumerate(z.tolist())
    )
    return replace(snapshot, scale=scale, segments=segments)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_contributions_are_shares_and_features_are_in_natural_units(seed: int) -> None:
    explainer = Explainer(shop(), Assigner(chance_model(seed)))
    entry, now, old = crowd(seed + 2, 20), crowd(seed + 3, 20), np.arange(20) % 4
    new = (old + 1) % 4 + 1
    natural = shop().natural(now)
    for i, reasons in enumerate(explainer.reasons(entry, now, old, new)):
        shares = [reason.contribution for reason in reasons]
        assert len(reasons) <= 3
        assert all(share > 0 for share in shares)
        assert sum(shares) <= 1 + 1e-12
        assert shares == sorted(shares, reverse=True)
        for reason in reasons:
            assert explainer.assigner.snapshot.scale.weight[reason.feature] > 0
            assert reason.after == natural[i, reason.feature]


@pytest.mark.parametrize("feature", ["orders", "basket", "fresh"])
def test_what_alone_has_changed_is_the_only_reason(feature: str) -> None:
    start = {"orders": 5.0, "basket": 50.0, "fresh": 0.5}
    end = start | {feature: {"orders": 50.0, "basket": 500.0, "fresh": 1.0}[feature]}
    explainer = Explainer(shop(), Assigner(model(shop(), {1: start, 2: end})))
    entry, now = (np.rint(steps(shop(), place))[None].astype(np.int16) for place in (start, end))
    ((reason,),) = explainer.reasons(entry, now, np.array([1]), np.array([2]))
    assert (shop().names[reason.feature], reason.contribution) == (feature, 1.0)
    assert (reason.before, reason.after) == pytest.approx((start[feature], end[feature]), rel=1e-3)


def test_from_no_segment_the_average_customer_is_compared_with() -> None:
    explainer = Explainer(shop(), Assigner(shop_model()))
    now = np.rint(steps(shop(), {"orders": 50.0}))[None].astype(np.int16)
    for nowhere in (NONE, 77):  # 77 is not in the model any more
        ((reason, *_),) = explainer.reasons(now, now, np.array([nowhere]), np.array([2]))
        assert reason.feature == shop().names.index("orders")
        assert reason.before == pytest.approx(shop().natural(explainer.assigner.snapshot.scale.mean)[reason.feature])


def cheapest(assigner: Assigner, y: NDArray[np.int16], old: int) -> float:
    """Least move, in standard deviations, of one weighted feature to any step at which the old segment is held."""
    scale, least, everywhere = assigner.snapshot.scale, np.inf, np.arange(-HALF, HALF + 1)
    for feature in np.flatnonzero(scale.weight > 0):
        others = np.repeat(y[None], len(everywhere), axis=0)
        others[:, feature] = everywhere
        stays = ~assigner.moves(assigner.distances(others), np.full(len(others), old))
        if stays.any():
            least = min(least, float(np.abs(everywhere[stays] - y[feature]).min() / scale.sd[feature]))
    return least


@given(st.integers(0, 10_000))
@settings(max_examples=12)
def test_a_counterfactual_holds_the_old_segment_and_none_is_smaller(seed: int) -> None:
    assigner = Assigner(chance_model(seed))
    scale, y = assigner.snapshot.scale, crowd(seed + 2, 6)
    old = np.array([1, 2, 3, 1, 2, 3])
    leaving = assigner.moves(assigner.distances(y), old)
    y, old = y[leaving], old[leaving]
    for now, held, found in zip(y, old.tolist(), Explainer(shop(), assigner).counterfactuals(y, old), strict=True):
        least = cheapest(assigner, now, held)
        assert (found is None) == (least == np.inf)
        if found is None:
            continue
        name, otherwise = shop().names[found.feature], now.copy()
        otherwise[found.feature] = np.rint(steps(shop(), {name: found.value})[found.feature])
        assert not assigner.moves(assigner.distances(otherwise[None]), np.array([held])).any()
        assert found.now == shop().natural(now)[found.feature]
        moved = abs(int(otherwise[found.feature]) - int(now[found.feature])) / scale.sd[found.feature]
        assert moved == pytest.approx(least, abs=1.01 / scale.sd[found.feature])


def test_there_is_no_counterfactual_to_what_cannot_be_held() -> None:
    """Not from nowhere, not into a segment that is gone or going, not where no single feature is enough."""
    one, other = ({"fresh": at, "variety": at, "weekend": at} for at in (0.1, 0.9))
    weights = dict.fromkeys(one, 1.0)
    assigner = Assigner(model(shop(), {1: one, 2: other, 3: one}, weights=weights, retiring=[3], margin=0.0))
    y = np.rint(steps(shop(), other))[None].astype(np.int16)
    for old in (NONE, 77, 3, 1):
        assert Explainer(shop(), assigner).counterfactuals(y, np.array([old])) == [None]


def test_nobody_needs_no_explanation() -> None:
    explainer = Explainer(shop(), Assigner(shop_model()))
    none, nobody = np.zeros(0, dtype=np.int64), crowd(0, 0)
    assert explainer.reasons(nobody, nobody, none, none) == []
    assert explainer.counterfactuals(nobody, none) == []


def test_the_rungs_ask_the_last_vector_and_then_the_aged_state() -> None:
    town = Town(shop(), shop_model())
    town.live([event("c", MONDAY_MS + i * 2 * DAY_MS, 20.0) for i in range(25)])
    rows = town.rows()
    start = rows["looked_at"]
    soon, late = start + HOUR_MS, start + 27 * DAY_MS
    steady, moved = (Explainer(shop(), Assigner(snapshot)) for snapshot in (shop_model(), shop_model(retiring=[2])))
    assert [rung.tolist() for rung in steady.rungs(rows, soon)] == [[2], [2]]
    assert [rung.tolist() for rung in steady.rungs(rows, late)] == [[2], [1]]
    assert [rung.tolist() for rung in moved.rungs(rows, soon)] == [[1], [1]]
