"""A replay names where it parts from the run of its token, and a finding the nearest run that passes."""

from __future__ import annotations

import pytest

from harness.explore.trail import parted, parted_here, trail_of
from harness.sim import Sim
from tests.explore.planted import ALL

LINES = [f"{number} -> {number + 1}  call {number}" for number in range(5)]


def test_the_same_timeline_does_not_part() -> None:
    assert parted(trail_of(LINES), LINES) == ""
    assert parted_here(LINES, LINES) == ""


@pytest.mark.parametrize("place", range(5))
def test_the_first_line_that_differs_is_named(place: int) -> None:
    now = [*LINES[:place], "9 -> 10  call x", *LINES[place + 1 :]]
    assert parted(trail_of(LINES), now) == (
        f"they part at line {place + 1} of its timeline: 9 -> 10  call x"
    )
    assert parted_here(LINES, now).startswith(f"they part at line {place + 1}: ")


def test_a_shorter_and_a_longer_timeline_part_where_one_ends() -> None:
    assert parted(trail_of(LINES), LINES[:3]).startswith("it ends after line 3")
    assert parted(trail_of(LINES[:3]), LINES).startswith("it goes on at line 4")


def test_a_trail_of_a_long_run_is_short() -> None:
    assert len(trail_of(LINES * 1000)) <= 128


def test_a_replay_in_other_surroundings_says_where_it_parts_and_a_finding_what_passes() -> None:
    planted = next(one for one in ALL if one.name == "late draft")
    (finding,) = planted.explore(runs=8).findings
    assert len(finding.nearest) == 1
    assert "takes 9 s, not 3 s" in finding.nearest[0]
    assert "The nearest run that passes:\n  call 1 of drafter" in finding.story
    assert finding.story.count("<- here they part") == 1
    sim = Sim(1)
    for name, (reply, latency_s) in planted.agents.items():
        sim.agent(name, system=f"*{name}*", reply=reply, latency_s=latency_s / 2)
    (differs,) = sim.replay_finding(finding.token, planted.program, True).not_reproducible
    assert "they part at line" in differs
