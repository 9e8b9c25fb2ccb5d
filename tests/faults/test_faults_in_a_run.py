"""Faults in a whole run: what they do to attempts, retries, quality and cost, and what the outcome says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.run import Outcome, RunResult, Simulation
from harness.spans import ATTEMPT, CALL, TASK, WAIT

REMEDY = "Correct its conditions, take it out, or say `allow_unmet: true`."
ONE_SECOND = {"ttft_s": 1.0}
PRICES = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}


class Bench:
    """Three tasks, ten seconds apart, of one agent that takes a second."""

    def __init__(
        self,
        folder: Path,
        faults: list[dict[str, Any]],
        **policy: Any,  # noqa: ANN401 - as in a file
    ) -> None:
        file = folder / "scenario.yaml"
        scenario = {
            "scenario": "faults",
            "workload": {
                "tasks": 3,
                "arrivals": {"every_s": 10},
                "kinds": [{"input_tokens": 100}],
            },
            "providers": {"p": {}},
            "models": {
                "m": {"provider": "p", "name": "x", "latency": ONE_SECOND, "prices": PRICES}
            },
            "agents": {"a": {"model": "m", "output_tokens": 100, "accuracy": 1.0}},
            "pattern": {"single": {"agent": "a"}},
            "policies": {"default": policy},
            "faults": faults,
        }
        file.write_text(json.dumps(scenario), encoding="utf-8")
        self.simulation = Simulation(file)

    def spans(self, kind: str, *columns: str) -> list[tuple[Any, ...]]:
        table = self.run().spans
        return [row[1:] for row in table.rows("kind", *columns) if row[0] == kind]

    def run(self) -> RunResult:
        return self.simulation.run()

    def outcome(self) -> Outcome:
        return self.simulation.run_many()


RETRY = {"attempts": 3, "jitter": "none", "first_wait_s": 0.5}


def test_fault_of_one_call_leaves_the_others_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"latency": {"call": 2, "factor": 5}}])
    assert bench.spans(TASK, "arrival_s", "end_s") == [(0.0, 1.0), (10.0, 15.0), (20.0, 21.0)]
    assert bench.spans(ATTEMPT, "fault") == [("",), ("latency",), ("",)]


def test_retries_meet_the_fault_again_unless_it_is_for_one_attempt(tmp_path: Path) -> None:
    every = Bench(tmp_path, [{"overloaded": {"call": 1}}], retry=RETRY)
    assert every.spans(TASK, "status", "error")[0] == ("error", "overloaded_error")
    assert every.spans(ATTEMPT, "fault", "ordinal")[:3] == [("overloaded", n) for n in (1, 2, 3)]
    first = Bench(tmp_path, [{"overloaded": {"call": 1, "attempt": 1}}], retry=RETRY)
    assert first.spans(TASK, "status", "end_s")[0] == ("ok", 0.05 + 0.5 + 1.0)
    assert first.spans(ATTEMPT, "fault", "ordinal")[:2] == [("overloaded", 1), ("", 2)]


def test_refused_attempt_costs_nothing_and_says_what_the_api_said(tmp_path: Path) -> None:
    status = {"call": 1, "attempt": 1, "status": 429, "retry_after_s": 4}
    bench = Bench(tmp_path, [{"status": status}], retry=RETRY)
    columns = ("arrival_s", "end_s", "status", "error", "http_status", "retry_after_s", "cost_usd")
    assert bench.spans(ATTEMPT, *columns)[0] == (
        0.0, 0.05, "error", "rate_limit_error", 429, 4.0, 0.0,
    )  # fmt: skip
    assert bench.spans(WAIT, "name", "arrival_s", "end_s") == [("backoff", 0.05, 4.05)]
    assert bench.outcome().metrics["rate_limited"] == 1


def test_malformed_reply_is_paid_for_and_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"malformed": {"call": 3}}], retry=RETRY)
    assert bench.spans(TASK, "status", "error")[2] == ("error", "malformed_reply")
    metrics = bench.outcome().metrics
    assert metrics["attempts_mean"] == 1.0
    assert metrics["retries"] == 0
    assert metrics["wasted_usd"] == 200 / 1e6
    assert metrics["cost_usd_total"] == pytest.approx(3 * 200 / 1e6, rel=1e-12)


def test_truncated_replies_show_as_quality_and_not_as_failures(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"truncated": {"call": 1}}])
    metrics = bench.outcome().metrics
    assert metrics["success_rate"] == 1.0
    assert metrics["quality_mean"] == 2 / 3
    assert bench.spans(CALL, "correct") == [(0,), (1,), (1,)]


def test_hang_is_cut_by_the_timeout_of_the_attempt(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"hang": {"call": 1, "attempt": 1}}], timeout_s=4.0, retry=RETRY)
    assert bench.spans(TASK, "end_s")[0] == (4.0 + 0.5 + 1.0,)
    columns = ("end_s", "status", "error", "cost_usd")
    assert bench.spans(ATTEMPT, *columns)[0] == (4.0, "error", "timeout", 0.0)
    assert bench.spans(WAIT, "name", "end_s", "status")[0] == ("silence", 4.0, "cancelled")


def test_hang_that_ends_in_time_delays_the_reply(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"hang": {"call": 1, "for_s": 2.5}}], timeout_s=4.0)
    assert bench.spans(TASK, "arrival_s", "end_s")[0] == (0.0, 3.5)
    assert bench.spans(WAIT, "name", "arrival_s", "end_s", "status") == [
        ("silence", 0.0, 2.5, "ok")
    ]
    # The provider's queue has no part in it.
    assert bench.spans(ATTEMPT, "arrival_s", "start_s", "end_s")[0] == (2.5, 2.5, 3.5)
    assert bench.outcome().metrics["queue_wait_s_mean"] == 0.0


def test_fault_that_met_nobody_is_a_problem_of_the_outcome(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        [
            {"overloaded": {"call": 99}},
            {"latency": {"call": 1, "factor": 2}},
            {"hang": {"from_s": 1000}},
        ],
    )
    assert bench.run().faults_met == {2}
    assert bench.outcome().problems == (
        "Fault 1 (overloaded) never met an attempt. " + REMEDY,
        "Fault 3 (hang) never met an attempt. " + REMEDY,
    )


def test_fault_that_names_what_is_not_there_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"hang": {"customer": "acme"}}, {"overloaded": {"task": 99}}])
    first, second = bench.outcome().problems
    assert first == (
        "Fault 1 (hang) never met an attempt: no kind of task is of customer 'acme'. " + REMEDY
    )
    assert second.startswith("Fault 2 (overloaded) never met an attempt: there is no task 99, of ")


def test_fault_that_chance_may_have_spared_everybody_is_only_noted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"overloaded": {"probability": 0.001}}])
    outcome = bench.outcome()
    assert outcome.passed
    assert outcome.notes == ("Fault 1 (overloaded) never met an attempt.",)


def test_fault_that_another_one_hides_is_one_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"connection_error": {}}, {"overloaded": {}}])
    assert "Fault 2 (overloaded) never met an attempt. " + REMEDY in bench.outcome().problems


def test_fault_that_meets_a_call_in_any_run_is_not_noted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [{"overloaded": {"probability": 0.1}}])
    assert any(not bench.simulation.run(seed).faults_met for seed in range(1, 21))
    assert bench.simulation.run_many(20).notes == ()


@pytest.mark.parametrize("at_s", [0, 10, 20])
def test_fault_in_a_window_of_time_meets_the_task_of_that_time(tmp_path: Path, at_s: int) -> None:
    bench = Bench(tmp_path, [{"overloaded": {"from_s": at_s, "until_s": at_s + 1}}])
    failed = [
        arrival_s
        for arrival_s, status in bench.spans(TASK, "arrival_s", "status")
        if status == "error"
    ]
    assert failed == [at_s]
