"""Which limits hold: the defaults, over them the scenario's, over these the command line's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError, ScenarioError
from harness.gate import limits_of, parse_limit
from harness.metrics import METRICS, Limit
from harness.scenario import GateLimit, load_scenario

BASE = Path(__file__).parents[1] / "scenario" / "base.yaml"


def test_defaults_are_four_named_metrics() -> None:
    assert {it.metric: str(it) for it in limits_of()} == {
        "latency_s_mean": "+20%",
        "latency_s_p95": "+20%",
        "cost_usd_mean": "+1%",
        "success_rate": "-1 pt",
    }
    assert {it.level for it in limits_of()} == {"error"}


def test_scenario_changes_defaults_and_the_command_line_has_the_last_word() -> None:
    stated = {
        "latency_s_p95": GateLimit(percent=5.0, level="warn"),
        "cost_usd_mean": GateLimit(level="warn"),
        "latency_s_mean": GateLimit(level="ignore"),
        "quality_mean": GateLimit(points=2.0),
    }
    limits = {
        it.metric: it for it in limits_of(stated, ["latency_s_p95=7%", "success_rate=ignore"])
    }
    assert limits == {
        "latency_s_p95": Limit("latency_s_p95", 0.07),
        "cost_usd_mean": Limit("cost_usd_mean", 0.01, "warn"),
        "quality_mean": Limit("quality_mean", 0.02),
    }


@pytest.mark.parametrize(
    ("option", "limit"),
    [
        ("cost_usd_mean=1%", Limit("cost_usd_mean", 0.01)),
        ("cost_usd_mean = 1 %", Limit("cost_usd_mean", 0.01)),
        ("latency_s_p95=+0.5%:warn", Limit("latency_s_p95", 0.005, "warn")),
        ("success_rate=1pt", Limit("success_rate", 0.01)),
        ("success_rate=-1 point:error", Limit("success_rate", 0.01)),
        ("throughput_per_s=-5%", Limit("throughput_per_s", 0.05)),
        ("retries=0%", Limit("retries", 0.0)),
        ("work_share=.5points", Limit("work_share", 0.005)),
    ],
)
def test_limit_is_read_as_it_is_written(option: str, limit: Limit) -> None:
    assert parse_limit(option) == limit


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("cost_usd_mean", "write it as NAME=CHANGE"),
        ("cost_usd_meen=1%", "there is no metric 'cost_usd_meen'; did you mean 'cost_usd_mean'?"),
        ("speed=1%", "there is no metric 'speed'; known are latency_s_mean"),
        ("speed=ignore", "there is no metric 'speed'"),
        ("cost_usd_mean=", "'' is not a limit"),
        ("cost_usd_mean=1", "'1' is not a limit"),
        ("cost_usd_mean=1%:fatal", "'1%:fatal' is not a limit"),
        ("cost_usd_mean=nan%", "'nan%' is not a limit"),
        (f"cost_usd_mean={'9' * 400}%", "too large"),
        ("cost_usd_mean=1pt", "changes of cost_usd_mean are stated in percent, such as 5%"),
        ("success_rate=1%", "changes of success_rate are stated in points, such as 1pt"),
        ("latency_s_p95=-5%", "of latency_s_p95 lower is better"),
        ("success_rate=+1pt", "of success_rate higher is better"),
    ],
)
def test_wrong_limit_is_told(option: str, says: str) -> None:
    with pytest.raises(HarnessError) as caught:
        limits_of(options=[option])
    assert f"--limit {option}: " in str(caught.value)
    assert says in str(caught.value)


def test_gate_without_a_metric_is_an_error() -> None:
    ignored = [f"{it.metric}=ignore" for it in limits_of()]
    with pytest.raises(HarnessError, match="would compare nothing"):
        limits_of(options=ignored)


@pytest.mark.parametrize(
    ("metric", "worst", "best"),
    [
        ("latency_s_p95", 0.25, -0.2),
        ("throughput_per_s", -0.25, 0.25),
        ("utilisation", 0.25, -0.25),
    ],
)
def test_improvement_is_as_far_as_the_limit_in_the_other_direction(
    metric: str, worst: float, best: float
) -> None:
    limit = Limit(metric, 0.25)
    assert (limit.worst, limit.best) == pytest.approx((worst, best))


def test_every_metric_can_be_gated() -> None:
    for metric in METRICS:
        limit = Limit(metric, 0.1)
        assert parse_limit(f"{metric}={str(limit).replace(' ', '')}") == limit


def load(gate: str, folder: Path) -> object:
    file = folder / "scenario.yaml"
    file.write_text(f"{BASE.read_text(encoding='utf-8')}\ngate: {gate}\n", encoding="utf-8")
    return load_scenario(file)


def test_section_of_the_scenario_is_no_part_of_what_decides_a_run(tmp_path: Path) -> None:
    one, other = (load(f"{{latency_s_p95: {{percent: {it}}}}}", tmp_path) for it in (5, 6))
    assert one.digest == other.digest == load_scenario(BASE).digest  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("{latency_s_p59: {percent: 1}}", "gate.latency_s_p59: there is no metric 'latency_s_p59'; did you mean"),
        ("{success_rate: {percent: 1}}", "gate.success_rate: is not stated in percent; give points"),
        ("{latency_s_p95: {points: 1}}", "gate.latency_s_p95: is not stated in points; give percent"),
        ("{calls_mean: {level: warn}}", "gate.calls_mean: has no default limit; give percent"),
        ("{calls_mean: {percent: -1}}", "gate.calls_mean.percent: must be greater than or equal to 0, not -1"),
        ("{success_rate: {points: 101}}", "gate.success_rate.points: must be less than or equal to 100"),
        ("{calls_mean: 5}", "gate.calls_mean: must be a mapping, not 5"),
        ("{latency_s_mean: {level: off}}", "must be 'error', 'warn' or 'ignore', not False"),
        ("{latency_s_mean: {procent: 3}}", "unknown key 'procent'; did you mean 'percent'?"),
        ("5", "gate: must be a mapping, not 5"),
    ],
)  # fmt: skip
def test_wrong_section_is_told_with_its_place(gate: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(gate, tmp_path)
    (problem,) = caught.value.problems
    assert says in problem
    assert ".yaml:27:" in problem
