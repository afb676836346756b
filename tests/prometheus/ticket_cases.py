"""What somebody should look at by day."""

from __future__ import annotations

from tests.prometheus.case import Case

_P99 = "segstream_event_to_segment_seconds_bucket"
_FAST = {f'{_P99}{{le="2.5"}}': "0+100x60", f'{_P99}{{le="10"}}': "0+100x60", f'{_P99}{{le="+Inf"}}': "0+100x60"}
_SLOW = {f'{_P99}{{le="5"}}': "0x60", f'{_P99}{{le="10"}}': "0+100x60", f'{_P99}{{le="+Inf"}}': "0+100x60"}
_LOW, _ALL = 'segstream_margin_ratio_bucket{le="0.1"}', "segstream_margin_ratio_count"
_MOVES = 'segstream_transitions_total{from_segment="s1",to_segment="s2"}'

CASES = [
    Case(
        "SegstreamPaused",
        fires={"segstream_paused": "1x90"},
        silent={"segstream_paused": "1x50 0x5 1x60"},
        says="The workers have been paused for an hour",
        at="80m",
    ),
    Case(
        "SegstreamBehind",
        fires={
            'segstream_input_lag_seconds{instance="w0"}': "0+60x60",
            'segstream_input_lag_seconds{instance="w1"}': "0x60",
        },
        silent={'segstream_input_lag_seconds{instance="w0"}': "0+60x40 0x20"},  # it caught up
        says="The oldest event that waits is 45m 0s old",
    ),
    Case(
        "SegstreamSlow",
        fires=_SLOW | {"segstream_input_lag_seconds": "3x60"},
        silent=_SLOW | {"segstream_input_lag_seconds": "900x60"},  # everything is late: SegstreamBehind
        says="One event in a hundred waits longer than 9.95s for its segment",
    ),
    Case(
        "SegstreamSlow",
        fires=_SLOW,
        silent=_FAST,
        says="One event in a hundred waits longer than 9.95s for its segment",
    ),
    Case(
        "SegstreamRestoring",
        fires={
            'segstream_restore_remaining_customers{instance="w0"}': "90000-1000x60",
            'segstream_restore_remaining_customers{instance="w1"}': "0x60",
        },
        silent={'segstream_restore_remaining_customers{instance="w0"}': "20000-1000x20 0x40"},
        says="45000 customers are still to be restored",
    ),
    Case(
        "SegstreamRejects",
        fires={
            'segstream_events_total{outcome="rejected"}': "0+3x60",
            'segstream_events_total{outcome="accepted"}': "0+97x60",
        },
        silent={
            'segstream_events_total{outcome="rejected"}': "0+3x60",
            'segstream_events_total{outcome="accepted"}': "0+500x60",
        },
        says="3% of the records are rejected",
    ),
    Case(
        "SegstreamTimersBehind",
        fires={'segstream_timers_backlog{instance="w0"}': "1x60"},
        silent={'segstream_timers_backlog{instance="w0"}': "1x25 0 1x60"},
        says="w0 does not keep up with its timers",
        labels={"instance": "w0"},
    ),
    Case(
        "SegstreamNoOwner",
        fires={"segstream_assigned_partitions": "4x60"},
        silent={"segstream_model_version": "0x60"},  # it stands by
        says="No model owner is reporting",
        is_of_no_job=True,
    ),
    Case(
        "SegstreamModelStale",
        fires={
            'segstream_model_timestamp_seconds{instance="o1"}': "60x120",
            'segstream_model_timestamp_seconds{instance="o2"}': "0x120",  # stands by
            'segstream_looks_total{by="event"}': "0+1000x120",
        },
        silent={
            'segstream_model_timestamp_seconds{instance="o1"}': "60x120",
            'segstream_looks_total{by="event"}': "0+100x120",  # too little to learn from
        },
        says="The model is 1h 39m 0s old although much was learnt since",
        at="100m",
    ),
    Case(
        "SegstreamModelNotFollowed",
        fires={
            'segstream_worker_model_version{instance="w0"}': "5x60",
            'segstream_worker_model_version{instance="w1"}': "5+1x60",
            "segstream_model_version": "5+1x60",
        },
        silent={
            'segstream_worker_model_version{instance="w0"}': "5x60",  # there is nothing to follow
            "segstream_model_version": "5x60",
        },
        says="A worker decides with an old model while newer ones are published",
    ),
    Case(
        "SegstreamRefused",
        fires={"segstream_snapshots_refused_total": "0+1x60", "segstream_model_version": "1x60"},
        silent={"segstream_snapshots_refused_total": "0x40 1x20"},
        says="Owner and workers do not understand each other: models or learning records are refused",
    ),
    Case(
        "SegstreamRefused",
        fires={'segstream_learning_refused_total{why="bad_record"}': "0+1x60"},
        silent={'segstream_learning_refused_total{why="command"}': "0+1x60"},  # an analyst who tries things
        says="Owner and workers do not understand each other: models or learning records are refused",
    ),
    Case(
        "SegstreamProcessesDiffer",
        fires={
            'segstream_settings_info{instance="w0",digest="aa"}': "1x60",
            'segstream_settings_info{instance="w1",digest="bb"}': "1x60",
        },
        silent={
            'segstream_settings_info{instance="w0",digest="aa"}': "1x60",
            'segstream_settings_info{instance="w1",digest="aa"}': "1x60",
        },
        says="Processes of one service run under different settings or versions",
    ),
    Case(
        "SegstreamProcessesDiffer",
        fires={
            'segstream_build_info{instance="w0",version="1"}': "1x60",
            'segstream_build_info{instance="w1",version="2"}': "1x60",
        },
        silent={
            'segstream_build_info{instance="w0",version="1"}': "1x60",
            'segstream_build_info{instance="w1",version="2"}': "1x20 _x40",  # a roll-out, and its end
            'segstream_build_info{instance="w2",version="1"}': "_x20 1x40",
        },
        says="Processes of one service run under different settings or versions",
    ),
    Case(
        "SegstreamFlapping",
        fires={"segstream_flaps_total": "0+3x120", _MOVES: "0+10x120"},
        silent={"segstream_flaps_total": "0+1x120", _MOVES: "0+10x120"},
        says="30% of the changes go back to where the customer was",
        at="110m",
    ),
    Case(
        "SegstreamFlapping",
        fires={"segstream_flaps_total": "0+3x120", _MOVES: "0+6x120"},
        silent={"segstream_flaps_total": "0x60 1x60", _MOVES: "0x60 2x60"},  # one of two
        says="50% of the changes go back to where the customer was",
        at="110m",
    ),
    Case(
        "SegstreamShareDrift",
        fires={
            'segstream_segment_share_psi{reference="frozen"}': "0.31x60",
            'segstream_drift_active{signal="share"}': "1x60",
        },
        silent={
            'segstream_segment_share_psi{reference="frozen"}': "0.31x60",  # of few customers: it may be chance
            'segstream_drift_active{signal="share"}': "0x60",
            'segstream_drift_active{signal="feature.spend"}': "1x60",
        },
        says="The mix of segments moved: PSI 0.31",
    ),
    Case(
        "SegstreamDriftUnjudged",
        fires={"segstream_drift_partitions_apart_seconds": "700000x84"},
        silent={"segstream_drift_partitions_apart_seconds": "700000x60 3600x24"},  # a backlog, read up
        says="Drift of the population is not judged: partitions are 8d 2h 26m 40s of event time apart",
        at="410m",
        interval="5m",
    ),
    Case(
        "SegstreamConfidenceLow",
        fires={_LOW: "0+50x300 15000+200x24", _ALL: "0+1000x324"},
        silent={_LOW: "0+200x324", _ALL: "0+1000x324"},  # as unsure as ever
        says="20% of the decisions are nearly coin tosses, twice as many as yesterday",
        at="26h30m",
        interval="5m",
    ),
]
