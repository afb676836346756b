"""Many customers: a table for people, lines of CSV for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO

from rich.table import Table
from rich.text import Text

from consumers.printable import safe
from consumers.showing import styles
from consumers.showing.words import minute
from stream.contracts.timestamps import rfc3339

Row = Mapping[str, str]
"""``customer_id`` and the fields of the public hash ``segment:<customer>``."""

COLUMNS = (
    "customer_id",
    "id",
    "name",
    "status",
    "version",
    "previous",
    "cause",
    "since",
    "decided_at",
    "margin",
    "model_version",
    "provisional",
)
_TIMES = ("since", "decided_at")
_FORMULA = ("=", "+", "-", "@")


def customers_table(rows: Iterable[Row]) -> Table:
    """One line a customer, in the given order. Times are event time, UTC."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    table.add_column("customer", ratio=2, overflow="fold")
    table.add_column("segment", ratio=4, overflow="fold")
    table.add_column("status")
    table.add_column("since", width=len("2017-06-03 18:12"))
    table.add_column("cause")
    table.add_column("margin", justify="right")
    for row in rows:
        held = styles.segment(row["id"], row["name"]) if row["id"] else styles.quiet("no segment yet")
        margin = f"{float(row['margin']):.2f}" if row["margin"] else ""
        since = styles.quiet(minute(int(row["since"])))
        cause = Text(row["cause"], "italic")
        table.add_row(Text(safe(row["customer_id"])), held, styles.word(row["status"]), since, cause, Text(margin))
    return table


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """A header and one line a customer (RFC 4180), times as RFC 3339.

    What a spreadsheet would run as a formula gets an apostrophe in front, what is not printable is escaped.
    """
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_cell(column, row[column]) for column in COLUMNS])


def _cell(column: str, text: str) -> str:
    """One field.

    >>> _cell("customer_id", "=HYPERLINK(0)"), _cell("since", "0"), _cell("margin", "-0.06")
    ("'=HYPERLINK(0)", '1970-01-01T00:00:00.000Z', '-0.06')
    """
    if column in _TIMES:
        return rfc3339(int(text))
    said = safe(text)
    return f"'{said}" if said.startswith(_FORMULA) and column != "margin" else said


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
