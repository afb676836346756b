"""Customer page, tables of customers and segments, findings: as they read at 100 columns."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

from consumers.auditing import Part, Repaired
from consumers.doctor import Finding
from consumers.dossier import Dossier
from consumers.showing import segments_table
from consumers.showing.customer import customer_page
from consumers.showing.customers import COLUMNS, csv_lines, customers_table
from consumers.showing.findings import audit_page, findings_page, repair_page
from consumers.showing.segments import WIDEST
from stream.contracts.changes import Because
from stream.contracts.examples import CHANGE
from stream.customer.registers import Register
from tests.consumers.showing.terminal import WIDTH, coloured, shown

UNITS = {"orders": "orders per 30 days", "evening_share": "share of orders"}
ROW = {
    "customer_id": "household-1228",
    "id": "s3",
    "name": "frequent, high spend",
    "status": "ready",
    "version": "4",
    "previous": "s2",
    "cause": "behaviour",
    "since": "1496528400000",
    "decided_at": "1496528401042",
    "margin": "0.271",
    "model_version": "118",
    "provisional": "",
}
HOSTILE = "=[bold]x\x1b[2J"


def profile(id_: str, name: str, customers: int, *, retiring: bool = False, **times: float) -> dict[str, Any]:
    described = {
        feature: {"value": 2 * factor, "unit": UNITS.get(feature, ""), "population": 2.0, "times": factor}
        for feature, factor in times.items()
    }
    return {"id": id_, "name": name, "customers": customers, "retiring": retiring, "profile": described}


def dossier(**changes: Any) -> Dossier:
    known = Dossier(
        customer="household-1228",
        segment={key: value for key, value in ROW.items() if key != "customer_id"},
        document={
            "as_of": 1496528400000,
            "events": 42,
            "own_gap_days": 5.3,
            "features": {"orders": 5.26, "evening_share": 0.61},
        },
        units=UNITS,
        profile=profile("s3", "frequent, high spend", 400, orders=3.0, evening_share=0.2),
        average={"orders": 2.0, "evening_share": 0.35},
        attributes={"age": Register("35-44", 1, "e1"), "newsletter": Register(True, 1, "e1")},
        changes=[CHANGE],
    )
    return replace(known, **changes)


def test_the_customer_page_as_a_whole() -> None:
    assert shown(customer_page(dossier())) == [
        "customer household-1228",
        "  segment       s3 frequent, high spend  ready",
        "  since         2017-06-03 22:20  cause behaviour  before s2",
        "  margin        0.27",
        "  membership    s3 71 %  s2 29 %",
        "  events        42  one every 5.3 days  as of 2017-06-03 22:20",
        "  version       4  decided by model 118",
        "",
        "Features",
        "  feature          customer          s3     average    unit",
        "  orders                5.3         6.0         2.0    orders per 30 days",
        "  evening share        61 %        40 %        35 %    of orders",
        "",
        "Why",
        "  64 %    orders 2.1 -> 6.4 per 30 days",
        "          would have stayed in s2 with orders 3.9 per 30 days instead of 6.4",
        "",
        "Last changes",
        "  2017-06-03 22:20  s2 rare, small baskets -> s3 frequent, high spend",
        "                    behaviour  orders 2.1 -> 6.4 per 30 days  margin 0.27",
        "",
        "Attributes",
        "  age           35-44",
        "  newsletter    True",
    ]


def test_a_customer_of_whom_little_is_known_has_a_short_page() -> None:
    cold = {**ROW, "id": "", "name": "", "status": "cold", "previous": "", "margin": "", "provisional": "s2"}
    page = shown(
        customer_page(dossier(segment=cold, document=None, profile=None, average={}, attributes={}, changes=[]))
    )
    assert page == [
        "customer household-1228",
        "  segment           no segment yet  cold",
        "  since             2017-06-03 22:20  cause behaviour",
        "  nearest so far    s2",
        "  version           4  decided by model 118",
    ]


def test_before_there_is_a_model_features_stand_alone_with_their_units() -> None:
    page = shown(customer_page(dossier(profile=None, average={})))
    assert "  orders                5.3    orders per 30 days" in page


def test_membership_of_an_older_change_is_not_shown() -> None:
    page = shown(customer_page(dossier(changes=[replace(CHANGE, version=3)])))
    assert not any("membership" in line for line in page)


def test_a_unit_of_several_words_is_in_parentheses() -> None:
    entropy = Because("department_entropy", 0.8, 0.61, "0 one department, 1 all alike", 0.1)
    page = shown(customer_page(dossier(changes=[replace(CHANGE, reasons=(entropy,))])))
    assert "  10 %    department entropy 0.80 -> 0.61 (0 one department, 1 all alike)" in page


def test_hostile_text_is_only_text_on_every_page() -> None:
    hostile = dossier(customer=HOSTILE, attributes={HOSTILE: Register(HOSTILE, 1, "e")})
    for page in (customer_page(hostile), customers_table([{**ROW, "customer_id": HOSTILE, "name": HOSTILE}])):
        assert "\x1b[2J" not in coloured(page)
        assert "\\x1b[2J" in "".join(shown(page))
        assert all(len(line) <= WIDTH for line in shown(page))


def test_a_table_of_customers() -> None:
    cold = {
        **ROW,
        "customer_id": "7",
        "id": "",
        "name": "",
        "status": "cold",
        "margin": "",
        "cause": "first",
    }
    header, first, second = shown(customers_table([ROW, cold]))
    assert header.split() == ["customer", "segment", "status", "since", "cause", "margin"]
    assert first.split("  ")[0] == "household-1228"
    assert "s3 frequent, high spend" in first
    assert first.endswith("ready   2017-06-03 22:20  behaviour    0.27")
    assert "no segment yet" in second


def test_csv_reads_back_and_starts_no_formula() -> None:
    rows = [ROW, {**ROW, "customer_id": "=1+1", "margin": "-0.06"}, {**ROW, "customer_id": 'a,"b"\n\x1b'}]
    header, *read = csv.reader(io.StringIO("\n".join(csv_lines(rows))))
    assert tuple(header) == COLUMNS
    assert [line[0] for line in read] == ["household-1228", "'=1+1", 'a,"b"\\n\\x1b']
    assert read[0][header.index("since")] == "2017-06-03T22:20:00.000Z"
    assert read[1][header.index("margin")] == "-0.06"


def test_a_table_of_segments() -> None:
    profiles = {
        "s10": profile("s10", "rare", 1, orders=0.2, evening_share=1.1),
        "s2": profile("s2", "frequent, high spend", 3, orders=4.2, evening_share=0.4),
        "s3": profile("s3", "average", 0, retiring=True, orders=1.1),
    }
    lines = shown(segments_table(profiles))
    assert [line[:20].split()[0] for line in lines[1::2]] == ["s2", "s3", "s10"]
    assert lines[1].endswith("3   75.0 %  ████████████")
    assert lines[2] == "   orders 4.2x, evening share 0.4x the average"
    assert lines[3].startswith("s3 average  retiring")
    assert lines[4] == "   close to the average"
    assert lines[6] == "   orders 0.2x the average"


def test_a_table_of_segments_counts_the_holders_it_is_given() -> None:
    profiles = {"s1": profile("s1", "one", 9), "s2": profile("s2", "two", 9)}
    assert "1   25.0 %" in shown(segments_table(profiles, {"s1": 1, "s2": 3}))[1]


def test_segments_stand_under_their_group_with_their_rule() -> None:
    rule = {"text": "orders > 4 per 30 days and discount share < 0.1", "right": 0.876}
    profiles = {
        "s1": profile("s1", "rare", 1) | {"group": {"id": "g10", "name": "seldom\x1b"}, "rule": None},
        "s2": profile("s2", "frequent", 3, orders=4.2) | {"group": {"id": "g2", "name": "often"}, "rule": rule},
        "s3": profile("s3", "daily", 3) | {"group": {"id": "g2", "name": "often"}, "rule": rule},
    }
    lines = shown(segments_table(profiles))
    assert [line.split()[0] for line in lines[1:]] == [
        "group",
        "s2",
        "orders",
        "orders",
        "s3",
        "close",
        "orders",
        "group",
        "s1",
        "close",
    ]
    assert lines[1] == "group g2 often"
    assert lines[4] == "   orders > 4 per 30 days and discount share < 0.1: 88 % right"
    assert lines[8] == "group g10 seldom\\x1b"


def test_figures_stand_in_the_same_columns_and_near_their_names_whatever_the_width() -> None:
    profiles = {"s1": profile("s1", "one", 9, orders=4.2), "s12": profile("s12", "x" * 60, 1_200)}
    for width in (60, 80, 140, 300):
        lines = shown(segments_table(profiles), width)
        ends = {line.index(" %") for line in lines if " %" in line}
        assert len(ends) == 1
        assert all(len(line) <= min(width, WIDEST) for line in lines)


def test_a_segment_says_what_it_is_worth() -> None:
    value = {"active": 3, "dormant": 1, "retention": 0.93, "conversion": None, "order_value": 26.2, "clv": 310.4}
    lines = shown(segments_table({"s1": profile("s1", "rare", 3) | {"value": value}, "s2": profile("s2", "odd", 3)}))
    assert lines[3] == "   keeps 93.0 % a month, 26.2 an order, lifetime value 310"
    assert lines[4].startswith("s2")


def test_no_segments_is_an_empty_table() -> None:
    assert len(shown(segments_table({}))) <= 1


def test_findings_say_result_check_and_mend_and_count() -> None:
    assert shown(
        findings_page([Finding("broker", "ok", "answers"), Finding("store", "fail", "is away", "start it")])
    ) == [
        "ok    broker  answers",
        "fail  store   is away",
        "              mend: start it",
        "",
        "1 ok, 1 fail",
    ]


def test_an_audit_spells_out_the_first_differences() -> None:
    assert shown(
        audit_page([Part("states", "3 states", 0, ()), Part("cells", "2 cells", 3, ("cell 1: other", "x\x1b"))])
    ) == [
        "ok    states  3 states: no differences",
        "fail  cells   2 cells: 3 differences",
        "              cell 1: other",
        "              x\\x1b",
        "              and 1 more",
        "",
        "1 ok, 1 fail",
    ]


def test_a_repair_says_what_it_did_before_what_is_left() -> None:
    left = [Part("versions", "9 changes", 0, ())]
    assert shown(repair_page(Repaired(["partition 0: wiped the view", "x\x1b"], left))) == [
        "mended  partition 0: wiped the view",
        "mended  x\\x1b",
        "",
        "ok    versions  9 changes: no differences",
        "",
        "1 ok",
    ]
    assert shown(repair_page(Repaired([], left)))[0] == "nothing to mend"
