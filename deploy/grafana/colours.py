"""Colours: one for each segment id, the same on every panel and on the live page; and those of states.

All of them are 3:1 against the panels of Grafana's light and of its dark theme. Segments keep off green, amber and red,
which are states, and no state is told by its colour alone.
"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

SEGMENTS = ("#5f82a3", "#0a80c4", "#c25a9c", "#008c96", "#a06c38", "#766be0", "#bd5a80", "#4f8080")
"""Of segment number n the one at n modulo 8."""
WELL, CAREFUL, ILL, QUIET = "#3d71d9", "#bf830f", "#d64545", "#808793"
_LAST_NUMBER = 79


def segment_overrides() -> list[tuple[str, list[DynamicConfigValue]]]:
    """Regular expression on the legend, which begins with the id, and what is fixed for these series."""
    return [(_series_of(residue), [fixed(colour)]) for residue, colour in enumerate(SEGMENTS)]


def fixed(colour: str) -> DynamicConfigValue:
    """A colour that does not depend on what else is shown."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def _series_of(residue: int) -> str:
    numbers = range(residue or len(SEGMENTS), _LAST_NUMBER + 1, len(SEGMENTS))
    return f"/^s({'|'.join(map(str, numbers))})( |$)/"
