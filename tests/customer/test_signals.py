"""Raw signals are read off the declarations."""

from __future__ import annotations

import numpy as np

from stream.customer.features import FeatureSet
from stream.customer.signals import RawSignals
from stream.settings import load


def test_sums_are_logarithms_and_mixes_shares_and_counts_are_no_signals() -> None:
    features = FeatureSet(load(flags={"profile": "retail"}).customers)
    signals = RawSignals(features)
    assert signals.names[:5] == ("spend", "items", "discount", "private_label", "departments.GROCERY")
    assert len(signals.names) == 4 + 8
    x = np.zeros((2, features.width))
    x[0, features.slots["spend"].first] = np.expm1(3.0)
    x[1, features.slots["spend"].first] = -np.expm1(2.0)
    departments = features.slots["departments"]
    x[0, departments.first], x[0, departments.total] = 15.0, 20.0
    values = signals.values(x)
    assert values[:, 0].tolist() == [3.0, -2.0]
    assert values[:, 4].tolist() == [0.75, 0.0]


def test_declarations_without_sums_have_no_signals() -> None:
    features = FeatureSet(load(flags={"profile": "none"}).customers)
    assert RawSignals(features).values(np.zeros((3, features.width))).shape == (3, 0)
