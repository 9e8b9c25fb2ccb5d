"""The search finds what it once missed: what happens only because a call is late, has failed, or was accepted and lost."""

from __future__ import annotations

import pytest

from benchmarks.explore import is_planted
from harness.explore.exploration import Finding
from harness.sim import Sim
from tests.zoo.planted import ZOO, Planted
from tests.zoo.table import LATER, LATER_STILL

RUNS = {1: 50, 2: 60}
"""By how many deviations it takes."""


@pytest.mark.parametrize(
    "bug", [ZOO[name] for name in (*LATER, *LATER_STILL)], ids=lambda bug: bug.name
)
def test_planted_bug_is_found_and_shrunk_to_what_was_planted(bug: Planted) -> None:
    sim = Sim(1)
    bug.describe(sim)
    found: list[Finding] = []
    sim.explore(
        bug.program,
        check=bug.check,
        runs=RUNS[len(bug.minimum)],
        wall_s=600.0,
        at_most=1,
        on_finding=found.append,
    )
    (finding,) = found
    assert is_planted(bug, finding)
    assert len(finding.overrides) == len(bug.minimum)
    assert finding.runs_to_shrink <= 20
