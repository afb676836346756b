"""The report in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumers.reporting.drifts import Episode
from consumers.reporting.flows import Flow
from consumers.reporting.sizes import awake
from consumers.watching.places import ELSEWHERE

_MOST = 2
"""Signals that a sentence can bear; the section has all."""


def headline(
    after: Mapping[str, int],
    names: Mapping[str, str],
    flows: Sequence[Flow],
    episodes: Sequence[Episode],
    warmup_customers: int,
) -> str:
    """How many customers in how many segments, who moved, and what drifts; or what there is not yet."""
    known = sum(after.values())
    if not known:
        return "no customers yet"
    if not names:
        so_far = f"{known:,} customer{'s' if known != 1 else ''} so far"
        return f"{so_far}, no segments yet: the first come with {warmup_customers:,}"
    return f"{awake(after):,} active customers in {_segments(after, names)}, {_moved(flows, names)}; {_drift(episodes)}"


def place_words(place: str, names: Mapping[str, str]) -> str:
    """A segment with its name, or a place outside of all segments.

    >>> place_words("s3", {"s3": "early birds"}), place_words("dormant", {})
    ('s3 early birds', 'dormant')
    """
    return f"{place} {names[place]}" if names.get(place) else place


def _segments(after: Mapping[str, int], names: Mapping[str, str]) -> str:
    n = sum(1 for id_ in names if after.get(id_))
    return f"{n} segment{'s' if n != 1 else ''}"


def _moved(flows: Sequence[Flow], names: Mapping[str, str]) -> str:
    """Between segments first: who comes and who falls silent is many on every day."""
    moves = sum(flow.moves for flow in flows)
    if not moves:
        return "nobody moved"
    most = next((flow for flow in flows if not {flow.left, flow.entered} & set(ELSEWHERE)), flows[0])
    way = f"from {place_words(most.left, names)} to {place_words(most.entered, names)}"
    return f"one move, {way}" if moves == 1 else f"{moves:,} moves, the largest flow {way} ({most.moves:,})"


def _drift(episodes: Sequence[Episode]) -> str:
    said = []
    for state, words in (("began", "drift began"), ("ended", "drift ended"), ("active", "drift goes on")):
        signals = list(dict.fromkeys(episode.what for episode in episodes if episode.state == state))
        if signals:
            more = f" and {len(signals) - _MOST} more" if len(signals) > _MOST else ""
            said.append(f"{words}: {', '.join(signals[:_MOST])}{more}")
    return "; ".join(said) or "no drift"
