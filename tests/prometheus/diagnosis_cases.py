"""What helps to find a reason."""

from __future__ import annotations

from tests.prometheus.case import Case

_FLOOR = 'segstream_psi_floor{of="feature",reference="frozen"}'
_SPEND = 'segstream_feature_psi{feature="spend",reference="frozen"}'

CASES = [
    Case(
        "SegstreamFeatureDrift",
        fires={_SPEND: "0.4x60", _FLOOR: "0.03x60"},
        silent={_SPEND: "0.4x60", _FLOOR: "0.5x60"},  # so few customers do that by chance
        says="Customers moved in spend: PSI 0.40",
        labels={"feature": "spend"},
    ),
    Case(
        "SegstreamFeatureDrift",
        fires={_SPEND: "0.3x60", _FLOOR: "0.03x60"},
        silent={_SPEND: "0.2x60", _FLOOR: "0.03x60"},
        says="Customers moved in spend: PSI 0.30",
        labels={"feature": "spend"},
    ),
    Case(
        "SegstreamEventDrift",
        fires={'segstream_drift_active{signal="event.amount"}': "1x60"},
        silent={'segstream_drift_active{signal="event.amount"}': "1x40 0x20"},
        says="Events are not what they were: event.amount",
        labels={"signal": "event.amount"},
    ),
    Case(
        "SegstreamSegmentShifted",
        fires={'segstream_centroid_shift_radii{segment="s2",reference="frozen"}': "1.25x60"},
        silent={
            'segstream_centroid_shift_radii{segment="s2",reference="frozen"}': "0.75x60",
            'segstream_centroid_shift_radii{segment="s2",reference="rolling"}': "1.25x60",
        },
        says="s2 stands 1.2 radii from where it was",
        labels={"segment": "s2"},
    ),
    Case(
        "SegstreamAtypical",
        fires={"segstream_atypical_total": "0+10x300 3000+80x24", "segstream_fit_radii_count": "0+1000x324"},
        silent={"segstream_atypical_total": "0+80x324", "segstream_fit_radii_count": "0+1000x324"},
        says="8% of the customers fit no segment, twice as many as yesterday",
        at="26h30m",
        interval="5m",
    ),
    Case(
        "SegstreamHotPartition",
        fires={
            'segstream_input_lag_records{instance="w0"}': "20000x60",
            'segstream_input_lag_records{instance="w1"}': "100x60",
            'segstream_input_lag_largest_records{instance="w0"}': "19000x60",
            'segstream_assigned_partitions{instance="w0"}': "2x60",
        },
        silent={
            'segstream_input_lag_records{instance="w0"}': "20000x60",
            'segstream_input_lag_largest_records{instance="w0"}': "10000x60",
            'segstream_assigned_partitions{instance="w0"}': "2x60",
        },
        says="One partition has nearly all of the 20100 records that wait",
    ),
    Case(
        "SegstreamRebalancing",
        fires={"segstream_rebalances_total": "0+1x60"},
        silent={"segstream_rebalances_total": "1x30 2 3 4x60"},  # a rolling restart
        says="A worker was given partitions 15 times in 15 minutes",
    ),
    Case(
        "SegstreamCommitFailures",
        fires={"segstream_commit_failures_total": "0+1x60"},
        silent={"segstream_commit_failures_total": "0x40 2x20"},
        says="15 transactions failed in 15 minutes",
    ),
    Case(
        "SegstreamManySeries",
        fires={'scrape_samples_scraped{instance="w0"}': "1600x60"},
        silent={'scrape_samples_scraped{instance="w0"}': "900x60"},
        says="w0 shows 1600 series",
        labels={"instance": "w0"},
    ),
]
