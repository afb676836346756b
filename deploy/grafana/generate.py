"""Writes the dashboards as the JSON that Grafana is provisioned with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import drift, glance, pipeline

FOLDER = Path(__file__).parent / "dashboards"
_BUILDERS = {"glance": glance.build, "drift": drift.build, "pipeline": pipeline.build}


def dashboards() -> dict[str, str]:
    """File name -> its text."""
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {f"{name}.json": encoder.encode(build()) + "\n" for name, build in _BUILDERS.items()}


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 1 if ``--check`` found a stale file."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    check = parser.parse_args(arguments).check
    stale = [name for name, text in dashboards().items() if _text(FOLDER / name) != text]
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if not check:
            (FOLDER / name).write_text(dashboards()[name], encoding="utf-8")
        print(f"{'stale' if check else 'written'}: {FOLDER.name}/{name}")
    return int(check and bool(stale))


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
