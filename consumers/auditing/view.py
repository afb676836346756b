"""Invariant I4: the store shows the newest journaled states, and public keys that follow from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from consumers.auditing.journaled import Journaled
from stream.errors import BadRecord
from stream.view.journal import Mark
from stream.view.public import feature_documents, segment_hashes
from stream.view.reader import Reader

Hashes = Mapping[bytes, Mapping[str, str]]

_NAME = "name"
"""A hash keeps the name as it was when it was written; the present one is not to be found in a state."""


def state_differences(reader: Reader, journaled: Journaled) -> Iterator[str]:
    """Watermark and states of one partition."""
    partition = journaled.partition
    watermark = reader.watermark(partition)
    if not _same_mark(watermark, journaled.mark):
        at = "nothing" if journaled.mark is None else f"record {journaled.mark.journal}"
        yield f"partition {partition}: the store's watermark is not that of the journal's end, {at}"
    shown = {name.decode(): state for name, state in reader.states(partition)}
    for customer in sorted({*shown, *journaled.states}):
        ours, theirs = shown.get(customer), journaled.states.get(customer)
        if ours is None:
            yield f"customer '{customer}': journaled, but not in the store"
        elif theirs is None:
            yield f"customer '{customer}': in the store, but never journaled"
        elif ours != theirs:
            yield f"customer '{customer}': the store has another state than the journal"


def hash_differences(hashes: Hashes, journaled: Journaled) -> Iterator[str]:
    """Public hashes against the states they are made of, but for the name."""
    for customer, wanted in zip(journaled.customers, segment_hashes(journaled.rows, {}), strict=True):
        shown = hashes.get(customer.encode())
        if (shown is None) != (wanted is None):
            yield f"segment:{customer}: {'missing' if shown is None else 'should not be there'}"
        elif shown is not None and wanted is not None:
            other = [k for k in wanted if k != _NAME and shown.get(k) != wanted[k]]
            if other:
                yield f"segment:{customer}: {other[0]} is '{shown.get(other[0])}', not '{wanted[other[0]]}'"


def strangers(hashes: Hashes, known: set[bytes]) -> Iterator[str]:
    """Public hashes of customers that no journal knows."""
    for customer in sorted(hashes.keys() - known):
        yield f"segment:{customer.decode(errors='backslashreplace')}: of a customer that was never journaled"


def document_differences(reader: Reader, journaled: Journaled) -> Iterator[str]:
    """Feature documents against the states they are made of: one read a customer."""
    documents = feature_documents(journaled.features, journaled.rows)
    for customer, wanted in zip(journaled.customers, documents, strict=True):
        if reader.features(customer.encode()) != (None if wanted is None else json.loads(wanted)):
            yield f"features:{customer}: not what the state says"


def _same_mark(watermark: bytes | None, mark: Mark | None) -> bool:
    try:
        return (None if watermark is None else Mark.from_bytes(watermark)) == mark
    except BadRecord:
        return False
