"""Panels and marks that stand on more than one dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat

from deploy.grafana.colours import CAREFUL, ILL, WELL
from deploy.grafana.kit import Sheet, verdict

_ALERTS = 'ALERTS{alertstate="firing", alertname=~"Segstream.+", severity='
FIRING = 'ALERTS{alertstate="firing", alertname=~"Segstream.+"}'


def health() -> stat.Panel:
    """The worst alert that fires, in words."""
    words = {0: ("Healthy", WELL), 1: ("Look at it by day", CAREFUL), 2: ("Act now", ILL)}
    worst = f'max({_ALERTS}"page"}} * 2 or {_ALERTS}"ticket"}} or vector(0))'
    said = (
        "The worst alert that fires: none, a ticket, or one that wakes somebody. docs/runbooks.md has a page for each."
    )
    return verdict("Is it healthy?", said, words, worst)


def mix() -> stat.Panel:
    """Whether the mix of segments drifted, in words."""
    words = {0: ("Stable", WELL), 1: ("Watch", CAREFUL), 2: ("Drifted", ILL)}
    level = 'max(segstream_drift_level{J, signal="share"})'
    active = 'max(segstream_drift_active{J, signal="share"})'
    said = "Shares of the segments against the frozen reference; half way to the limit is Watch, beyond it is Drifted."
    return verdict("Did the mix drift?", said, words, f"({level} > bool 0.5) + ({active} > bool 0)")


def marked(sheet: Sheet) -> Sheet:
    """When segments came or went, and when a drift began."""
    kinds = 'kind=~"born|retired|split|merged"'
    sheet.note("Segments", WELL, f"sum by (kind) (increase(segstream_ledger_entries_total{{J, {kinds}}}[1m])) > 0")
    return sheet.note("Drift", CAREFUL, "sum by (signal) (increase(segstream_drift_episodes_total{J}[1m])) > 0")
