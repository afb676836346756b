"""Whatever orders a file has, what is suggested loads, and the service can compute with it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits

from consumers.suggesting.command import suggested
from consumers.suggesting.declaring import suggest
from consumers.suggesting.sample import Sample
from consumers.suggesting.writing import written
from producers.files import read_orders
from stream.contracts.events import Event
from stream.customer.features import FeatureSet
from stream.errors import RejectedEvent, SettingsError
from stream.settings import CustomerSettings, load
from tests.customer.folding import folded
from tests.helpers import event
from tests.producers.reading import decoded

numbers = st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0, 5e-324, 1e9, -1e9])
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=85)
ROW = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["ann", "bob", "cid", "\u202eevil"]) | texts,
        "time": st.integers(600_000_000, 2_000_000_000),
        "amount": numbers,
    },
    optional={
        "items": numbers,
        "discount": numbers.map(abs),
        "category": st.sampled_from(["FRESH", "weekend", 'quo"te', "category 2", "\x7f\\", "寿司"]) | texts,
        "private_label": st.booleans(),
    },
)


@limits(max_examples=150)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_what_is_suggested_loads_or_nothing_is(said: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        path, out = Path(folder, "orders.jsonl"), Path(folder, "s.toml")
        path.write_text("".join(json.dumps(row) + "\n" for row in said))
        try:
            suggested(path, "", None, out)
        except SettingsError:
            assert not out.exists()
        else:
            compute(load(out).customers, sample_of(path))


def sample_of(path: Path) -> list[Event]:
    """As many of the orders as the contract accepts."""
    events = list[Event]()
    for order in read_orders(path, {}):
        with suppress(RejectedEvent):
            events += decoded([order])
    return events


def compute(customers: CustomerSettings, events: list[Event]) -> None:
    """A vector of each customer, as the service has it."""
    features = FeatureSet(customers)
    for who in {one.customer_id for one in events}:
        rows = folded(features, [one for one in events if one.customer_id == who])
        y = features.y(rows["sums"], rows["first_at"], rows["newest_at"], rows["newest_at"])
        assert np.isfinite(features.natural(y)).all()


@pytest.mark.parametrize("name", ["a\nb = 1.csv", 'x"y', "\x7f\x1b[31m", "größe.csv", "\ud800"])
def test_the_name_of_a_file_cannot_write_settings(name: str, tmp_path: Path) -> None:
    text = written(suggest(Sample(name, [event("c", 1_700_000_000_000, 5.0)], 1, 1)))
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "s.toml").profile == "none"
