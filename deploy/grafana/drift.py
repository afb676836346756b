"""Drift: did the customers change, in what, and does it matter."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, dashboard, heatmap, stat, statetimeline
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.colours import CAREFUL, ILL, WELL, fixed
from deploy.grafana.kit import Query, Sheet, bars, by_segment, dressed, number, over_time, query, ranged, stacked
from deploy.grafana.shared import marked, mix

Mapping = models.ValueMap | models.RangeMap | models.RegexMap | models.SpecialValueMap
_REF = 'reference="$reference"'
_CHANCE = "chance stays below"


def build() -> models.Dashboard:
    """The dashboard."""
    sheet = Sheet("segstream-drift", "Drift", "Did the customers change, in what, and is that more than chance.")
    marked(sheet.choice("reference", "Against", "frozen", "rolling")).line(4, *_now())
    sheet.row("What drifts").line(10, _signals()).line(9, _features(), _mix_over_time())
    sheet.row("Segments").line(9, _shift(), _fit())
    sheet.row("Decisions").line(9, _confidence(), _calm(), _odd())
    return sheet.row("Beside it: the data and the model").line(8, _quality(), _ledger()).build()


def _now() -> list[stat.Panel]:
    index = "Population stability index of the shares of segments: 0 is the same mix."
    share = f"max(segstream_segment_share_psi{{J, {_REF}}})"
    chance = "So many customers stay below this by chance, 999 times of 1,000."
    floor = f'max(segstream_psi_floor{{J, of="share", {_REF}}})'
    sample = f"max(segstream_drift_sample_customers{{J, {_REF}}})"
    active = "sum(max by (signal) (segstream_drift_active{J}))"
    began = "sum(increase(segstream_drift_episodes_total{J}[$__range])) or vector(0)"
    return [
        mix(),
        number("PSI of the mix", index, "none", share, decimals=3),
        number("Below this it is chance", chance, "none", floor, decimals=3),
        number("Customers in the reference", "Few customers say little.", "short", sample),
        number("Signals that drift", "Now. Which ones is below.", "none", active),
        number("Drifts that began", "In the time shown.", "none", began, instant=True, decimals=0),
    ]


def _signals() -> statetimeline.Panel:
    levels = query("max by (signal) (segstream_drift_level{J})", "{{signal}}")
    said = (
        "Each signal in its limits: share is the mix, feature.X the customers, event.X raw values, decision.X how sure "
        "decisions are. 1: at the limit."
    )
    panel = dressed(statetimeline.Panel(), "State of each signal", said, "none", levels)
    states: list[Mapping] = [
        ranged(None, 0.5, "Stable", WELL),
        ranged(0.5, 1.0, "Watch", CAREFUL),
        ranged(1.0, None, "Drift", ILL),
    ]
    return panel.mappings(states).show_value(look.VisibilityMode.AUTO).merge_values(True).fill_opacity(70)


def _limits() -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(None, WELL), models.Threshold(0.1, CAREFUL), models.Threshold(0.25, ILL)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _psi(panel: lines.Panel) -> lines.Panel:
    dashed = common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(_limits()).thresholds_style(dashed).override_by_name(_CHANCE, [fixed(CAREFUL)])


def _chance(of: str) -> Query:
    return query(f'max(segstream_psi_floor{{J, of="{of}", {_REF}}})', _CHANCE)


def _features() -> lines.Panel:
    psi = query(f"max by (feature) (segstream_feature_psi{{J, {_REF}}})", "{{feature}}")
    said = "Which features of the customers moved. Dashed: 0.1 is worth a look, 0.25 a change, if chance is below."
    return _psi(over_time("PSI of each feature", said, "none", psi, _chance("feature")))


def _mix_over_time() -> lines.Panel:
    psi = query("max by (reference) (segstream_segment_share_psi{J})", "{{reference}} reference")
    said = "The mix against both references: frozen sees slow drift, rolling what changed since yesterday."
    return _psi(over_time("PSI of the shares", said, "none", psi, _chance("share")))


def _shift() -> lines.Panel:
    shift = query(f"max by (segment) (segstream_centroid_shift_radii{{J, {_REF}}})", "{{segment}}")
    said = "How far each segment stands from where it was, in its own radii. Half a radius is told on the ledger."
    return by_segment(over_time("How far segments moved", said, "none", shift))


def _fit() -> heatmap.Panel:
    fit = query("sum by (le) (increase(segstream_fit_radii_bucket{J}[R]))", "{{le}}", shape=PromQueryFormat.HEATMAP)
    said = "Distance of customers to their segment in its radii. Mass that climbs is customers who fit no segment."
    panel = dressed(heatmap.Panel(), "How well customers fit", said, "short", fit).calculate(False)
    scheme = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32)
    return panel.color(scheme).y_axis(heatmap.YAxisConfig().unit("none").axis_label("radii"))


def _confidence() -> lines.Panel:
    buckets = "sum by (le) (rate(segstream_margin_ratio_bucket{J}[R]))"
    half = query(f"histogram_quantile(0.5, {buckets})", "median margin")
    tenth = query(f"histogram_quantile(0.1, {buckets})", "least sure tenth")
    toss = query("max(segstream:low_margin:ratio15m{J})", "nearly a coin toss")
    said = "Margin of the held segment over its rival: 1 is sure, 0 is a coin toss, below 0 the margin holds."
    return over_time("How sure decisions are", said, "percentunit", half, tenth, toss)


def _calm() -> lines.Panel:
    churn = query("max(segstream:churn:ratio1h{J})", "changed segment, 1 h")
    flaps = query("max(segstream:flaps:ratio1h{J})", "of changes: undone, 1 h")
    held = query("max(segstream:suppressed:ratio15m{J})", "of looks: held by the margin")
    said = "Churn of the population, changes that go back to the segment before, and changes that the margin spared."
    return over_time("Calm", said, "percentunit", churn, flaps, held)


def _odd() -> lines.Panel:
    odd = query("max(segstream:atypical:ratio15m{J})", "fit no segment")
    said = "Share of looks at customers farther than three radii from their segment, two looks in a row."
    return over_time("Odd customers", said, "percentunit", odd)


def _quality() -> lines.Panel:
    reasons = query("sum by (reason) (rate(segstream_rejected_total{J}[R]))", "rejected: {{reason}}")
    fields = query("sum(rate(segstream_unknown_fields_total{J}[R]))", "fields nobody declared")
    said = "What is wrong with the input: a producer that changed looks like drift."
    return over_time("Data quality", said, "cps", reasons, fields)


def _ledger() -> lines.Panel:
    kinds = query("sum by (kind) (increase(segstream_ledger_entries_total{J}[R]))", "{{kind}}")
    said = "What happened to segments: born, shifted, split, merged, renamed, retired."
    return stacked(bars(over_time("Ledger", said, "short", kinds)))
