"""What the documents name is there: tests, metrics, settings, commands, and the sentences with which we halt."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from typer.main import get_command

from consumers.cli import app
from stream.health import WorkerHealth
from stream.metrics import OwnerMetrics, WorkerMetrics
from stream.process_info import ProcessInfo
from stream.settings import Tree

ROOT = Path(__file__).parent.parent
GUARANTEES, RUNBOOKS = ((ROOT / "docs" / name).read_text() for name in ("guarantees.md", "runbooks.md"))
PAGES = {
    path: path.read_text() for path in (*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md")
}
FOLDERS = ("stream", "producers", "consumers", "benchmarks", "tests")

# Where a worker or an owner can halt for a person to decide.
HALTING = [
    "consumers/chain.py",
    "consumers/restoring.py",
    "consumers/takeover.py",
    "consumers/topics.py",
    "consumers/kafka_reading.py",
    "consumers/kafka_source.py",
    "producers/kafka_client.py",
    "producers/refusals.py",
    "stream/view/redis_store.py",
]
HALTS = {"SettingsError", "Disagreement", "IncompleteJournal", "BadRecord", "gone"}
# ... but not these: they end commands.
OTHERS = ("; delete it, or choose another name",)

documents = pytest.mark.parametrize("text", PAGES.values(), ids=[path.stem for path in PAGES])


def code(text: str) -> list[str]:
    """What is set in code, line breaks as blanks; without whole blocks."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]


def spoken(node: ast.expr, path: str) -> str:
    """A message as the source has it: … where something is filled in."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(spoken(part, path) for part in node.values)
        case ast.Name() if node.id.isupper():
            return str(getattr(import_module(path.removesuffix(".py").replace("/", ".")), node.id))
        case _:
            return "…"


@cache
def halts() -> dict[str, str]:
    """Every sentence with which the service halts, by where it is raised."""
    found = {}
    for path in HALTING:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            match node:
                case ast.Raise(exc=call) | ast.Return(value=call):
                    pass
                case _:
                    continue
            match call:
                case ast.Call(func=ast.Name(id=kind), args=[message, *_]) if kind in HALTS:
                    found[f"{path}:{node.lineno}"] = re.sub("…+", "…", spoken(message, path))
    return {where: said for where, said in found.items() if not any(other in said for other in OTHERS)}


def quoted() -> list[str]:
    """The sentences that the runbooks quote, in block quotes."""
    return [line.removeprefix("> ").strip() for line in RUNBOOKS.splitlines() if line.startswith("> ")]


def metrics() -> set[str]:
    """Every metric of a worker and an owner, as it is scraped."""
    worker, owner = CollectorRegistry(), CollectorRegistry()
    ProcessInfo(worker, Tree())
    WorkerMetrics(worker)
    OwnerMetrics(owner)
    families = [family for registry in (worker, owner) for family in registry.collect()]
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def settings(node: type[BaseModel] = Tree, above: str = "") -> Iterator[str]:
    """``section.name`` of every setting."""
    for name, field in node.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{above}{name}.")
        else:
            yield f"{above}{name}"


@documents
def test_every_test_that_is_named_exists(text: str) -> None:
    named = [name for name in code(text) if name.startswith("tests/")]
    missing = []
    for name in named:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text()) if (ROOT / path).is_file() else ast.Module([], [])
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        is_whole_file = not function and text not in (GUARANTEES, RUNBOOKS)
        if not defined or not (is_whole_file or (function.startswith("test_") and function in defined)):
            missing.append(name)
    assert missing == []
    assert named or text != GUARANTEES


def test_every_promise_names_a_test() -> None:
    rows = [line for line in GUARANTEES.splitlines() if line.startswith("| ") and not line.startswith("| Promised")]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.split("|")[2]] == []


@documents
def test_every_metric_that_is_named_exists(text: str) -> None:
    named = set(re.findall(r"\bsegstream_\w+", text))
    begun = {name for name in named if name.endswith("_") and any(metric.startswith(name) for metric in metrics())}
    assert named - begun - metrics() == set()


def test_every_metric_of_a_workers_health_has_a_runbook() -> None:
    registry = CollectorRegistry()
    WorkerHealth(registry)
    names = {f"{f.name}_total" if f.type == "counter" else f.name for f in registry.collect()}
    assert names - set(code(RUNBOOKS)) == set()


def test_every_runbook_says_what_is_seen_and_what_to_do() -> None:
    pages = RUNBOOKS.split("\n### ")[1:]
    assert len(pages) > 20
    assert [page.splitlines()[0] for page in pages if "- **See**" not in page or "- **Do**" not in page] == []


@documents
def test_every_setting_that_is_named_exists(text: str) -> None:
    sections = "|".join(name for name in Tree.model_fields)
    named = {name for name in code(text) if re.fullmatch(rf"({sections})\.[a-z_]+", name)}
    assert named - set(settings()) == set()


@documents
def test_every_command_that_is_named_exists(text: str) -> None:
    commands = set(getattr(get_command(app), "commands"))  # noqa: B009 (click's types do not know it)
    named = {found.split()[1] for found in code(text) if re.match(r"segstream [a-z]+", found)}
    assert named - commands == set()


def test_every_sentence_that_halts_the_service_has_a_runbook() -> None:
    said = quoted()
    missing = {where: sentence for where, sentence in halts().items() if not any(q in sentence for q in said)}
    assert missing == {}


def test_every_sentence_that_is_quoted_is_said() -> None:
    sources = "\n".join(sorted(halts().values()))
    assert [sentence for sentence in quoted() if sentence not in sources] == []


def anchors(text: str) -> set[str]:
    """What a link into a page may end in: its headings, as GitHub writes them."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = [line.lstrip("# ").lower() for line in prose.splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]*)\)", PAGES[page]) if "://" not in link]
    missing = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(PAGES[target])):
            missing.append(link)
    assert missing == []


def test_every_section_of_the_design_that_is_cited_is_there() -> None:
    design = PAGES[ROOT / "docs" / "design.md"]
    sections = set(re.findall(r"^## (\d+)\.", design, flags=re.MULTILINE))
    sources = [path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".toml"}]
    cited = {number for path in sources for number in re.findall(r"\bDESIGN (\d+)", path.read_text())}
    assert "4" in cited
    assert cited - sections == set()
