"""Why a number is what it is: the agent, the queue, the retry or the failure that decides it is named with its share."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from harness.metrics import METRICS
from harness.metrics.because import because
from harness.metrics.contributions import works_of
from harness.run import Simulation
from harness.spans import Table

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@cache
def runs(*overrides: str, scenario: str = "code_review") -> tuple[Table, ...]:
    simulation = Simulation(
        SCENARIOS / f"{scenario}.yaml", overrides=["workload.tasks=12", *overrides]
    )
    return tuple(simulation.run(seed).spans for seed in (1, 2))


def test_the_agent_that_takes_most_of_the_time_is_named() -> None:
    told = because(runs("agents.security.output_tokens=4000"), "latency_s_mean")
    assert told.startswith("A task takes ")
    assert "for the work of security" in told.partition(",")[0]


def test_a_p95_is_told_of_the_slowest_tasks() -> None:
    assert because(runs(), "latency_s_p95").startswith("The slowest tasks take ")


def test_waiting_in_queues_is_told_with_who_waits_most() -> None:
    told = because(runs("providers.anthropic.concurrency=1", "workload.arrivals={every_s: 1}"), "latency_s_mean")  # fmt: skip
    assert "for waiting in queues, most of it by " in told


def test_retries_are_told_with_their_agent() -> None:
    faults = "faults=[{overloaded: {agent: security, probability: 0.9}}]"
    patient = "policies={default: {retry: {attempts: 20}}}"
    told = because(runs(faults, patient), "latency_s_mean")
    assert "for failed attempts and retries of security" in told


def test_money_is_told_by_agent() -> None:
    told = because(runs("agents.lead.output_tokens=5000"), "cost_usd_mean")
    assert told.startswith("A task costs $")
    assert "by lead" in told.partition(",")[0]


def test_failed_tasks_are_told_with_the_agent_and_the_error() -> None:
    faults = "faults=[{overloaded: {agent: lead}}]"
    told = because(runs(faults), "success_rate")
    assert told == "Of 24 tasks that failed, 24 failed at lead (529 overloaded_error)."


def test_nothing_is_said_where_nothing_failed_or_was_measured() -> None:
    assert because(runs(), "success_rate") == ""
    assert because(runs(), "ttft_s_p50") == ""
    assert because([], "latency_s_mean") == ""
    unpriced = "models.fast={provider: anthropic, name: nobody, latency: {ttft_s: 1, itl_s: 0.01}}"
    assert because(runs(unpriced), "cost_usd_mean") == ""


@pytest.mark.parametrize("metric", METRICS)
def test_the_same_spans_give_the_same_words(metric: str) -> None:
    assert because(runs(), metric) == because(runs(), metric)
    assert because(runs(), metric, warmup_tasks=12) == ""


def test_calls_are_explained_by_calls_and_not_by_the_copies_of_a_hedge() -> None:
    found = runs("policies.default={hedge: {after_s: 0.5, extra: 2}}")
    works = works_of(found, "calls_mean", 0)
    assert [work.whole for work in works] == [6.0] * 24
