from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from consumers import demo, running
from consumers.cli import app, flags
from consumers.embedded import free_port
from stream.errors import BrokerUnavailable, SettingsError
from stream.settings import Tree

COMMANDS = ["run", "demo", "watch", "customers", "segments", "doctor", "audit", "pause", "resume", "dashboard"]
COMMANDS += ["customer", "migrate", "model", "settings", "topics", "produce", "verify"]


@pytest.fixture(autouse=True)
def _alone(quiet_logging: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder and without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SEGSTREAM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Tree]:
    """The settings that an owner would run with."""
    settings: list[Tree] = []

    def owner(tree: Tree) -> int:
        settings.append(tree)
        return 0

    monkeypatch.setattr(running, "owner", owner)
    return settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_help_names_every_command_and_hides_those_of_the_supervisor() -> None:
    said = run("--help").stdout
    listed = [line.split()[1] for line in said.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert {*COMMANDS} <= {*listed}
    assert not {"worker", "owner"} & {*listed}


@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS,
        "produce replay",
        "customer show",
        "customer history",
        "model history",
        "segments merge",
        "settings suggest",
        "topics create",
    ],
)
def test_every_command_has_help(command: str) -> None:
    result = run(*command.split(), "--help")
    assert (result.exit_code, "Usage: " in result.stdout) == (0, True)


def test_the_version_is_told_whatever_the_settings_are() -> None:
    for arguments in (["--version"], ["--settings", "missing.toml", "--version"], ["--version", "segments"]):
        result = run(*arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, f"segstream {version('segstream')}\n", "")


def test_help_imports_nothing_that_only_commands_need() -> None:
    script = (
        "import sys, contextlib\n"
        "from consumers.cli import app\n"
        "with contextlib.suppress(SystemExit): app(['--help'])\n"
        "print('imported', *{'kafka', 'redis', 'river', 'numpy', 'scipy', 'pydantic', 'pandas'} & set(sys.modules))"
    )
    root = Path(running.__file__).parent.parent
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=root)
    assert out.stdout.splitlines()[-1] == "imported"


def test_settings_come_from_file_environment_and_flags_the_later_over_the_earlier(
    seen: list[Tree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[model]\nsegments = 6\ncells = 90\nseed = 1\n")
    monkeypatch.setenv("SEGSTREAM_MODEL__CELLS", "80")
    monkeypatch.setenv("SEGSTREAM_MODEL__SEED", "2")
    assert run("--settings", str(file), "--set", "model.seed=3", "owner").exit_code == 0
    assert (seen[0].model.segments, seen[0].model.cells, seen[0].model.seed) == (6, 80, 3)


def test_a_settings_file_in_the_folder_is_read_unasked(seen: list[Tree], tmp_path: Path) -> None:
    (tmp_path / "segstream.toml").write_text("[model]\nsegments = 7\n")
    run("owner")
    assert seen[0].model.segments == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "model.segments=many", "segments"], "model.segments: "),
        (["--set", "model.segmants=5", "segments"], "model.segmants: "),
        (["--set", "model.segments", "segments"], "--set model.segments: write section.name=value"),
        (["--set", "=1", "segments"], "--set : write section.name=value"),
        (["--set", "model=1", "--set", "model.seed=1", "segments"], "model is a section"),
        (["--settings", "missing.toml", "segments"], "missing.toml cannot be read"),
        (["--log-level", "loud", "segments"], "--log-level is one of"),
        (["demo", "--model", "magic"], "model.kind: "),
        (["--set", "redis.url=nowhere", "segments"], "redis.url cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("segstream: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_fails_is_one_sentence_and_exit_code_1() -> None:
    result = run("--set", f"redis.url=redis://:s3cret@127.0.0.1:{free_port()}", "segments")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be reached" in result.stderr
    assert "s3cret" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_error_that_quotes_other_peoples_text_cannot_write_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def owner(_: Tree) -> int:
        raise BrokerUnavailable("bad\x1b[2J\nsegstream: all is well")

    monkeypatch.setattr(running, "owner", owner)
    result = run("owner")
    assert (result.exit_code, result.stderr) == (1, "segstream: bad\\x1b[2J\\nsegstream: all is well\n")


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def owner(_: Tree) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "owner", owner)
    assert isinstance(run("owner").exception, ZeroDivisionError)


def test_run_hands_its_own_options_to_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[int, list[str]]] = []

    def supervise(_: Tree, workers: int, options: list[str]) -> int:
        called.append((workers, options))
        return 3

    monkeypatch.setattr(running, "run", supervise)
    file = tmp_path / "x.toml"
    file.write_text("")
    given = ["--settings", str(file), "--set", "model.seed=3", "--set", "model.cells=90", "--log-level", "debug"]
    assert run(*given, "run", "--workers", "2").exit_code == 3
    assert called == [(2, given)]


def test_a_worker_knows_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    slots: list[int] = []

    def worker(_: Tree, slot: int) -> int:
        slots.append(slot)
        return 0

    monkeypatch.setattr(running, "worker", worker)
    assert run("worker", "--slot", "4").exit_code == 0
    assert slots == [4]


def test_the_demo_takes_its_model_over_every_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, bool, bool, int | None]] = []

    def show(tree: Tree, *, headless: bool, as_json: bool, limit: int | None) -> int:
        asked.append((tree.model.kind, tree.model.seed, headless, as_json, limit))
        return 0

    monkeypatch.setattr(demo, "demo", show)
    options = ["--set", "model.kind=dbstream", "--set", "model.seed=9"]
    assert run(*options, "demo", "--headless", "--json", "--model", "kmeans", "--limit", "5").exit_code == 0
    assert run(*options, "demo").exit_code == 0
    assert asked == [("kmeans", 9, True, True, 5), ("dbstream", 9, False, False, None)]


def test_a_command_that_does_not_exist_is_exit_code_2() -> None:
    result = run("watchh")
    assert (result.exit_code, "watch" in result.stderr) == (2, True)


@pytest.mark.parametrize("assignments", [["a"], ["=1"], ["a..b=1"], [".a=1"], ["a=1", "a.b=2"]])
def test_flags_that_name_nothing_are_refused(assignments: list[str]) -> None:
    with pytest.raises(SettingsError):
        flags(assignments)


def test_flags_may_hold_any_value() -> None:
    assert flags(["redis.url=redis://u:p=q@h/0", "a.b="]) == {"redis": {"url": "redis://u:p=q@h/0"}, "a": {"b": ""}}
