"""The model as a page: what stands, how many segments the indices would choose, and who a proposal would move where."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumers.showing import styles
from consumers.showing.alike import alike_page
from consumers.standing import Standing
from stream.customer.state import segment_id
from stream.model.proposals import Waiting


def model_page(found: Standing) -> RenderableType:
    """All of it."""
    snapshot = found.snapshot
    kept = ", ".join(map(str, found.versions[:-1]))
    parts: list[RenderableType] = [
        Text(
            f"model {snapshot.version} ({snapshot.kind}), {len(snapshot.segments)} segments, margin {snapshot.margin:g}"
        ),
        styles.quiet(f"can be gone back to, as can older ones: {kept}" if kept else "no earlier model is kept"),
        _advice(found),
    ]
    if found.docket.is_cautious:
        parts.append(Text("after a rollback or a merge large regroupings wait for you until one is accepted", "yellow"))
    waiting = found.docket.waiting
    parts.append(_proposal(found, waiting) if waiting else styles.quiet("no proposal waits"))
    parts += [alike_page(pair, snapshot.names) for pair in found.pairs]
    return Group(*parts)


def _advice(found: Standing) -> Text:
    if found.number is None or not found.number.advice:
        return styles.quiet("how many segments would fit has not been looked at yet")
    said = ", ".join(f"{name.replace('_', '-')} {k or '-'}" for name, k in found.number.advice.items())
    return styles.quiet(f"segments that each index would choose, as advice: {said}")


def _proposal(found: Standing, waiting: Waiting) -> RenderableType:
    """The matrix: from, to, customers."""
    gain, moved = f"{100 * waiting.gain:.1f} %", f"{100 * waiting.moved_share:.1f} %"
    names = found.snapshot.names
    head = Text(f"proposal {waiting.version}: {gain} less inertia, moves {moved} of customers", "bold")
    if not found.is_exact:
        head.append(" (estimated from cells)", "not bold yellow")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("from")
    table.add_column("to")
    table.add_column("customers", justify="right")
    moves = [(n, old, new) for old, row in waiting.flows.items() for new, n in row.items() if old != new]
    for n, old, new in sorted(moves, reverse=True):
        to = styles.segment(segment_id(new), names.get(new, "new"))
        table.add_row(styles.segment(segment_id(old), names.get(old, ""), strong=False), to, f"{n:,}")
    how = styles.quiet(f"segstream model accept {waiting.version}, or segstream model reject {waiting.version}")
    return Group(Text(), head, table, how)
