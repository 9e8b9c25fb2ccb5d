"""Policies against their closed forms: breakers, hedges, buckets, queues, votes and people."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from itertools import pairwise
from math import comb
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.chance.distributions import Constant, Exponential
from harness.kernel import Kernel, run
from harness.resilience import (
    Breaker,
    CallQueue,
    CircuitBreaker,
    CircuitOpen,
    Desk,
    Escalation,
    Line,
)
from harness.run import Simulation
from harness.spans import ATTEMPT, TASK
from tests.examples import examples
from tests.resilience.team import metrics_of, rows, spec

T_995 = 2.756
"""Quantile 0.995 of Student's t with 29 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2)."""

Z_995 = 2.576
"""The same of the normal distribution."""

PROPERTY = settings(derandomize=True, deadline=None, max_examples=examples(60))


def assert_mean_is(samples: list[float], expected: float, *, within: float) -> None:
    """The expected value lies in the interval of 99 % of 30 runs, which is no wider than a share of it to either side."""
    assert len(samples) == 30
    half_width = T_995 * stdev(samples) / math.sqrt(len(samples))
    assert half_width < within * expected, "too few runs to tell right from wrong"
    assert abs(fmean(samples) - expected) < half_width, (fmean(samples), expected, half_width)


def transitions(failures: int, open_s: int, gap_s: int, calls: int) -> Iterator[str]:
    """What becomes of calls that would all fail at once, one every `gap_s`, by a breaker with one probe."""
    failed, opened_s = 0, -math.inf
    for number in range(calls):
        now_s = number * gap_s
        if now_s < opened_s + open_s:
            yield "refused"
            continue
        failed += 1
        if failed >= failures:  # after the first opening each failure is a probe's
            opened_s = now_s
        yield "failed"


@PROPERTY
@given(st.integers(1, 6), st.integers(1, 40), st.integers(1, 15), st.integers(1, 60))
def test_states_of_a_breaker_follow_their_times(
    failures: int, open_s: int, gap_s: int, calls: int
) -> None:
    """Open for `open_s` from the F-th failure in a row, and again from each probe that fails."""

    async def fail() -> None:
        raise TimeoutError

    async def program() -> list[str]:
        breaker = Breaker(CircuitBreaker(failures=failures, open_s=open_s))
        seen = []
        for _ in range(calls):
            try:
                await breaker.call(fail)
            except (TimeoutError, CircuitOpen) as error:
                seen.append("refused" if isinstance(error, CircuitOpen) else "failed")
            await asyncio.sleep(gap_s)
        return seen

    assert run(Kernel(), program()) == list(transitions(failures, open_s, gap_s, calls))


@pytest.mark.parametrize("after_s", [0.5, 1.5])
def test_expected_latency_of_a_hedged_call(after_s: float) -> None:
    """Exponential service with mean 1, hedged after D, without queues.

    E = integral of P(X > t) to D, and of P(X > D + t) P(Y > t) from 0 on: 1 - exp(-D) + exp(-D) / 2 = 1 - exp(-D) / 2. A hedge is
    sent with probability exp(-D). 30 runs of 400 calls; 99 %.
    """
    policies = {"hedge": {"after_s": after_s}}
    tasks = {"tasks": 400, "arrivals": {"every_s": 50}}
    simulation = Simulation.from_spec(
        spec(policies, tasks=tasks, service={"exponential": {"mean": 1}})
    )
    found = [metrics_of(simulation.run(seed)) for seed in range(1, 31)]
    latencies_s = [metrics["latency_s_mean"] for metrics in found]
    assert_mean_is(latencies_s, 1 - math.exp(-after_s) / 2, within=0.03)
    assert_mean_is([metrics["hedges"] / 400 for metrics in found], math.exp(-after_s), within=0.05)


@pytest.mark.parametrize("agents", [1, 4, 10])
@pytest.mark.parametrize(("per_min", "burst_s"), [(30, 60), (60, 1), (7, 60)])
def test_bucket_shared_by_agents_lets_through_what_one_would(
    agents: int, per_min: int, burst_s: int
) -> None:
    """However many agents share it, the k-th request is sent at max(0, (k - burst) / rate), when all come at 0."""
    names = [f"w{number}" for number in range(agents)]
    simulation = Simulation.from_spec(
        spec(
            {"token_bucket": {"requests_per_min": per_min, "burst_s": burst_s, "shared": "quota"}},
            tasks={"tasks": 40 // agents, "arrivals": {"at_s": [0.0] * (40 // agents)}},
            agents={name: {"model": "m", "output_tokens": 10} for name in names},
            pattern={"orchestrator_worker": {"workers": names}},
        )
    )
    starts = sorted(start_s for (start_s,) in rows(simulation.run(1), ATTEMPT, "start_s"))
    burst = max(1.0, per_min * burst_s / 60)
    expected = [max(0.0, (k - burst) * 60 / per_min) for k in range(1, len(starts) + 1)]
    assert starts == pytest.approx(expected, abs=2e-6)


def test_waits_of_two_priorities_before_one_exponential_server() -> None:
    """M/M/1 with priorities that do not interrupt: W_k = W_0 / ((1 - s_(k-1)) (1 - s_k)), W_0 = rho / mu (Cobham, 1954; Kleinrock,
    "Queueing Systems II", 3.2). Rates 0.3 and 0.4, mu 1: 1.0 s and 3.33 s. 30 runs of 3,000 tasks; 99 %.
    """  # fmt: skip
    kinds = [
        {"kind": "high", "priority": 1, "weight": 3, "input_tokens": 1},
        {"kind": "low", "priority": 0, "weight": 4, "input_tokens": 1},
    ]
    simulation = Simulation.from_spec(
        spec(
            {"queue": {"max_in_flight": 1}},
            tasks={"tasks": 3000, "arrivals": {"poisson": {"rate_per_s": 0.7}}, "kinds": kinds},
            service={"exponential": {"mean": 1}},
        )
    )
    waits: dict[str, list[float]] = {"high": [], "low": []}
    for seed in range(1, 31):
        result = simulation.run(seed)
        came = {task: (name, at_s) for task, name, at_s in rows(result, TASK, "task", "name", "arrival_s")}  # fmt: skip
        of_run: dict[str, list[float]] = {"high": [], "low": []}
        for task, start_s in rows(result, ATTEMPT, "task", "start_s"):
            name, arrival_s = came[task]
            of_run[name].append(start_s - arrival_s)
        for name, found in of_run.items():
            waits[name].append(fmean(found))
    assert_mean_is(waits["high"], 0.7 / (1 - 0.3), within=0.06)
    assert_mean_is(waits["low"], 0.7 / ((1 - 0.3) * (1 - 0.7)), within=0.12)


@PROPERTY
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.lists(st.booleans(), max_size=30)
)
def test_two_classes_share_a_fair_queue_by_their_weights(
    first: int, second: int, places: int, order: list[bool]
) -> None:
    """While both wait, the work of each by its weight differs by at most 1 / w1 + 1 / w2 (Goyal, Vin and Cheng, 1997, theorem 1),
    however many calls each has and in whatever order they came; with several places by one call of each more."""

    async def program() -> list[str]:
        line = Line(
            CallQueue(
                max_in_flight=places, order="fair", weights={"x": float(first), "y": float(second)}
            )
        )
        served: list[str] = []

        async def visit(flow: str) -> None:
            async with line.place(flow):
                served.append(flow)
                await asyncio.sleep(1)

        flows = ["x" if one else "y" for one in order] + ["x"] * 100 + ["y"] * 100
        await asyncio.gather(*map(visit, flows))
        return served

    served = run(Kernel(), program())
    both = [
        number for number in range(1, 200) if served[:number].count("x") < 100 and served[:number].count("y") < 100
    ]  # fmt: skip
    bound = (1 / first + 1 / second) * places
    for begin in (places, *both[:40:7]):
        x, y = served[begin : both[-1]].count("x"), served[begin : both[-1]].count("y")
        assert abs(x / first - y / second) <= bound + 1e-9


def majority(k: int, p: float) -> float:
    """The probability that most of k independent voters are right (Condorcet, 1785)."""
    return sum(comb(k, right) * p**right * (1 - p) ** (k - right) for right in range(k // 2 + 1, k + 1))  # fmt: skip


@pytest.mark.parametrize(("k", "p"), [(3, 0.7), (5, 0.7), (3, 0.4), (9, 0.6)])
def test_majority_of_samples_is_right_as_often_as_condorcet_says(k: int, p: float) -> None:
    """3,000 questions, each with k samples of an agent that is right with p; binomial interval of 99 %."""
    result = Simulation.from_spec(
        spec(
            {"samples": {"count": k}},
            tasks={"tasks": 3000, "arrivals": {"every_s": 10}},
            agents={"a": {"model": "m", "accuracy": p, "wrong_reply": "no", "output_tokens": 10}},
        )
    ).run(1)
    expected = majority(k, p)
    half_width = Z_995 * math.sqrt(expected * (1 - expected) / 3000)
    assert abs(metrics_of(result)["quality_mean"] - expected) < half_width


def test_wait_for_a_person_is_the_residual_time_to_the_next_look() -> None:
    """Looks of a renewal process with gaps G: the wait is E[G^2] / (2 E[G]) (Cox, "Renewal Theory", 1962): half an hour for looks
    every hour, and an hour for exponential gaps with that mean. 4,000 cases that come at random, each after the one before."""

    def mean_h(looks_every_h: Any) -> float:  # noqa: ANN401 - a distribution
        draws = Draws(1)
        desk = Desk(Escalation(looks_every_h=looks_every_h, takes_s=Constant(0.0)), draws)
        now_s, waits_s = 0.0, []
        for number in range(4000):
            now_s += -math.log(draws.uniform("gap", number)) * 10 * 3600
            waits_s.append(desk.visit(now_s).start_s - now_s)
        return fmean(waits_s) / 3600

    assert mean_h(Constant(1.0)) == pytest.approx(0.5, rel=0.03)
    assert mean_h(Exponential(mean=1.0)) == pytest.approx(1.0, rel=0.05)


def test_people_who_are_always_there_are_a_queue_with_several_servers() -> None:
    """Two people, five cases at once of 100 s each: M/G/c without arrivals; ends at 100, 100, 200, 200, 300."""
    desk = Desk(Escalation(people=2, takes_s=Constant(100.0)), Draws(1))
    visits = [desk.visit(0.0) for _ in range(5)]
    assert [visit.end_s for visit in visits] == [100.0, 100.0, 200.0, 200.0, 300.0]
    assert all(first.start_s <= second.start_s for first, second in pairwise(visits))
