"""What people said of the segments: when, who, what, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from consumers.printable import safe
from consumers.said import said_words
from consumers.showing.words import minute
from stream.contracts.segments import LedgerEntry


def said_table(entries: Iterable[LedgerEntry]) -> Table:
    """A line each, in the given order. Times are the wall clock of who said it, UTC."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("when", no_wrap=True)
    table.add_column("who", max_width=20, overflow="fold")
    table.add_column("said", overflow="fold")
    table.add_column("model", justify="right")
    table.add_column("what came of it", overflow="fold")
    for entry in entries:
        said = entry.said
        if said is None:
            continue
        came = Text(safe(said.outcome)) if said.done else Text(f"not done: {safe(said.outcome)}", "yellow")
        what = Text(safe(said_words(said.deed, entry.segment_id, said)), "bold")
        table.add_row(Text(minute(said.at), "dim"), Text(safe(said.by or "-")), what, str(entry.model_version), came)
    return table
