"""Segments at a glance: how many customers in which segments, is it healthy and current, who moved."""

from __future__ import annotations

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.kit import (
    Sheet,
    bars,
    by_segment,
    dressed,
    number,
    over_time,
    query,
    stacked,
)
from deploy.grafana.shared import FIRING, health, marked, mix

_NAMED = "* on (job, segment) group_left (name) max by (job, segment, name) (segstream_segment_info{J})"
_TABLE = PromQueryFormat.TABLE


def build() -> models.Dashboard:
    """The dashboard."""
    sheet = Sheet("segstream-glance", "Segments at a glance", "Who is in which segment, and is that current.")
    marked(sheet).line(4, *_now())
    sheet.row("Segments").add(16, 10, _shares()).add(8, 10, _sizes())
    sheet.row("Who moved").line(9, _matrix(), _inflow()).line(8, _causes(), _worth())
    return sheet.row("Alerts").line(6, _firing()).build()


def _now() -> list[stat.Panel]:
    known = "Active customers of the population, as the owner counts them."
    behind = "Age of the oldest event that waits; 0 is up to date."
    churn = "Share of the customers who changed segment in the last hour of the wall clock."
    rate = "sum(rate(segstream_events_total{J}[R]))"
    return [
        health(),
        mix(),
        number("Customers", known, "short", "sum(segstream:population:customers{J})"),
        number("Events", "Input records a second, whatever became of them.", "cps", rate),
        number("Behind by", behind, "s", "max(segstream_input_lag_seconds{J})"),
        number("Changed segment, 1 h", churn, "percentunit", "max(segstream:churn:ratio1h{J})", decimals=1),
    ]


def _shares() -> lines.Panel:
    shares = query(f"max by (job, segment) (segstream:segment_share:ratio{{J}}) {_NAMED}", "{{segment}} {{name}}")
    said = "Share of each segment in the population. Bands that keep their height are a stable mix."
    panel = over_time("Share of each segment", said, "percentunit", shares)
    return by_segment(stacked(panel, look.StackingMode.PERCENT))


def _sizes() -> bargauge.Panel:
    sizes = query(
        f"max by (job, segment) (segstream_segment_customers{{J}}) {_NAMED}", "{{segment}} {{name}}", instant=True
    )
    panel = dressed(bargauge.Panel(), "Size now", "Customers in each segment at the last model step.", "short", sizes)
    panel.orientation(look.VizOrientation.HORIZONTAL).display_mode(look.BarGaugeDisplayMode.BASIC)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).min(0)
    return by_segment(panel)


def _matrix() -> table.Panel:
    moved = query(
        "round(sum by (from_segment, to_segment) (increase(segstream_transitions_total{J}[$__range])))",
        instant=True,
        shape=_TABLE,
    )
    said = "Changes of segment in the time shown: from the row to the column. none: newcomers, and who was closed."
    panel = dressed(table.Panel(), "Who moved where", said, "short", moved)
    options = {"rowField": "from_segment", "columnField": "to_segment", "valueField": "Value", "emptyValue": "zero"}
    panel.with_transformation(models.DataTransformerConfig(id_val="groupingToMatrix", options=options))
    panel.cell_options(look.TableColoredBackgroundCellOptions(look.TableCellBackgroundDisplayMode.BASIC))
    panel.color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.CONTINUOUS_BLUES))
    plain = models.DynamicConfigValue("custom.cellOptions", {"type": "auto"})
    return panel.override_by_name("from_segment\\to_segment", [plain])


def _inflow() -> lines.Panel:
    into = _flow("to_segment")
    out = _flow("from_segment")
    net = query(f"({into} or 0 * {out}) - ({out} or 0 * {into})", "{{segment}}")
    said = "Customers who came to a segment less those who left it, newcomers included. Below zero it shrinks."
    return by_segment(bars(over_time("Net inflow", said, "short", net)))


def _flow(end: str) -> str:
    moves = f'increase(segstream_transitions_total{{J, {end}!="none"}}[R])'
    return f'sum by (segment) (label_replace({moves}, "segment", "$1", "{end}", "(.+)"))'


def _causes() -> lines.Panel:
    causes = query("sum by (cause) (rate(segstream_changes_total{J}[R]))", "{{cause}}")
    said = (
        "Published changes a second by cause: behaviour is an event's, time is silence, model is a segment that moved, "
        "first is a newcomer."
    )
    return stacked(over_time("Changes by cause", said, "cps", causes))


def _worth() -> table.Panel:
    columns = {
        "Active": 'max by (segment) (segstream_segment_holders{J, status="active"})',
        "Dormant": 'max by (segment) (segstream_segment_holders{J, status="dormant"})',
        "Orders in 30 days": "max by (segment) (segstream_segment_orders{J})",
        "Spend in 30 days": "max by (segment) (segstream_segment_spend{J})",
        "Stay 30 days": "max by (segment) (segstream_segment_retention{J})",
        "Lifetime value": "max by (segment) (segstream_segment_clv{J})",
    }
    queries = [query(expr, instant=True, shape=_TABLE) for expr in columns.values()]
    said = "Holders of each segment, and what an active one of them brings, in the money of the events."
    panel = dressed(table.Panel(), "What a segment is worth", said, "short", *queries)
    names = {f"Value #{ref}": name for ref, name in zip("ABCDEF", columns, strict=True)}
    panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    organize = {"excludeByName": {"Time": True}, "renameByName": {"segment": "Segment"} | names}
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=organize))
    return panel.override_by_name("Stay 30 days", [models.DynamicConfigValue("unit", "percentunit")])


def _firing() -> table.Panel:
    alerts = query(FIRING, instant=True, shape=_TABLE)
    said = "Alerts that fire now, each with a page in docs/runbooks.md. Empty is good."
    panel = dressed(table.Panel(), "Alerts that fire", said, "none", alerts).no_value("No alert fires")
    hidden = dict.fromkeys(("Time", "Value", "__name__", "alertstate"), True)
    return panel.with_transformation(models.DataTransformerConfig(id_val="organize", options={"excludeByName": hidden}))
