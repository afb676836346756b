"""``segstream settings suggest``: reads the orders, writes the settings, and makes sure that they load."""

from __future__ import annotations

import tomllib
from pathlib import Path

from consumers.suggesting.declaring import Suggestion, suggest
from consumers.suggesting.sample import read_sample
from consumers.suggesting.writing import period, written
from producers.files import parse_columns
from stream.errors import SettingsError
from stream.settings import Tree


def suggested(file: Path, columns: str, timezone: str | None, out: Path | None) -> str:
    """What to print: the settings themselves, or what was written to ``out``.

    Raises ``SettingsError``, naming what is wrong with the file, its columns or ``out``.
    """
    if not file.is_file():
        raise SettingsError(f"'{file}' is not a file")
    if out is not None and out.exists():
        raise SettingsError(f"--out {out} exists already: delete it, or choose another name")
    suggestion = suggest(read_sample(file, parse_columns(columns), timezone))
    text = written(suggestion)
    Tree.model_validate(tomllib.loads(text))  # what does not load is a bug of ours, and is not to be written
    if out is None:
        return text
    _write(out, text)
    return f"{out}: {_summary(suggestion)}\nTo run with it: segstream --settings {out} run\n"


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(f"--out {out} cannot be written: {error.strerror}") from error


def _summary(suggestion: Suggestion) -> str:
    sample, constant = suggestion.sample, sorted(suggestion.near_constant)
    said = f"{len(suggestion.features)} features for {sample.customers:,} customers, "
    said += f"typical gap {period(suggestion.pace.typical_gap_days)}"
    return f"{said}; near-constant: {', '.join(constant)}" if constant else said
