"""Agents of smolagents, which block: one that writes code, with a managed agent, and one that calls tools."""

from __future__ import annotations

import time  # noqa: TID251 - tools of the user's sleep
from collections.abc import Callable
from typing import Any

import pytest

from harness.models import ToolCall
from harness.sim import ProgramRun, Sim

pytest.importorskip("smolagents", reason="needs smolagents")

from smolagents import CodeAgent, OpenAIServerModel, ToolCallingAgent, tool

RunAlike = Callable[..., ProgramRun]


@tool
def search(query: str) -> str:
    """Search the web, which takes two seconds.

    Args:
        query: What to look for.
    """
    time.sleep(2)
    return f"{query}: sixteen metres"


@tool
def compute(query: str) -> str:
    """Compute a tide, which takes three seconds.

    Args:
        query: Which one.
    """
    time.sleep(3)
    return f"{query}: fifteen metres"


def code(text: str) -> str:
    return f"Thought: I write code.\n<code>\n{text}\n</code>"


def boss_and_finder(task: str) -> Any:  # noqa: ANN401 - whatever the agent ends with
    """An agent whose code calls another agent, whose code calls a tool."""
    model = OpenAIServerModel(model_id="gpt-4o-mini", api_key="key")
    finder = CodeAgent(
        tools=[search],
        model=model,
        name="finder",
        description="Finds facts.",
        instructions="You are the finder.",
    )
    boss = CodeAgent(
        tools=[], model=model, managed_agents=[finder], instructions="You are the boss."
    )
    return boss.run(task)


def test_an_agent_has_another_find_something_out(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent(
        "boss",
        system="*You are the boss.*",
        reply=[code("print(finder(task='Where are tides high?'))"), code("final_answer('Fundy')")],
        latency_s=3,
    )
    sim.agent(
        "finder",
        system="*You are the finder.*",
        reply=code("final_answer(search('Fundy'))"),
        latency_s=4,
    )

    run = run_twice(boss_and_finder, "Where are tides high?")

    assert run.output == "Fundy"
    assert [call.agent for call in run.all_calls] == ["boss", "finder", "boss"]
    assert run.latency_s == 3 + (4 + 2) + 3
    assert "Where are tides high?" in run.calls("finder")[0].prompt
    assert "Fundy: sixteen metres" in run.calls("boss")[1].prompt
    assert run.unsimulated == {}


def test_tools_that_are_called_at_once_run_side_by_side(sim: Sim, run_twice: RunAlike) -> None:
    both = [ToolCall("search", {"query": "Fundy"}), ToolCall("compute", {"query": "Fundy"})]
    sim.agent("boss", reply=[both, ToolCall("final_answer", {"answer": "Fundy"})], latency_s=4)

    def program() -> Any:  # noqa: ANN401 - whatever the agent ends with
        model = OpenAIServerModel(model_id="gpt-4o-mini", api_key="key")
        return ToolCallingAgent(tools=[search, compute], model=model).run("Where?")

    run = run_twice(program)

    assert run.output == "Fundy"
    assert run.latency_s == 4 + 3 + 4
    assert run.unsimulated == {}


def test_the_sdk_underneath_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.agent("boss", reply=code("final_answer(6 * 7)"), latency_s=4)
    sim.fault("status", status=429, agent="boss", attempt=1, retry_after_s=7)

    def program() -> Any:  # noqa: ANN401 - whatever the agent ends with
        model = OpenAIServerModel(model_id="gpt-4o-mini", api_key="key")
        return CodeAgent(tools=[], model=model).run("What is six times seven?")

    run = sim.run(program)

    assert run.output == 42
    assert run.retries == 1
    assert run.latency_s == pytest.approx(7 + 4, abs=0.1)
