"""A few rows of the chaos matrix on real servers: the harness works, and the service stands it."""

from __future__ import annotations

import json

import pytest

from benchmarks.chaos.cli import main
from benchmarks.chaos.matrix import ACTS, ELSEWHERE, SOAK
from tests.servers import apache_kafka, redis_server

ROWS = "6,23"


@pytest.mark.apache
def test_a_slice_of_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    apache_kafka()
    redis_server()
    code = main(["--json", "--rows", ROWS, "--seeds", "2"])
    report = json.loads(capsys.readouterr().out)
    assert code == 0, report
    assert [str(row["row"]) for row in report["rows"]] == ROWS.split(",")
    assert all(row["passed"] and row["runs"] for row in report["rows"])
    assert report["broker"].startswith("Apache Kafka 4")


def test_every_row_of_the_matrix_is_run_or_says_why_not() -> None:
    assert {*ACTS, *ELSEWHERE, SOAK} == {*range(1, 40), "scale"}
    assert not {*ACTS} & {*ELSEWHERE}


def test_an_unknown_row_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rows", "40"])
    assert "there is no row 40" in capsys.readouterr().err
