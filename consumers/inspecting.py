"""What the inspecting commands do: read the view and the change topic, show it. They never write anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from consumers.dossier import dossier
from consumers.kafka_tail import KafkaTail
from consumers.showing import segments_table, segments_words
from consumers.showing.customer import customer_page
from consumers.showing.customers import Row, csv_lines, customers_table
from consumers.topics import topic_identity
from stream.customer.features import FeatureSet
from stream.settings import Tree
from stream.view.reader import Reader
from stream.view.redis_reader import RedisReader

PIPE_WIDTH = 120
"""Columns where there is no terminal to fit."""
SHOWN = 50
"""Customers in a table, unless said otherwise."""


def console() -> Console:
    """The terminal. Nothing is parsed for markup, emoji or numbers: most of it is other people's text."""
    plain = Console(markup=False, emoji=False, highlight=False)
    return plain if plain.is_terminal else Console(markup=False, emoji=False, highlight=False, width=PIPE_WIDTH)


def show(out: Console, shown: RenderableType) -> None:
    """Print it; into a pipe without the blanks that pad lines to the width of a terminal."""
    if out.is_terminal:
        out.print(shown)
        return
    with out.capture() as captured:
        out.print(shown)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


def show_customer(settings: Tree, customer: str, *, as_json: bool) -> None:
    """Print all that is known of a customer. Raises ``SegstreamError`` when nothing is."""
    features = FeatureSet(settings.customers)
    topic = settings.topics.changes
    _, partitions = topic_identity(settings, topic)
    with closing(RedisReader(settings.redis)) as reader, closing(KafkaTail(settings.kafka)) as tail:
        found = dossier(reader, tail, customer, topic=topic, features=features, partitions=partitions)
    if as_json:
        print_json(found.to_json())
    else:
        show(console(), customer_page(found))


def list_customers(
    settings: Tree, *, segment: str | None, status: str | None, as_csv: bool, as_json: bool, limit: int | None
) -> None:
    """Print the customers that are in a segment, have a status, or both; CSV and JSON lines in no order."""
    with closing(RedisReader(settings.redis)) as reader:
        rows = matching(reader, segment, status)
        if as_csv:
            for line in csv_lines(islice(rows, limit)):
                print(line)
        elif as_json:
            for row in islice(rows, limit):
                print_json(dict(row))
        else:
            _print_table(rows, limit or SHOWN)


def list_segments(settings: Tree, *, as_json: bool) -> None:
    """Print the segments as the newest model has them."""
    with closing(RedisReader(settings.redis)) as reader:
        profiles = reader.segments()
    if as_json:
        print_json({"segments": list(profiles.values())})
    elif profiles:
        show(console(), Group(segments_words(profiles), segments_table(profiles)))
    else:
        wanted = settings.model.warmup_customers
        console().print(f"no segments yet: the first come when {wanted:,} customers have been seen")


def matching(reader: Reader, segment: str | None, status: str | None) -> Iterator[Row]:
    """Rows of the customers asked for, under the present names of their segments."""
    names = {id_: str(profile["name"]) for id_, profile in reader.segments().items()}
    for customer, fields in reader.customers(segment):
        if status in (None, fields["status"]):
            name = names.get(fields["id"], fields["name"])
            yield {"customer_id": customer.decode(errors="backslashreplace"), **fields, "name": name}


def print_json(document: dict[str, Any]) -> None:
    """One line, in ASCII: no terminal can be upset by it."""
    print(json.dumps(document))


def _print_table(rows: Iterator[Row], limit: int) -> None:
    out, shown = console(), list(islice(rows, limit))
    if not shown:
        out.print("no such customers")
        return
    show(out, customers_table(sorted(shown, key=lambda row: row["customer_id"])))
    if next(rows, None) is not None:
        out.print(Text(f"{limit:,} shown, there are more: --limit, or --csv for all", "dim"))
