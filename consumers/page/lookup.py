"""The customer lookup: the dossier in words."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from consumers.dossier import Dossier, dossier
from consumers.printable import safe
from consumers.showing.words import amount, unit_words
from consumers.watching.feed import told_in_full
from consumers.watching.outside import Outside
from stream.customer.features import FeatureSet
from stream.settings import Tree


def look_up(settings: Tree, outside: Outside, features: FeatureSet, customer: str) -> dict[str, Any]:
    """All that is known of a customer. Raises ``SegstreamError`` when nobody knows it, or nobody answers."""
    topics = settings.topics
    with closing(outside.reader()) as reader, closing(outside.tail()) as tail:
        found = dossier(reader, tail, customer, topic=topics.changes, features=features, partitions=topics.partitions)
    return in_words(found)


def in_words(found: Dossier) -> dict[str, Any]:
    """The dossier, ready to be shown."""
    segment = found.segment
    return {
        "customer": safe(found.customer),
        "segment": segment["id"],
        "name": found.profile["name"] if found.profile else segment["name"],
        "status": segment["status"],
        "since": int(segment["since"]),
        "cause": segment["cause"],
        "previous": segment["previous"],
        "provisional": segment["provisional"],
        "margin": segment["margin"],
        "version": segment["version"],
        "locked": found.is_locked,
        "features": _features(found),
        "attributes": {safe(name): safe(str(register.value)) for name, register in found.attributes.items()},
        "changes": [told_in_full(change) for change in found.changes],
    }


def _features(found: Dossier) -> list[list[str]]:
    """Name, the customer's, its segment's mean, everybody's mean, unit."""
    own = (found.document or {}).get("features", {})
    means = {name: said["value"] for name, said in found.profile["profile"].items()} if found.profile else {}
    rows = []
    for name, value in own.items():
        unit = found.units.get(name, "")
        numbers = (amount(said, unit) for said in (value, means.get(name), found.average.get(name)))
        rows.append([name.replace("_", " "), *numbers, unit_words(unit)])
    return rows
