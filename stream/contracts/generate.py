"""Writes the public contract into ``schemas/``: JSON Schema of every message, and one AsyncAPI document."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from stream.contracts import changes, segments
from stream.contracts.asyncapi import document
from stream.contracts.payloads import AnyEvent
from stream.settings import TopicSettings

SCHEMAS = Path(__file__).parent / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """A field's name is title enough."""

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:
        return False


def contract() -> dict[str, str]:
    """File name -> text of every file of the contract."""
    schemas: dict[str, tuple[str, TypeAdapter[Any]]] = {
        "customer-event": ("Customer event", TypeAdapter(AnyEvent)),
        "segment-change": ("Segment change", changes.CHANGE.adapter),
        "ledger-entry": ("Ledger entry", segments.LEDGER_ENTRY.adapter),
        "segment-profile": ("Segment profile", segments.PROFILE.adapter),
    }
    documents = {name: _schema(name, title, adapter) for name, (title, adapter) in schemas.items()}
    documents["asyncapi"] = document(TopicSettings())
    return {f"{name}.json": json.dumps(d, indent=2, ensure_ascii=False) + "\n" for name, d in documents.items()}


def _schema(name: str, title: str, adapter: TypeAdapter[Any]) -> dict[str, Any]:
    body = adapter.json_schema(schema_generator=_Untitled)
    return {"$schema": DRAFT, "$id": f"urn:segstream:schema:{name}:1"} | body | {"title": title}


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 1 if ``--check`` found a stale file."""
    parser = argparse.ArgumentParser(prog="python -m stream.contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    check = parser.parse_args(arguments).check
    stale = [name for name, text in contract().items() if _text(SCHEMAS / name) != text]
    if not check:
        SCHEMAS.mkdir(exist_ok=True)
        for name, text in contract().items():
            (SCHEMAS / name).write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'stale' if check else 'written'}: {SCHEMAS.name}/{name}")
    return int(check and bool(stale))


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
