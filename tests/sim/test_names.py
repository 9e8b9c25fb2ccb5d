"""A name that nobody knows is refused where it stands, with the nearest one that is known."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.faults.status import Overloaded
from harness.sim import Sim
from harness.sim.settings import PROVIDER_SETTINGS


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (lambda sim: sim.fault("overlaoded"), "no fault 'overlaoded'; did you mean 'overloaded'?"),
        (lambda sim: sim.fault("hang", agnet="a"), "agnet: there is no such setting; did you mean 'agent'?"),
        (lambda sim: sim.fault("status", status=429, retry_after=3), "did you mean 'retry_after_s'?"),
        (lambda sim: sim.agent("a", sytem="x"), "sim.agent: there is no setting 'sytem'; did you mean 'system'?"),
        (lambda sim: sim.agent("a", replies=["x"]), "did you mean 'reply'?"),
        (lambda sim: sim.tool("t", latency=1), "sim.tool: there is no setting 'latency'; did you mean 'latency_s'?"),
        (lambda sim: sim.process("ls", stdot="x"), "did you mean 'stdout'?"),
        (lambda sim: sim.provider("anthropic", request_per_min=1), "did you mean 'requests_per_min'?"),
        (lambda sim: sim.provider("anthropic", message_thread=False), "did you mean 'message_threads'?"),
        (lambda sim: sim.provider("anthropic", outages=[{"at": 1, "for_s": 2}]), "did you mean 'at_s'?"),
        (lambda sim: sim.provider("anthropic", overload={"calm": 1}), "did you mean 'calm_s'?"),
        (lambda sim: sim.agent("a", latency_s={"ttft_s": 1, "itls": 0.1}), "did you mean 'itl_s'?"),
        (lambda sim: sim.agent("a", latency_s={"lognormale": {"median": 1}}), "did you mean 'lognormal'?"),
        (lambda sim: sim.provider("antropic"), "did you mean 'anthropic'?"),
    ],
)  # fmt: skip
def test_what_a_test_describes(say: Callable[[Any], object], words: str) -> None:
    with pytest.raises(HarnessError) as caught:
        say(Sim(1))
    assert words in str(caught.value)


def test_a_setting_like_no_other_is_told_beside_those_that_there_are() -> None:
    sim: Any = Sim(1)
    with pytest.raises(HarnessError, match=r"no setting 'zzz'\n  Known: name, system, "):
        sim.agent("a", zzz=1)


def test_every_setting_of_a_provider_is_known() -> None:
    stated = inspect.signature(Sim.provider).parameters
    assert [name for name in stated if name not in ("self", "name", "options")] == list(
        PROVIDER_SETTINGS
    )


@pytest.mark.parametrize(
    "claim",
    [
        lambda run: run.calls("wroker"),
        lambda run: run.assert_called("wroker"),
        lambda run: run.assert_parallel("worker", "wroker"),
        lambda run: run.assert_called_with_output_of("worker", "wroker"),
        lambda run: run.assert_no_lost_results(branches_on=["wroker"]),
        lambda run: run.assert_cache_read_share(above=0.5, agent="wroker"),
        lambda run: run.assert_survives("overloaded", agent="wroker"),
        lambda run: run.assert_survives(Overloaded(agent="wroker")),
    ],
)
def test_an_agent_of_an_assertion(ask: Any, claim: Callable[[Any], object]) -> None:
    sim = Sim(1)
    sim.agent("worker", reply="done")
    run = sim.run(ask)
    with pytest.raises(HarnessError, match=r"no agent 'wroker'; did you mean 'worker'\?"):
        claim(run)


def test_an_agent_of_a_fault_is_told_at_the_end(ask: Any) -> None:
    sim = Sim(1)
    sim.agent("worker", reply="done")
    sim.fault("overloaded", agent="wroker")
    sim.run(ask)
    with pytest.raises(HarnessError) as caught:
        sim.check()
    assert (
        "fault 1 (overloaded) never met an attempt: there is no agent 'wroker'; did you mean 'worker'?"
        in str(caught.value)
    )
