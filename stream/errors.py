"""Every error segstream raises, as one tree.

SegstreamError
├── SettingsError        a setting is wrong; exit code 2
├── RejectedEvent        one message is bad; it goes to the rejected topic and the feed goes on
├── BadRecord            an internal record (journal, learning, model) does not check; never guessed around
├── IncompleteJournal    the journal no longer reaches back to its floor; restoring would lose customers
├── Disagreement         committed offsets and the journal contradict each other; a person decides
├── CommitFailed         the outcome of a transaction is unknown; the producer has been thrown away
├── Replaced             a partition went to another worker in the middle of something
├── BrokerUnavailable    Kafka cannot be reached, or not in time
└── StoreUnavailable     Redis cannot be reached, or refuses writes
"""

from __future__ import annotations


class SegstreamError(Exception):
    """Base of all errors of this project."""


class SettingsError(SegstreamError):
    """Raised when a setting is wrong. The message names the setting and the mend."""


class RejectedEvent(SegstreamError):
    """Raised when one message cannot be accepted.

    ``reason`` is a word of ``contracts.events.Reason``; ``detail`` is one sentence without customer data.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BadRecord(SegstreamError):
    """Raised when an internal record fails its hash, schema or dimensions."""


class IncompleteJournal(SegstreamError):
    """Raised when a restore cannot reach back to the journal's floor."""


class Disagreement(SegstreamError):
    """Raised when committed offsets and the journal chain contradict each other."""


class CommitFailed(SegstreamError):
    """Raised when a transaction failed or its outcome is unknown. What the broker committed decides."""


class Replaced(SegstreamError):
    """Raised when a partition went to another worker in the middle of something. Whoever has it now does that."""


class BrokerUnavailable(SegstreamError):
    """Raised when the broker cannot be reached or does not answer in time."""


class StoreUnavailable(SegstreamError):
    """Raised when the store cannot be reached or refuses writes."""
