"""`sim.explore` finds the least bad luck that breaks a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.explore.deviation import Cancel, Fault, Latency
from harness.explore.page import write_page
from tests.explore.planted import ALL, Planted

BY_NAME = {planted.name: planted for planted in ALL}


@pytest.mark.parametrize("planted", ALL, ids=lambda planted: planted.name)
def test_what_is_planted_is_found_and_shrunk_to_its_least(planted: Planted) -> None:
    found = planted.explore(runs=30, at_most=1)
    assert found.findings, found.by_strategy
    first = found.findings[0]
    assert len(first.overrides) == planted.least
    assert first.runs_to_shrink <= 20
    assert not found.not_reproducible


@pytest.mark.parametrize("planted", ALL, ids=lambda planted: planted.name)
def test_the_mended_program_is_clean(planted: Planted) -> None:
    found = planted.explore(broken=False, runs=20)
    assert not found.findings, str(found)


def test_a_race_is_told_as_one_latency_with_its_story() -> None:
    (finding,) = BY_NAME["late draft"].explore(runs=8).findings
    (latency,) = finding.overrides
    assert isinstance(latency, Latency)
    assert "call 1 of drafter" in finding.story
    assert "takes" in finding.story
    assert finding.where.startswith("planted.py:")


def test_a_pair_is_two_faults_of_which_the_second_call_exists_only_under_the_first() -> None:
    (finding,) = BY_NAME["stale fallback"].explore(runs=20, at_most=1).findings
    assert [type(one) for one in finding.overrides] == [Fault, Fault]
    assert finding.kind == "check"


def test_a_named_task_is_cancelled_from_outside() -> None:
    (finding,) = BY_NAME["cancelled holder"].explore(runs=12).findings
    assert isinstance(finding.overrides[0], Cancel)


def test_a_token_replays_the_finding_and_passes_when_the_program_is_mended() -> None:
    planted = BY_NAME["late draft"]
    sim = planted.sim()
    (finding,) = sim.explore(planted.program, True, check=planted.check, runs=8).findings
    again = sim.replay_finding(finding.token)
    assert [one.story for one in again.findings] == [finding.story]
    assert not again.not_reproducible
    mended = sim.replay_finding(finding.token, planted.program, False, check=planted.check)
    assert not mended.findings


ROOT = Path(__file__).parents[2]

PYTHONS = [
    pytest.param(Path(sys.executable), id="this Python"),
    *(
        pytest.param(
            python,
            id=python.parents[1].name,
            marks=pytest.mark.skipif(not python.exists(), reason=f"there is no {python}"),
        )
        for python in (ROOT / f".venv-python{version}/bin/python" for version in ("3.12", "3.13"))
    ),
]
"""This one, and those that `make test-pythons` has made."""


@pytest.mark.parametrize("python", PYTHONS)
def test_a_token_replays_in_another_process_byte_for_byte(python: Path) -> None:
    names = ("stale fallback", "last bid", "thread update")
    found = [BY_NAME[name].explore(runs=20, at_most=1).findings[0].token for name in names]
    code = (
        "from tests.explore.planted import ALL\n"
        "planted = {one.name: one for one in ALL}\n"
        f"for name, token in zip({names!r}, {found!r}):\n"
        "    it = planted[name]\n"
        "    again = it.sim().replay_finding(token, it.program, True, check=it.check)\n"
        "    print(again.findings[0].token, *again.not_reproducible)\n"
    )
    done = subprocess.run(
        [python, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == found


def test_what_is_no_token_is_told_in_one_message() -> None:
    with pytest.raises(HarnessError, match="is not a replay token"):
        BY_NAME["late draft"].sim().replay_finding("x1.nonsense")


def test_a_passing_run_that_fails_is_the_finding() -> None:
    planted = BY_NAME["late draft"]

    def never(output: object) -> bool:
        return False

    found = planted.sim().explore(planted.program, True, check=never, runs=5)
    assert [(one.kind, one.overrides) for one in found.findings] == [("check", ())]
    assert found.runs == 1


def test_only_the_faults_that_are_named_are_injected() -> None:
    planted = BY_NAME["stale fallback"]
    found = planted.sim().explore(planted.program, True, check=planted.check, runs=40, faults=[])
    assert not found.findings
    with pytest.raises(HarnessError, match="there is no fault 'overload'"):
        planted.sim().explore(planted.program, True, faults=["overload"])


def test_the_same_search_finds_the_same() -> None:
    one, other = (BY_NAME["quorum of one"].explore(runs=15) for _ in range(2))
    assert str(one) == str(other)


def test_a_check_that_cannot_fail_is_told() -> None:
    planted = BY_NAME["stale fallback"]
    blind = planted.sim().explore(planted.program, False, check=lambda output: None, runs=2)
    assert "it may be unable to fail" in str(blind.coverage)
    seeing = planted.sim().explore(planted.program, False, check=planted.check, runs=2)
    assert "unable to fail" not in str(seeing.coverage)


def test_the_page_of_a_finding_has_both_timelines(tmp_path: Path) -> None:
    (finding,) = BY_NAME["stale fallback"].explore(runs=30, at_most=1).findings
    write_page(finding, tmp_path / "finding.html")
    text = (tmp_path / "finding.html").read_text(encoding="utf-8")
    assert text.count('<td class="only">') >= 4
    assert "call 1 of satellite" in text
    assert finding.token in text


@pytest.mark.parametrize("name", ["quorum of one", "thread tie", "retries for ever"])
def test_two_processes_find_what_one_finds(name: str) -> None:
    one, two = (BY_NAME[name].explore(runs=12, jobs=jobs) for jobs in (1, 2))
    assert one.findings
    assert str(one) == str(two)


def test_ctrl_c_keeps_what_was_found() -> None:
    def interrupt(finding: object) -> None:
        raise KeyboardInterrupt

    found = BY_NAME["late draft"].explore(runs=30, on_finding=interrupt)
    assert found.interrupted
    assert len(found.findings) == 1
    assert found.coverage.cut_at == "Ctrl-C"
