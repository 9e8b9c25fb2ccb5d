"""Findings are kept as files, run first the next time, and printed as tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import run
from tests.explore.planted import ALL, Planted


@pytest.fixture
def planted() -> Planted:
    return next(one for one in ALL if one.name == "stale fallback")


def test_a_kept_case_is_run_first_the_next_time(planted: Planted, tmp_path: Path) -> None:
    (first,) = planted.explore(runs=30, at_most=1, cases=tmp_path).findings
    assert len(list(tmp_path.glob("*.yaml"))) == 1
    (again,) = planted.explore(runs=30, at_most=1, cases=tmp_path).findings
    assert (again.runs_until_found, again.strategy) == (2, "kept")
    assert again.overrides == first.overrides
    assert len(list(tmp_path.glob("*.yaml"))) == 1


def test_a_kept_case_becomes_a_test_by_one_command(
    planted: Planted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (finding,) = planted.explore(runs=30, at_most=1, cases=tmp_path).findings
    (file,) = tmp_path.glob("*.yaml")
    assert run(["explore", str(file), "--pytest"]) == 0
    printed = capsys.readouterr().out
    compile(printed, "test", "exec")
    assert "sim.replay_finding(token, program, check=check).assert_none()" in printed
    assert finding.token in printed


def test_a_file_that_is_no_case_is_told_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("deviations: [{deviation: luck}]\nseed: 1\nkind: check\ntest: ''\n")
    assert run(["explore", str(wrong), "--pytest"]) == 2
    assert "is not a deviation" in capsys.readouterr().err
