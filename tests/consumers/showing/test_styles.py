from __future__ import annotations

from consumers.showing import styles
from deploy.grafana.colours import SEGMENTS


def test_a_segment_has_the_colour_that_it_has_on_the_dashboards() -> None:
    assert styles.SEGMENTS == SEGMENTS
