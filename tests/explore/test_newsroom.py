"""The mistakes of the example `failures` are found without being told where."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.sim import Sim

EXAMPLE = Path(__file__).parents[2] / "examples" / "failures" / "newsroom.py"


@pytest.fixture
def newsroom(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("newsroom", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "newsroom", module)
    spec.loader.exec_module(module)
    return module


def test_a_permit_that_is_not_given_back(newsroom: ModuleType) -> None:
    sim = Sim(1)
    sim.agent("interviewer", system="*interviewer*", reply="Yes.", latency_s=2.0)
    found = sim.explore(newsroom.interview_all, ["Ada", "Bo", "Cy", "Di"], runs=30, at_most=1)
    (finding,) = found.findings
    assert finding.kind in {"deadlock", "leak"}
    assert len(finding.overrides) <= 2


def test_two_locks_in_opposite_orders(newsroom: ModuleType) -> None:
    sim = Sim(1)
    for who in ("researcher", "writer", "checker", "editor"):
        sim.agent(who, system=f"*{who}*", reply=f"by the {who}", allow_unused=True)
    (finding,) = sim.explore(newsroom.publish, "ferries", runs=30, at_most=1).findings
    assert (finding.kind, finding.overrides) == ("deadlock", ())


def test_a_failed_branch_throws_away_the_others(newsroom: ModuleType) -> None:
    def keeps_what_was_found(output: str) -> None:
        assert output != "no survey today", "what the others found is thrown away"

    sim = Sim(1)
    sim.agent("researcher", system="*researcher*", reply="Found.", latency_s=2.0)
    found = sim.explore(
        newsroom.survey, ["a", "b", "c"], check=keeps_what_was_found, runs=30, at_most=1
    )
    (finding,) = found.findings
    assert (finding.kind, len(finding.overrides)) == ("check", 1)
