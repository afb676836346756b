"""Findings of the doctor and parts of an audit: a word for the result, what was found, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from consumers.auditing.report import Part, Repaired
from consumers.doctor.facts import Finding
from consumers.printable import safe
from consumers.showing import styles

_RESULTS = ("ok", "warn", "fail")


def findings_page(findings: Sequence[Finding]) -> Group:
    """A line for each finding, its mend below it, and the count."""
    table = _table()
    for finding in findings:
        says = Text(safe(finding.says))
        if finding.mend:
            says.append("\n").append(f"mend: {safe(finding.mend)}", "dim")
        table.add_row(styles.word(finding.result), Text(finding.check), says)
    return Group(table, _counts([finding.result for finding in findings]))


def audit_page(parts: Sequence[Part]) -> Group:
    """A line for each comparison, its first differences below it, and the count."""
    table = _table()
    for part in parts:
        says = Text(f"{part.compared}: {'no' if part.holds else f'{part.differences:,}'} differences")
        for difference in part.first:
            says.append("\n").append(safe(difference), "dim")
        if part.differences > len(part.first):
            says.append(f"\nand {part.differences - len(part.first):,} more", "dim")
        table.add_row(styles.word(_result(part)), Text(part.check), says)
    return Group(table, _counts([_result(part) for part in parts]))


def repair_page(repaired: Repaired) -> Group:
    """What was mended, and the audit after it."""
    done = [Text.assemble(styles.word("mended"), f"  {safe(line)}") for line in repaired.done]
    return Group(*(done or [Text("nothing to mend")]), Text(), audit_page(repaired.parts))


def _result(part: Part) -> str:
    return "ok" if part.holds else "fail"


def _counts(results: Sequence[str]) -> Text:
    told = (Text(f"{results.count(r)} ").append_text(styles.word(r)) for r in _RESULTS if r in results)
    return Text("\n").append_text(Text(", ").join(told))


def _table() -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, expand=True)
    table.add_column(width=4)
    table.add_column()
    table.add_column(ratio=1, overflow="fold")
    return table
