"""The tasks of a run: when they come, what they bring, who waits for whom, and what ends a run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

from harness.errors import ScenarioError, StubError
from harness.metrics import summarise
from harness.run import RunResult, Simulation, simulate_many
from harness.run.record import record
from harness.spans import AGENT, ATTEMPT, CALL, TASK

DATA = Path(__file__).parents[2] / "scenarios" / "data"


def scenario(folder: Path, **changes: Any) -> Simulation:  # noqa: ANN401 - as in a file
    """One agent that takes a second; whatever is given replaces a part."""
    parts: dict[str, Any] = {
        "scenario": "workload",
        "workload": {"tasks": 5, "arrivals": {"every_s": 2}},
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "x", "latency": {"ttft_s": 1.0}}},
        "agents": {"a": {"model": "m"}},
        "pattern": {"single": {"agent": "a"}},
        **changes,
    }
    file = folder / "scenario.yaml"
    file.write_text(json.dumps(parts), encoding="utf-8")
    return Simulation(file)


def spans(result: RunResult, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the spans of a kind, in the order in which they began."""
    rows = sorted(result.spans.rows("span_id", "kind", *columns), key=lambda row: row[0])
    return [row[2:] for row in rows if row[1] == kind]


# -- when tasks come ----------------------------------------------------------------------------------------------


def test_tasks_come_at_their_very_times(tmp_path: Path) -> None:
    """Also where waiting for the difference would miss by a rounding: 0.360379 + (17.818789 - 0.360379)."""
    at_s = [17.818789, 0.360379, 0.1, 0.3, 0.3]
    result = scenario(tmp_path, workload={"arrivals": {"at_s": at_s}}).run()
    assert [row[0] for row in spans(result, TASK, "arrival_s")] == sorted(at_s)


def test_no_more_tasks_come_than_are_asked_for(tmp_path: Path) -> None:
    result = scenario(tmp_path, workload={"tasks": 2, "arrivals": {"at_s": [0, 1, 2]}}).run()
    assert spans(result, TASK, "task", "arrival_s") == [(1, 0.0), (2, 1.0)]


def test_task_does_not_wait_for_the_one_before_in_an_open_workload(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, workload={"tasks": 3, "arrivals": {"every_s": 0.25}})
    assert spans(simulation.run(), TASK, "arrival_s", "end_s") == [
        (0.0, 1.0),
        (0.25, 1.25),
        (0.5, 1.5),
    ]


def test_tasks_come_one_after_another_when_nothing_is_said(tmp_path: Path) -> None:
    result = scenario(tmp_path, workload={"tasks": 3}).run()
    assert spans(result, TASK, "arrival_s", "end_s") == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]


def test_users_of_a_closed_workload_think_before_each_task(tmp_path: Path) -> None:
    closed = {"users": 2, "think_s": 3}
    result = scenario(tmp_path, workload={"tasks": 5, "arrivals": {"closed": closed}}).run()
    assert spans(result, TASK, "task", "arrival_s", "end_s") == [
        (1, 3.0, 4.0), (2, 3.0, 4.0), (3, 7.0, 8.0), (4, 7.0, 8.0), (5, 11.0, 12.0),
    ]  # fmt: skip


@pytest.mark.parametrize("users", [1, 3, 7])
def test_no_more_tasks_are_in_the_system_than_there_are_users(tmp_path: Path, users: int) -> None:
    closed = {"users": users, "think_s": {"exponential": {"mean": 0.5}}}
    latency = {"ttft_s": {"exponential": {"mean": 1.0}}}
    result = scenario(
        tmp_path,
        workload={"tasks": 200, "arrivals": {"closed": closed}},
        models={"m": {"provider": "p", "name": "x", "latency": latency}},
    ).run()
    changes = [(at_s, change) for arrival_s, end_s in spans(result, TASK, "arrival_s", "end_s")
               for at_s, change in ((arrival_s, 1), (end_s, -1))]  # fmt: skip
    inside, most = 0, 0
    for _, change in sorted(changes):
        inside += change
        most = max(most, inside)
    assert most == users
    assert sorted(row[0] for row in spans(result, TASK, "task")) == list(range(1, 201))


# -- what tasks bring ---------------------------------------------------------------------------------------------


def test_trace_gives_times_and_sizes(tmp_path: Path) -> None:
    rows = [
        "when,read,written,more",
        "2023-11-16 18:15:50.5,1000,30,x",
        "2023-11-16 18:15:46.0,500,0,y",
    ]
    (tmp_path / "trace.csv").write_text("\n".join(rows), encoding="utf-8")
    trace = {
        "file": "trace.csv",
        "time": "when",
        "input_tokens": "read",
        "output_tokens": "written",
    }
    latency = {"ttft_s": 1.0, "itl_s": 0.1}
    result = scenario(
        tmp_path,
        workload={"arrivals": {"trace": trace}},
        models={"m": {"provider": "p", "name": "x", "latency": latency}},
    ).run()
    columns = ("arrival_s", "end_s", "input_tokens", "output_tokens")
    assert spans(result, ATTEMPT, *columns) == [(0.0, 1.0, 500, 0), (4.5, 8.5, 1000, 30)]


def test_trace_plays_faster_and_shorter_when_it_is_told_to(tmp_path: Path) -> None:
    trace = {
        "file": str(DATA / "code_trace_sample.csv"), "time": "TIMESTAMP", "limit": 10, "speed": 2.0,
    }  # fmt: skip
    fast = scenario(tmp_path, workload={"arrivals": {"trace": trace}}).run()
    slow = scenario(tmp_path, workload={"arrivals": {"trace": {**trace, "speed": 1.0}}}).run()
    fast_s, slow_s = ([row[0] for row in spans(run, TASK, "arrival_s")] for run in (fast, slow))
    assert len(fast_s) == len(slow_s) == 10
    assert fast_s == pytest.approx([at_s / 2 for at_s in slow_s], abs=1e-6)


def test_size_of_a_kind_stands_over_that_of_the_trace(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("t,read,written\n0,1000,30\n", encoding="utf-8")
    trace = {"file": "trace.csv", "time": "t", "input_tokens": "read", "output_tokens": "written"}
    kinds = [{"input_tokens": 7, "output_tokens": 3}]
    result = scenario(tmp_path, workload={"arrivals": {"trace": trace}, "kinds": kinds}).run()
    assert spans(result, ATTEMPT, "input_tokens", "output_tokens") == [(7, 3)]


def test_text_of_a_task_is_its_kind_and_number_unless_it_is_stated(tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(
        json.dumps({"agents": {"a": {"rules": [{"prompt": "issue 1", "reply": "x" * 400},
                                               {"prompt": "hello", "reply": "y"}]}}}),
        encoding="utf-8",
    )  # fmt: skip
    agents = {"a": {"model": "m", "stub": "echo.yaml"}}
    unstated = {"tasks": 1, "kinds": [{"kind": "issue"}]}
    stated = {"tasks": 1, "kinds": [{"kind": "issue", "text": "hello"}]}
    first = scenario(tmp_path, workload=unstated, agents=agents).run()
    second = scenario(tmp_path, workload=stated, agents=agents).run()
    assert spans(first, ATTEMPT, "input_tokens", "output_tokens") == [(2, 100)]
    assert spans(second, ATTEMPT, "input_tokens", "output_tokens") == [(2, 1)]
    assert spans(first, TASK, "name") == [("issue",)]


def test_kinds_come_by_their_weights(tmp_path: Path) -> None:
    """Shares of 1,000 tasks lie within their binomial intervals of 99 %; fixed seed."""
    kinds = [
        {"kind": "rare", "weight": 1},
        {"kind": "often", "weight": 7},
        {"kind": "some", "weight": 2},
    ]
    result = scenario(tmp_path, workload={"tasks": 1000, "kinds": kinds}).run()
    names = [row[0] for row in spans(result, TASK, "name")]
    for name, share in (("rare", 0.1), ("often", 0.7), ("some", 0.2)):
        half_width = NormalDist().inv_cdf(0.995) * math.sqrt(share * (1 - share) / 1000)
        assert abs(names.count(name) / 1000 - share) < half_width, name


# -- warm-up and horizon ------------------------------------------------------------------------------------------


def test_warm_up_is_simulated_and_left_out_of_the_numbers(tmp_path: Path) -> None:
    latency = {"latency": {"call": 1, "factor": 100}}
    cold = scenario(tmp_path, faults=[latency]).run_many()
    warm = scenario(
        tmp_path,
        faults=[latency],
        workload={"tasks": 5, "warmup_tasks": 1, "arrivals": {"every_s": 2}},
    )
    outcome = warm.run_many()
    assert cold.metrics["latency_s_max"] == 100.0
    assert outcome.metrics["latency_s_max"] == 1.0
    assert (cold.tasks, outcome.tasks) == (5, 4)
    assert not [note for note in outcome.notes if "never met" in note]
    result = warm.run()
    assert len(spans(result, TASK, "task")) == 5
    assert record(warm.scenario, result).tasks == 5


def test_horizon_cuts_tasks_and_says_so(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, horizon_s=4.5, runs=2)
    result = simulation.run()
    assert result.status == "horizon"
    assert spans(result, TASK, "arrival_s", "end_s", "status") == [
        (0.0, 1.0, "ok"), (2.0, 3.0, "ok"), (4.0, 4.5, "cancelled"),
    ]  # fmt: skip
    for kind in (AGENT, CALL, ATTEMPT):
        assert spans(result, kind, "end_s", "status")[-1] == (4.5, "cancelled")
    outcome = simulation.run_many()
    assert outcome.notes[0] == (
        "2 of 2 runs reached the horizon of 4.5 s with tasks left; "
        "4 of 10 tasks never arrived, and are in no metric."
    )
    assert outcome.metrics["success_rate"] == 2 / 3
    assert outcome.metrics["latency_s_max"] == 1.0


def test_run_that_ends_before_the_horizon_is_done(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, horizon_s=9.000001)
    assert simulation.run().status == "done"
    assert not [note for note in simulation.run_many().notes if "horizon" in note]


def test_horizon_cuts_a_closed_workload_too(tmp_path: Path) -> None:
    workload = {"tasks": 1000, "arrivals": {"closed": {"users": 3}}}
    result = scenario(tmp_path, horizon_s=2.5, workload=workload).run()
    assert result.status == "horizon"
    ends = spans(result, TASK, "end_s", "status")
    assert ends == [(1.0, "ok")] * 3 + [(2.0, "ok")] * 3 + [(2.5, "cancelled")] * 3


def test_silence_without_a_timeout_lasts_until_the_horizon(tmp_path: Path) -> None:
    result = scenario(tmp_path, horizon_s=600, faults=[{"hang": {"call": 2}}]).run()
    assert result.status == "horizon"
    assert spans(result, TASK, "end_s", "status")[1] == (600.0, "cancelled")


def test_record_of_a_run_that_was_cut_in_its_warm_up_counts_the_tasks_that_came(
    tmp_path: Path,
) -> None:
    workload = {"tasks": 10, "warmup_tasks": 8, "arrivals": {"every_s": 2}}
    simulation = scenario(tmp_path, horizon_s=4.5, workload=workload)
    result = simulation.run()
    assert record(simulation.scenario, result).tasks == 3
    outcome = simulation.run_many()
    assert outcome.tasks == 0
    assert not outcome.passed
    assert "No task was measured, so nothing was tested." in outcome.notes


# -- failures -----------------------------------------------------------------------------------------------------


def test_task_that_fails_records_its_error_and_the_run_goes_on(tmp_path: Path) -> None:
    faults = [{"status": {"call": 2, "status": 400}}]
    result = scenario(tmp_path, faults=faults).run()
    assert result.status == "done"
    assert spans(result, TASK, "status", "error") == [
        ("ok", ""), ("error", "invalid_request_error"), ("ok", ""), ("ok", ""), ("ok", ""),
    ]  # fmt: skip


def test_agent_that_never_has_enough_fails_its_task(tmp_path: Path) -> None:
    wish = {"reply": {"text": "more", "tool_calls": [{"tool": "t"}]}}
    (tmp_path / "stub.yaml").write_text(json.dumps({"agents": {"a": wish}}), encoding="utf-8")
    result = scenario(
        tmp_path,
        tools={"t": {}},
        agents={"a": {"model": "m", "stub": "stub.yaml", "tools": ["t"]}},
        pattern={"react": {"agent": "a", "max_iterations": 2}},
    ).run()
    assert set(spans(result, TASK, "status", "error")) == {("error", "IterationCapReached")}


ARRIVALS = [{"every_s": 2}, {"at_s": [0, 0, 0, 0, 0]}, {"closed": {"users": 2}}]


@pytest.mark.parametrize("arrivals", ARRIVALS, ids=str)
def test_script_that_runs_out_ends_the_run_with_the_way_to_replay_it(
    tmp_path: Path, arrivals: dict[str, Any]
) -> None:
    """As one error of the user's, and not as a group of errors, whatever the workload."""
    stub = {"agents": {"a": {"replies": ["only one"]}}}
    (tmp_path / "stub.yaml").write_text(json.dumps(stub), encoding="utf-8")
    simulation = scenario(
        tmp_path,
        workload={"tasks": 5, "arrivals": arrivals},
        agents={"a": {"model": "m", "stub": "stub.yaml"}},
        pattern={"pipeline": {"stages": ["a", "a"]}},
    )
    simulation = Simulation(tmp_path / "scenario.yaml", overrides=["models.m.latency.ttft_s=3"])
    with pytest.raises(StubError, match="the replies of agent 'a' ran out") as raised:
        simulation.run(7)
    file = tmp_path / "scenario.yaml"
    assert raised.value.__notes__ == [
        f"  To replay: harness simulate {file} --seed 7 --runs 1 --set models.m.latency.ttft_s=3"
    ]


def test_trace_that_cannot_be_read_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("t\n0\nyesterday\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"trace\.csv:3: 'yesterday' is neither seconds nor"):
        scenario(
            tmp_path, workload={"arrivals": {"trace": {"file": "trace.csv", "time": "t"}}}
        ).run()


# -- outcomes -----------------------------------------------------------------------------------------------------


def test_budgets_are_held_against_the_numbers_of_all_runs(tmp_path: Path) -> None:
    budgets = {
        "latency_s_max": {"below": 1.0},
        "latency_s_mean": {"at_most": 1.0},
        "success_rate": {"at_least": 1},
        "calls_mean": {"above": 1},
        "quality_mean": {"at_least": 0.5},
    }
    outcome = scenario(tmp_path, budgets=budgets).run_many()
    assert [(budget.metric, budget.value, budget.passed) for budget in outcome.budgets] == [
        ("latency_s_max", 1.0, False), ("latency_s_mean", 1.0, True), ("success_rate", 1.0, True),
        ("calls_mean", 1.0, False), ("quality_mean", None, False),
    ]  # fmt: skip
    assert not outcome.passed


def test_outcome_passes_when_something_was_measured_and_every_budget_holds(tmp_path: Path) -> None:
    assert scenario(tmp_path).run_many().passed
    assert scenario(tmp_path, budgets={"latency_s_mean": {"below": 2}}).run_many().passed


def test_reader_is_told_of_idle_agents_and_unknown_prices(tmp_path: Path) -> None:
    outcome = scenario(tmp_path, agents={"a": {"model": "m"}, "b": {"model": "m"}}).run_many()
    assert outcome.notes == (
        "The price of model 'm' (x) is unknown, so there is no cost; state `prices:`.",
        "Never called: b.",
    )
    assert "cost_usd_mean" not in outcome.metrics


def test_reply_that_no_run_asked_for_is_an_error(tmp_path: Path) -> None:
    stub = {"agents": {"a": {"replies": ["first", "never"]}}}
    (tmp_path / "stub.yaml").write_text(json.dumps(stub), encoding="utf-8")
    simulation = scenario(tmp_path, agents={"a": {"model": "m", "stub": "stub.yaml"}})
    with pytest.raises(StubError, match=r"stub\.yaml:1: no call of agent 'a' asked for 'never'"):
        simulation.run_many()


def test_many_runs_begin_with_the_seed_of_the_scenario_or_the_given_one(tmp_path: Path) -> None:
    simulation = scenario(tmp_path, seed=7, runs=3)
    assert simulation.run().seed == 7
    assert simulation.run_many().runs == 3
    assert simulation.run_many(2, seed=40).runs == 2
    exponential = {"ttft_s": {"exponential": {"mean": 1.0}}}
    simulation = scenario(
        tmp_path, seed=7, runs=3,
        models={"m": {"provider": "p", "name": "x", "latency": exponential}},
    )  # fmt: skip
    pooled, _ = summarise([simulation.run(seed).tally for seed in (7, 8, 9)])
    assert simulation.run_many().metrics == pooled
    assert simulation.run_many(1, seed=9).metrics == summarise([simulation.run(9).tally])[0]


def test_runs_are_made_as_they_are_asked_for(tmp_path: Path) -> None:
    results = simulate_many(scenario(tmp_path).scenario, range(10**9))
    assert [next(results).seed for _ in range(3)] == [0, 1, 2]
