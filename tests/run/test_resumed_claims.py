"""A run that is killed and resumed claims what it would have claimed."""

from __future__ import annotations

import pytest

from harness.run import RunResult, Simulation
from tests.run.test_resume import SCENARIOS, killed_everywhere


def claims_of(result: RunResult) -> list[tuple[int, str, str]]:
    return sorted(
        (task, agent, detail.split('"made_s"')[0].split('"call"')[0] + detail.split('"way"')[-1])
        for name, task, agent, detail in result.events.rows("name", "task", "agent", "detail")
        if name in ("claims", "false_claim")
    )


@pytest.mark.parametrize("name", ["hallucination_checked", "critics_with_an_end"])
def test_claims_are_kept_with_the_replies_that_make_them(name: str) -> None:
    less = ["workload.tasks=3", "workload.warmup_tasks=0"]
    simulation = Simulation(SCENARIOS / f"{name}.yaml", overrides=less)
    whole = claims_of(simulation.run(4))
    assert whole
    for event, _, resumed in killed_everywhere(simulation, 4):
        assert claims_of(resumed) == whole, event
