"""Small pages, so that a restore of twelve customers has several."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import consumers.restoring


@pytest.fixture(scope="package", autouse=True)
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumers.restoring, "PAGE", 3)
        yield
