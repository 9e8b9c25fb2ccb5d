"""A breaker whose minute is counted with `datetime.now()`: virtual minutes, which take no real time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest
from circuit_breaker import CircuitBreaker, CircuitState, SupportAgent

from harness.sim import Sim

BUSY = "We are busy, please try again later."


def describe(sim: Sim) -> None:
    sim.agent("support", reply="Press the red button.", latency_s=2.0)


def ask(agent: SupportAgent) -> str:
    """The answer, or the name of the error."""
    try:
        return agent.handle("How do I stop it?")
    except anthropic.APIError as error:
        return type(error).__name__


def test_three_failures_open_the_circuit_and_the_next_call_is_refused_at_once(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=500, agent="support")

    def program() -> tuple[list[str], float]:
        agent = SupportAgent(CircuitBreaker())
        answers = [ask(agent) for _ in range(3)]
        before = time.monotonic()
        return [*answers, ask(agent)], time.monotonic() - before

    run = sim.run(program)

    assert run.output == (["InternalServerError"] * 3 + [BUSY], 0.0)
    run.assert_called("support", times=3)


@pytest.mark.parametrize(("pause_s", "answer"), [(59.9, BUSY), (60.0, "Press the red button.")])
def test_the_circuit_tries_again_when_exactly_a_minute_is_over(
    sim: Sim, capsys: pytest.CaptureFixture[str], pause_s: float, answer: str
) -> None:
    describe(sim)
    sim.fault("status", status=500, agent="support", until_s=10)

    def program() -> tuple[str, CircuitState]:
        agent = SupportAgent(CircuitBreaker())
        for _ in range(3):
            ask(agent)
        time.sleep(pause_s)
        return ask(agent), agent.breaker.state

    run = sim.run(program)

    recovered = answer != BUSY
    assert run.output == (answer, CircuitState.CLOSED if recovered else CircuitState.OPEN)
    assert capsys.readouterr().out.count("half open") == recovered


def test_a_day_of_outages_takes_no_real_time(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=500, agent="support", until_s=86_400)

    def program() -> int:
        agent = SupportAgent(CircuitBreaker())
        refused = 0
        while (answer := ask(agent)) != "Press the red button.":
            refused += answer == BUSY
            time.sleep(600)
        return refused

    began = time.perf_counter()
    run = sim.run(program)

    assert run.latency_s > 86_400
    assert time.perf_counter() - began < 60


def test_a_failure_after_recovery_opens_the_circuit_again(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=500, agent="support")

    def program() -> list[str]:
        agent = SupportAgent(CircuitBreaker())
        answers = [ask(agent) for _ in range(3)]
        time.sleep(60)
        return [*answers, ask(agent), ask(agent)]

    assert sim.run(program).output == ["InternalServerError"] * 4 + [BUSY]


def test_a_half_open_circuit_lets_every_thread_through(sim: Sim) -> None:
    """A weakness: half open should mean one trial, and ten requests reach a provider that is still down."""
    describe(sim)
    sim.fault("status", status=500, agent="support")

    def program() -> None:
        agent = SupportAgent(CircuitBreaker())
        for _ in range(3):
            ask(agent)
        time.sleep(60)
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(ask, [agent] * 10))

    run = sim.run(program)

    run.assert_called("support", times=3 + 10)


def test_calls_under_way_are_not_stopped_by_an_open_circuit(sim: Sim) -> None:
    """A weakness: a provider that is slow to fail gets all requests before the third failure is counted."""
    describe(sim)
    sim.fault("hang", agent="support")

    def program() -> None:
        agent = SupportAgent(CircuitBreaker())
        agent.client = agent.client.with_options(timeout=30)
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(ask, [agent] * 10))

    run = sim.run(program)

    run.assert_called("support", times=10)
    assert run.latency_s == pytest.approx(30, abs=0.1)
