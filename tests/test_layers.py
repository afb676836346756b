"""The folders are the flow: imports run downwards only, and each library has its one place (DESIGN 8)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Who may import what; whatever is not said here, and not the unit itself, is forbidden.
CORE = "stream.errors stream.settings stream.contracts"
OURS = "stream producers consumers"
LAYERS = {
    "stream.__init__": "",
    "stream.errors": "",
    "stream.packing": "stream.errors",
    "stream.settings": "stream.errors",
    "stream.contracts": "stream.errors stream.settings",
    "stream.customer": f"{CORE} stream.packing",
    "stream.drift": f"{CORE} stream.packing",
    "stream.model": f"{CORE} stream.packing stream.customer stream.drift",
    "stream.decision": f"{CORE} stream.customer stream.drift stream.model",
    "stream.view": f"{CORE} stream.packing stream.customer",
    "stream.health": "",
    "stream.drift_metrics": "stream.drift",
    "stream.batch_histogram": "",
    "stream.certainty": "stream.batch_histogram stream.customer stream.model",
    "stream.pace": "stream.batch_histogram",
    "stream.process_info": "stream.settings",
    "stream.metrics": f"{CORE} stream.health stream.drift_metrics stream.model stream.decision"
    " stream.certainty stream.pace",
    "stream.metrics_page": "stream.metrics stream.process_info stream.settings",
    "producers": CORE,
    "consumers": "producers stream",
}
# Where alone a library or a call may stand. The core has no clock, no environment and no sockets of its own.
CONFINED = {
    "kafka": "producers/kafka_*.py consumers/kafka_*.py consumers/groups.py consumers/topics.py",
    "confluent_kafka": "producers/librdkafka_*.py consumers/librdkafka_*.py",
    "redis": "stream/view/redis_*.py",
    "river": "stream/model/* stream/drift/*",
    "os.environ": "consumers/cli.py",
    "os.getenv": "consumers/cli.py",
    "time": "producers/* consumers/*",
    "datetime.datetime.now": "producers/* consumers/*",
    "datetime.datetime.utcnow": "",
    "datetime.datetime.today": "",
    "datetime.date.today": "",
    "os": "producers/* consumers/*",
    "socket": "producers/* consumers/*",
    "subprocess": "producers/* consumers/*",
    "pickle": "",
    "marshal": "",
    "shelve": "",
    "joblib": "",
    "dill": "",
    "cloudpickle": "",
}


def sources() -> dict[str, str]:
    """Path -> source of everything that ships."""
    paths = (path for folder in ("stream", "producers", "consumers") for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def dotted(path: str) -> str:
    """``stream/view/__init__.py`` -> ``stream.view.__init__``."""
    return path.removesuffix(".py").replace("/", ".")


def mentions(source: str) -> set[str]:
    """Dotted names of all that is imported, or reached through an import, wherever in the file it stands."""
    imported: dict[str, str] = {}
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        if isinstance(node, ast.Import):
            imported |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            imported |= {alias.asname or alias.name: f"{package}.{alias.name}" for alias in node.names}
    reached = (ast.unparse(node).partition(".") for node in nodes if isinstance(node, ast.Attribute))
    return {
        *imported.values(),
        *(f"{imported[first]}.{rest}" for first, _, rest in reached if first in imported),
    }


def within(name: str, units: str) -> bool:
    """Whether a dotted name is one of the units or inside one."""
    return any(name == unit or name.startswith(f"{unit}.") for unit in units.split())


def breaches(path: str, source: str) -> Iterator[str]:
    """One line for each breach of the two tables."""
    own = next((unit for unit in LAYERS if within(dotted(path), unit)), "")
    if not own:
        yield f"{path} has no row in LAYERS"
        return
    for name in sorted(mentions(source)):
        if name.startswith(".") or (within(name, OURS) and not within(name, f"{own} {LAYERS[own]}")):
            yield f"{path} may not import {name}"
        for confined, places in CONFINED.items():
            if within(name, confined) and not any(fnmatch(path, place) for place in places.split()):
                yield f"{path} may not use {name}"


def cycle(files: Mapping[str, str]) -> list[str]:
    """Modules that import each other in a ring, lazily or not; empty if there is none."""
    by_module = {dotted(path).removesuffix(".__init__"): source for path, source in files.items()}
    graph = {
        here: {name if name in by_module else name.rpartition(".")[0] for name in mentions(source)} - {here}
        for here, source in by_module.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_run_downwards_and_libraries_stay_in_their_place() -> None:
    assert [breach for path, source in sources().items() for breach in breaches(path, source)] == []


def test_no_module_imports_itself_through_others() -> None:
    assert cycle(sources()) == []


def test_no_row_is_left_over() -> None:
    assert [unit for unit in LAYERS if not any(within(dotted(path), unit) for path in sources())] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stream/decision/x.py", "from consumers.worker import Worker"),
        ("stream/customer/x.py", "def f():\n    import producers.sink"),
        ("stream/customer/x.py", "from stream.decision import step"),
        ("stream/model/x.py", "from stream import decision"),
        ("stream/model/x.py", "from stream.view.store import Store"),
        ("stream/view/x.py", "from stream.model.snapshot import Snapshot"),
        ("stream/decision/x.py", "from .assign import nearest"),
        ("stream/novel/x.py", "x = 1"),
        ("producers/x.py", "from consumers.source import Record"),
        ("producers/x.py", "from stream.decision.step import Stepper"),
        ("consumers/worker.py", "from kafka.errors import KafkaError"),
        ("consumers/clients.py", "from confluent_kafka import Consumer"),
        ("stream/view/journal.py", "import redis.client"),
        ("stream/decision/x.py", "from river import cluster"),
        ("consumers/worker.py", "import os\nhome = os.environ['HOME']"),
        ("consumers/worker.py", "from os import environ as e"),
        ("stream/model/x.py", "import pickle"),
        ("consumers/x.py", "import joblib as j"),
        ("stream/customer/x.py", "from time import time"),
        ("stream/customer/x.py", "import time as t\nt.monotonic()"),
        ("stream/contracts/x.py", "from datetime import datetime\ndatetime.now()"),
        ("stream/contracts/x.py", "import datetime as dt\ndt.datetime.now(dt.UTC)"),
    ],
)
def test_a_breach_is_found(path: str, source: str) -> None:
    assert list(breaches(path, source)) != []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("consumers/cli.py", "import os\nfrom stream.decision.step import Stepper\nos.environ"),
        ("stream/view/redis_store.py", "from redis import exceptions"),
        ("stream/contracts/x.py", "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)"),
        ("stream/metrics.py", "from stream.decision.batch import Step\nnow = 1\nx.time.time()"),
    ],
)
def test_what_is_allowed_is_not_a_breach(path: str, source: str) -> None:
    assert list(breaches(path, source)) == []


def test_a_ring_is_found_also_when_an_import_is_lazy() -> None:
    ring = {
        "stream/model/a.py": "from stream.model.b import f",
        "stream/model/b.py": "def f():\n    from stream.model import c",
        "stream/model/c.py": "import stream.model.a",
    }
    assert set(cycle(ring)) == {"stream.model.a", "stream.model.b", "stream.model.c"}
    assert cycle({path: source for path, source in ring.items() if "b.py" not in path}) == []
