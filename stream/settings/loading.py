"""Settings from four places, the later over the earlier: shipped profile, file, environment, flags."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stream.errors import SettingsError
from stream.settings.tree import Tree

PREFIX = "SEGSTREAM_"


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Tree:
    """Read the settings.

    ``environ`` names a setting as ``SEGSTREAM_KAFKA__BOOTSTRAP_SERVERS``; ``flags`` as ``{"model": {"kind": ...}}``.

    >>> load(environ={"SEGSTREAM_MODEL__SEGMENTS": "6"}).model.segments
    6

    Raises ``SettingsError``, naming the setting and what is wrong with it.
    """
    above = _merge(_merge(_of_file(file), _of_environ(environ or {})), flags or {})
    profile = above.get("profile", "retail")
    try:
        return Tree.model_validate(_merge(_shipped(profile), above))
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong. The value is not repeated: it may be a secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    *section, name = first["loc"] or ("settings",)
    where = ".".join(map(str, first["loc"])) or "settings"
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(str(name), _names(section), n=1)
    meant = ".".join(map(str, [*section, *near]))
    return f"{where}: there is no such setting" + (f"; did you mean {meant}?" if near else "")


def _names(section: Sequence[int | str]) -> list[str]:
    """Names of the settings in a section, as far as the tree goes down by name."""
    node: Any = Tree
    for step in section:
        fields = getattr(node, "model_fields", {})
        node = fields[step].annotation if step in fields else None
    return list(getattr(node, "model_fields", {}))


def _shipped(profile: object) -> dict[str, Any]:
    path = files("stream.settings") / f"{profile}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _of_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {file} is not TOML: {error}") from error


def _of_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in environ.items():
        if key.startswith(PREFIX):
            *sections, leaf = key.removeprefix(PREFIX).lower().split("__")
            node = tree
            for section in sections:
                node = node.setdefault(section, {})
                if not isinstance(node, dict):
                    raise SettingsError(f"{key}: {section} is a section and cannot have a value of its own")
            node[leaf] = value
    return tree


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
