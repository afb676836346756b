"""What all panels have in common: where their data comes from, how they look, and how they are laid out."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_uppercase
from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, statetimeline, table
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.colours import segment_overrides

DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
P = TypeVar("P", stat.Panel, lines.Panel, bargauge.Panel, table.Panel, heatmap.Panel, statetimeline.Panel)
AnyPanel = stat.Panel | lines.Panel | bargauge.Panel | table.Panel | heatmap.Panel | statetimeline.Panel
Query = prometheus.Dataquery


def query(expr: str, legend: str = "", *, instant: bool = False, shape: PromQueryFormat | None = None) -> Query:
    """A query. ``{J`` stands for the job's matcher, ``[R]`` for the interval that fits scrape and zoom."""
    said = expr.replace("{J", '{job=~"$job"').replace("[R]", "[$__rate_interval]")
    made = Query().expr(said).datasource(DATASOURCE).legend_format(legend)
    if shape is not None:
        made.format(shape)
    return made.instant() if instant else made.range()


def dressed(panel: P, title: str, description: str, unit: str, *queries: Query) -> P:
    """A panel with all that each must have."""
    panel.title(title).description(description).unit(unit).datasource(DATASOURCE)
    for ref, each in zip(ascii_uppercase, queries, strict=False):
        panel.with_target(each.ref_id(ref))
    return panel


def number(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *,
    legend: str = "",
    instant: bool = False,
    decimals: int | None = None,
) -> stat.Panel:
    """One number and how it went. Its colour says nothing: states are told by ``verdict``, in words."""
    panel = dressed(stat.Panel(), title, description, unit, query(expr, legend, instant=instant))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.color_mode(look.BigValueColorMode.NONE).graph_mode(look.BigValueGraphMode.AREA)
    return panel if decimals is None else panel.decimals(decimals)


def verdict(title: str, description: str, words: Mapping[int, tuple[str, str]], expr: str) -> stat.Panel:
    """A state, in words and in colour. ``words``: value -> (word, colour)."""
    panel = number(title, description, "none", expr).mappings([worded(words)])
    return panel.color_mode(look.BigValueColorMode.BACKGROUND).graph_mode(look.BigValueGraphMode.NONE)


def worded(words: Mapping[int, tuple[str, str]]) -> models.ValueMap:
    """Values as words."""
    results = {
        str(value): models.ValueMappingResult(text=text, color=colour, index=i)
        for i, (value, (text, colour)) in enumerate(words.items())
    }
    return models.ValueMap(results)


def ranged(low: float | None, high: float | None, text: str, colour: str) -> models.RangeMap:
    """A range of values as a word."""
    result = models.ValueMappingResult(text=text, color=colour, index=0)
    return models.RangeMap(models.DashboardRangeMapOptions(low, high, result))


def over_time(title: str, description: str, unit: str, *queries: Query) -> lines.Panel:
    """Lines from zero on, with what they say at the end."""
    panel = dressed(lines.Panel(), title, description, unit, *queries)
    legend = common.VizLegendOptions().display_mode(look.LegendDisplayMode.TABLE).calcs(["lastNotNull"])
    panel.legend(legend.placement(look.LegendPlacement.BOTTOM).show_legend(True)).axis_soft_min(0)
    tooltip = common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING)
    return panel.tooltip(tooltip).line_width(2).fill_opacity(0).show_points(look.VisibilityMode.NEVER)


def stacked(panel: lines.Panel, mode: look.StackingMode = look.StackingMode.NORMAL) -> lines.Panel:
    """One on the other."""
    return panel.stacking(common.StackingConfig().mode(mode).group("A")).fill_opacity(60).line_width(1)


def bars(panel: lines.Panel) -> lines.Panel:
    """Counts of an interval, not a course."""
    return panel.draw_style(look.GraphDrawStyle.BARS).fill_opacity(60).line_width(0)


def by_segment(panel: P) -> P:
    """Series whose legend begins with the id of a segment, in its colour."""
    for pattern, properties in segment_overrides():
        panel.override_by_regexp(pattern, properties)
    return panel


class Sheet:
    """A dashboard in the making: panels from left to right, line by line, each with a number of its own."""

    def __init__(self, uid: str, title: str, description: str) -> None:
        self._made = dashboard.Dashboard(title).uid(uid).description(description).tags(["segstream"]).readonly()
        self._made.refresh("10s").time("now-1h", "now").timezone("browser")
        self._made.tooltip(models.DashboardCursorSync.CROSSHAIR)
        others = dashboard.DashboardLink("segstream").type(models.DashboardLinkType.DASHBOARDS).tags(["segstream"])
        self._made.link(others.icon("external link").tooltip("The other dashboards").keep_time(True).include_vars(True))
        self._made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        jobs = dashboard.QueryVariable("job").label("Job").query("label_values(segstream_build_info, job)")
        jobs.datasource(DATASOURCE).refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        self._made.with_variable(jobs.multi(True).include_all(True).all_value(".+"))
        self._id = self._x = self._y = self._height = 0

    def choice(self, name: str, label: str, *values: str) -> Sheet:
        """A variable with these values; the first is the one at first."""
        made = dashboard.CustomVariable(name).label(label).values(",".join(values))
        self._made.with_variable(made.current(models.VariableOption(text=values[0], value=values[0])))
        return self

    def note(self, name: str, colour: str, expr: str) -> Sheet:
        """Moments that every panel marks."""
        made = dashboard.AnnotationQuery().name(name).datasource(DATASOURCE).enable(True).hide(False)
        self._made.annotation(made.icon_color(colour).expr(expr.replace("{J", '{job=~"$job"')))
        return self

    def row(self, title: str) -> Sheet:
        """A headline; what follows stands below it."""
        self._break()
        self._id += 1
        place = models.GridPos(h=1, w=24, x=0, y=self._y)
        self._made.with_row(dashboard.Row(title).id(self._id).grid_pos(place))
        self._y += 1
        return self

    def add(self, width: int, height: int, panel: AnyPanel) -> Sheet:
        """The next panel."""
        if self._x + width > 24:
            self._break()
        self._id += 1
        panel.id(self._id).grid_pos(models.GridPos(h=height, w=width, x=self._x, y=self._y))
        self._made.with_panel(panel)
        self._x, self._height = self._x + width, max(self._height, height)
        return self

    def line(self, height: int, *panels: AnyPanel) -> Sheet:
        """The next panels, side by side over the whole width, all as wide."""
        for panel in panels:
            self.add(24 // len(panels), height, panel)
        return self

    def build(self) -> models.Dashboard:
        """As Grafana has it."""
        return self._made.build()

    def _break(self) -> None:
        self._x, self._y, self._height = 0, self._y + self._height, 0
