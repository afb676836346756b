"""The mutations fit the code as it is: one that finds nothing to take out would be noticed only when all are run."""

from __future__ import annotations

import pytest

from benchmarks.mutations import MUTATIONS, ROOT, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_there_is_exactly_one_place_to_mutate(mutation: Mutation) -> None:
    assert mutation.is_in((ROOT / mutation.file).read_text())
    assert all((ROOT / word).exists() for word in mutation.tests.split() if "/" in word)
