"""One customer on a page: where it stands, its features beside its segment's and everybody's, and why."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumers.dossier import Dossier
from consumers.printable import safe
from consumers.showing import styles
from consumers.showing.changes import changes_table, counterfactual_words, reason_words, speaker_words
from consumers.showing.words import amount, feature_words, minute, number, unit_words
from stream.contracts.changes import SegmentChange
from stream.customer.registers import Word
from stream.customer.state import segment_id


def customer_page(dossier: Dossier) -> Group:
    """Everything in the dossier, in sections; what is empty is left out. Times are event time, UTC."""
    sections: list[RenderableType] = [
        Text.assemble(("customer ", "dim"), (safe(dossier.customer), "bold")),
        _standing(dossier),
    ]
    if dossier.document:
        sections += [_title("Features"), _features(dossier)]
    why = list(_why(dossier.changes[0])) if dossier.changes else []
    if why:
        sections += [_title("Why"), _grid(why)]
    if dossier.changes:
        sections += [_title("Last changes"), _indented(changes_table(dossier.changes, customers=False))]
    if dossier.attributes:
        sections += [_title("Attributes"), _attributes(dossier)]
    return Group(*sections)


def _standing(dossier: Dossier) -> Table:
    segment, document = dossier.segment, dossier.document
    name = dossier.profile["name"] if dossier.profile else segment["name"]
    held = styles.segment(segment["id"], name) if segment["id"] else styles.quiet("no segment yet")
    rows = [("segment", held.append("  ").append_text(styles.word(segment["status"])))]
    since = f"{minute(int(segment['since']))}  cause {segment['cause']}"
    rows.append(("since", Text(f"{since}  before {segment['previous']}" if segment["previous"] else since)))
    if dossier.word is not None:
        rows.append(("locked" if dossier.is_locked else "last word", word_words(dossier.word)))
    if segment["provisional"]:
        rows.append(("nearest so far", styles.segment(segment["provisional"])))
    if segment["margin"]:
        rows.append(("margin", Text(f"{float(segment['margin']):.2f}")))
    if membership := _membership(dossier):
        rows.append(("membership", membership))
    if document:
        gap = f"  one every {number(document['own_gap_days'])} days" if document["own_gap_days"] else ""
        rows.append(("events", Text(f"{document['events']:,}{gap}  as of {minute(document['as_of'])}")))
    rows.append(("version", Text(f"{segment['version']}  decided by model {segment['model_version']}")))
    return _grid((styles.quiet(label), said) for label, said in rows)


def word_words(word: Word) -> Text:
    """What an analyst said of the customer last: where to, how long, who, why, when.

    >>> from stream.contracts.events import Override
    >>> from stream.customer.registers import Register
    >>> word_words(Register(Override(3, None, "anna", "moves house"), 1_496_513_579_999, "w1")).plain
    's3 until released  by anna: moves house  2017-06-03 18:12'
    """
    said = word.value
    if said.segment:
        until = "released" if said.until_ms is None else minute(said.until_ms)
        told = styles.segment(segment_id(said.segment)).append(f" until {until}", "default")
    else:
        told = Text("let go")
    if speaker := speaker_words(said.by, said.reason):
        told.append("  ").append(speaker)
    return told.append("  ").append_text(styles.quiet(minute(word.at_ms)))


def _membership(dossier: Dossier) -> Text:
    """The two nearest segments; only the last change knows them, and only if it is at hand."""
    last = dossier.changes[0] if dossier.changes else None
    if last is None or str(last.version) != dossier.segment["version"]:
        return Text()
    shares = (styles.segment(m.id).append(f" {100 * m.share:.0f} %", "default") for m in last.membership)
    return Text("  ").join(shares)


def _features(dossier: Dossier) -> Table:
    """Natural units: the customer's, its segment's mean, everybody's mean."""
    described = dossier.profile["profile"] if dossier.profile else {}
    means = {name: feature["value"] for name, feature in described.items()}
    columns = {
        "customer": (dossier.document or {})["features"],
        dossier.segment["id"]: means,
        "average": dossier.average,
    }
    shown = {title: values for title, values in columns.items() if values}
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("feature")
    for title in shown:
        table.add_column(title, justify="right", min_width=8)
    table.add_column("unit", style="dim")
    for name in columns["customer"]:
        unit = dossier.units.get(name, "")
        numbers = (Text(amount(values.get(name), unit)) for values in shown.values())
        table.add_row(Text(feature_words(name)), *numbers, Text(unit_words(unit)))
    return table


def _why(last: SegmentChange) -> Iterator[tuple[Text, Text]]:
    for reason in last.reasons:
        yield Text(f"{100 * reason.contribution:.0f} %"), Text(reason_words(reason))
    if last.counterfactual is not None:
        yield Text(""), styles.quiet(counterfactual_words(last.counterfactual, last.previous))


def _attributes(dossier: Dossier) -> Table:
    return _grid(
        (styles.quiet(name), Text(safe(str(register.value)))) for name, register in sorted(dossier.attributes.items())
    )


def _grid(rows: Iterator[tuple[Text, Text]] | list[tuple[Text, Text]]) -> Table:
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for label, said in rows:
        table.add_row(label, said)
    return table


def _indented(table: RenderableType) -> Table:
    outer = Table(box=None, padding=(0, 2), show_header=False, expand=True)
    outer.add_column(ratio=1)
    outer.add_row(table)
    return outer


def _title(text: str) -> Text:
    return Text(f"\n{text}", "bold")
