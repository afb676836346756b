"""Sources that take seconds to prepare, prepared once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from producers.journey import Journey
from producers.orders import Encoded
from producers.personas import Personas, PersonasPlan
from stream.errors import SettingsError
from tests.servers import missing


@pytest.fixture
def pyarrow() -> Any:
    """pyarrow, with ``csv`` and ``parquet``."""
    try:
        import_module("pyarrow.csv")
        import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        missing("pyarrow is not installed")
    return import_module("pyarrow")


@pytest.fixture(scope="session")
def journey() -> Journey:
    source = Journey()
    try:
        len(source)
    except SettingsError as error:
        missing(str(error))
    return source


@pytest.fixture(scope="session")
def journey_events(journey: Journey) -> list[Encoded]:
    return list(journey)


@pytest.fixture(scope="session")
def personas() -> Personas:
    return Personas(PersonasPlan())


@pytest.fixture(scope="session")
def personas_events(personas: Personas) -> list[Encoded]:
    return list(personas)
