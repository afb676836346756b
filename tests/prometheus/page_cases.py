"""What wakes somebody."""

from __future__ import annotations

from tests.prometheus.case import Case

_MOVES = 'segstream_transitions_total{from_segment="s1",to_segment="s2"}'
_FIRST = 'segstream_transitions_total{from_segment="none",to_segment="s2"}'

CASES = [
    Case(
        "SegstreamDown",
        fires={'up{instance="w0"}': "1x3 0x60", 'up{instance="w1"}': "1x60"},
        silent={'up{instance="w0"}': "1x43 0 1x20"},  # one scrape that failed
        says="w0 does not answer scrapes",
        labels={"instance": "w0"},
    ),
    Case(
        "SegstreamNoWorker",
        fires={"segstream_model_version": "3x60"},
        silent={"segstream_assigned_partitions": "0x60"},
        says="No worker is reporting",
        is_of_no_job=True,
    ),
    Case(
        "SegstreamStalled",
        fires={
            'segstream_events_total{outcome="accepted"}': "0+50x20 1000x40",
            "segstream_input_lag_records": "0x20 30x40",
            "segstream_paused": "0x60",
        },
        silent={
            'segstream_events_total{outcome="accepted"}': "0+50x20 1000x40",
            "segstream_input_lag_records": "0x20 30x40",
            "segstream_paused": "0x20 1x40",  # that has an alert of its own
        },
        says="Records wait in Kafka and none is processed",
    ),
    Case(
        "SegstreamStalled",
        fires={
            'segstream_events_total{outcome="rejected",instance="w0"}': "7x60",
            'segstream_events_total{outcome="accepted",instance="w1"}': "9x60",
            "segstream_input_lag_records": "30x60",
        },
        silent={
            'segstream_events_total{outcome="accepted",instance="w0"}': "7x60",
            'segstream_events_total{outcome="accepted",instance="w1"}': "9x60",
            "segstream_input_lag_records": "0x60",  # a quiet night
        },
        says="Records wait in Kafka and none is processed",
    ),
    Case(
        "SegstreamCircuitOpen",
        fires={'segstream_circuit_open{instance="w0"}': "0x20 1x40"},
        silent={'segstream_circuit_open{instance="w0"}': "0x60"},
        says="w0 holds: too many bad records",
        labels={"instance": "w0"},
    ),
    Case(
        "SegstreamCommitStuck",
        fires={'segstream_commit_stuck{instance="w0"}': "0x20 1x40"},
        silent={'segstream_commit_stuck{instance="w0"}': "0x43 1 0x20"},
        says="w0 fails to commit the same batch again and again",
        labels={"instance": "w0"},
    ),
    Case(
        "SegstreamOutage",
        fires={'segstream_outages_total{kind="StoreUnavailable"}': "0x20 0+20x40"},
        silent={'segstream_outages_total{kind="StoreUnavailable"}': "0x42 3x40"},  # a server that restarted
        says="Workers wait: StoreUnavailable",
        labels={"kind": "StoreUnavailable"},
    ),
    Case(
        "SegstreamJournalFloorOld",
        fires={
            'segstream_journal_floor_age_seconds{instance="w0"}': "345600x60",
            'segstream_journal_floor_age_seconds{instance="w1"}': "60x60",
        },
        silent={'segstream_journal_floor_age_seconds{instance="w0"}': "172800x60"},
        says="A restore needs 4d 0h 0m 0s of journal, and it is kept for 7 days",
    ),
    Case(
        "SegstreamMassReassignment",
        fires={'segstream_segment_customers{segment="s1"}': "1000x120", _MOVES: "0+5x120"},
        silent={'segstream_segment_customers{segment="s1"}': "1000x120", _MOVES: "0+2x120", _FIRST: "0+50x120"},
        says="30% of the customers changed segment within an hour",
        at="100m",
    ),
]
