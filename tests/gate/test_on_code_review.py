"""The gate on the code-review team: what is beside the critical path passes, what is on it fails, and is named."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from harness.gate import GateResult, SimulatedSide, gate, limits_of
from harness.gate.why import why
from harness.scenario import load_scenario
from harness.spans import Table

CODE_REVIEW = Path(__file__).parents[2] / "scenarios" / "code_review.yaml"
TASKS = "workload.tasks=15"


def longer(agent: str, median: int) -> str:
    """An agent whose replies are of another length, and take as much longer."""
    return f"agents.{agent}.output_tokens={{lognormal: {{median: {median}, sigma: 0.3}}}}"


class Sides:
    """The team as it is, and after a change."""

    def __init__(self, *changes: str, cost: str = "1%") -> None:
        self._spans: dict[str, dict[int, Table]] = {"base": {}, "candidate": {}}
        base = self._side("base")
        candidate = self._side("candidate", *changes)
        limits = limits_of(options=[f"cost_usd_mean={cost}"])
        self.result: GateResult = gate(base, candidate, limits, seeds=range(1, 17))

    def _side(self, name: str, *changes: str) -> SimulatedSide:
        kept = self._spans[name]
        scenario = load_scenario(CODE_REVIEW, overrides=[TASKS, *changes])
        return SimulatedSide(scenario, on_run=lambda run: kept.update({run.seed: run.spans}))

    def status(self, metric: str) -> str:
        (found,) = [it.status for it in self.result.metrics if it.limit.metric == metric]
        return found

    def why(self, metric: str) -> str:
        base, candidate = self._spans["base"], self._spans["candidate"]
        return why(list(base.values()), list(candidate.values()), metric).sentence


@cache
def after(*changes: str, cost: str = "1%") -> Sides:
    return Sides(*changes, cost=cost)


def test_worker_beside_the_critical_path_may_be_30_percent_slower() -> None:
    found = after(longer("style", 884), cost="20%")
    assert found.result.exit_code == 0
    assert found.status("latency_s_mean") == "within limit"


def test_slowest_worker_may_not_and_is_named() -> None:
    found = after(longer("security", 2400))
    assert found.result.exit_code == 1
    assert found.status("latency_s_mean") == "regressed"
    assert found.why("latency_s_mean").startswith("security takes ")


def test_turning_side_by_side_into_one_after_the_other_fails_and_is_called_so() -> None:
    found = after("pattern={pipeline: {stages: [lead, style, security, performance, tests, lead]}}")
    assert found.status("latency_s_mean") == "regressed"
    assert "became serial" in found.why("latency_s_mean")


def test_agent_that_must_try_again_shows_as_cost_with_its_name() -> None:
    """Eight times slower is beyond the timeout: the attempt is paid for, and made again."""
    found = after("faults=[{latency: {agent: security, attempt: 1, factor: 8}}]")
    assert found.status("cost_usd_mean") == "regressed"
    assert found.why("cost_usd_mean").startswith("security costs ")


def test_agent_that_nobody_calls_changes_nothing() -> None:
    found = after("agents.idle={model: fast}")
    assert {it.status for it in found.result.metrics} == {"identical"}
