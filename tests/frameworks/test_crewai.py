"""Crews and flows of crewAI, which block and run tasks, events and tools in threads.

Before its first call to a model, and after each tool, an agent asks the provider how many tokens the prompt has; each time
takes 0.05 s.
"""

from __future__ import annotations

import asyncio
import time  # noqa: TID251 - tools of the user's sleep
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.sim import ProgramRun, Sim

with pytest.MonkeyPatch.context() as patch:
    # Else the import starts a thread that sends what it measures over the real network.
    patch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
    pytest.importorskip("crewai", reason="needs crewai")

    from crewai import LLM, Agent, Crew, Process, Task
    from crewai.flow.flow import Flow, and_, listen, start
    from crewai.tools import tool

# Of pydantic and others, about crewAI's own code.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RunAlike = Callable[..., ProgramRun]

COUNTED_S = 0.05
"""What counting the tokens of a prompt takes [virtual s]."""


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("CREWAI_DISABLE_VERSION_CHECK", "true")
    monkeypatch.setenv("OPENAI_API_KEY", "key")


@pytest.fixture
def team(sim: Sim) -> None:
    sim.agent("researcher", system="*Researcher*", reply="facts", latency_s=3)
    sim.agent("analyst", system="*Analyst*", reply="numbers", latency_s=5)
    sim.agent("writer", system="*Writer*", reply="the report", latency_s=4)


def agent(role: str, **more: object) -> Agent:
    return Agent(role=role, goal="Do well.", backstory="You care.", llm="gpt-4o-mini", **more)


def crew() -> Crew:
    """Two tasks side by side, and one that needs both."""
    researcher, analyst, writer = agent("Researcher"), agent("Analyst"), agent("Writer")
    facts, numbers = (
        Task(
            description=f"Find {what} on tides.",
            expected_output=what,
            agent=who,
            async_execution=True,
        )
        for what, who in (("facts", researcher), ("numbers", analyst))
    )
    report = Task(
        description="Write the report.",
        expected_output="A report.",
        agent=writer,
        context=[facts, numbers],
    )
    return Crew(agents=[researcher, analyst, writer], tasks=[facts, numbers, report])


def kick_off() -> str:
    """Run the crew, which blocks."""
    return str(crew().kickoff().raw)


async def kick_off_in_a_thread() -> str:
    """Run it in a thread."""
    return str((await crew().kickoff_async()).raw)


async def kick_off_in_the_loop() -> str:
    """Run it in the loop, as far as it can be."""
    return str((await crew().akickoff()).raw)


def kick_off_aloud() -> str:
    """Run it in a thread, and take its words as they come."""
    whole = crew()
    whole.stream = True
    stream = whole.kickoff()
    assert "".join(chunk.content for chunk in stream).endswith("the report")
    return str(stream.result.raw)


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    "program", [kick_off, kick_off_in_a_thread, kick_off_in_the_loop, kick_off_aloud]
)
def test_a_crew_does_async_tasks_side_by_side(
    run_twice: RunAlike, program: Callable[[], object]
) -> None:
    run = run_twice(program)

    assert run.output == "the report"
    assert [call.agent for call in run.all_calls] == ["researcher", "analyst", "writer"]
    assert [call.start_s for call in run.all_calls] == [COUNTED_S, COUNTED_S, 5 + 2 * COUNTED_S]
    assert run.latency_s == pytest.approx((COUNTED_S + 5) + (COUNTED_S + 4), abs=1e-9)
    assert run.unsimulated == {}


def test_a_crew_is_run_for_several_inputs_at_once(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("writer", reply="the report", latency_s=4)

    async def program() -> list[str]:
        writer = agent("Writer")
        task = Task(description="Write on {topic}.", expected_output="A report.", agent=writer)
        topics = [{"topic": "tides"}, {"topic": "wind"}, {"topic": "sun"}]
        done = await Crew(agents=[writer], tasks=[task]).kickoff_for_each_async(topics)
        return [each.raw for each in done]

    run = run_twice(program)

    assert run.output == ["the report"] * 3
    assert run.latency_s == COUNTED_S + 4
    run.assert_parallel("writer")


@tool("look_up")
def look_up(what: str) -> str:
    """Look something up, which takes seven seconds."""
    time.sleep(7)
    return f"{what}: sixteen metres"


@pytest.mark.parametrize("limit_s", [None, 60])
def test_an_agent_uses_a_tool_that_sleeps(
    sim: Sim, run_twice: RunAlike, limit_s: int | None
) -> None:
    """With a limit for its time, crewAI runs the agent in a thread."""
    sim.agent("researcher", tool_calls=[("look_up", {"what": "Fundy"})], reply="high", latency_s=3)

    def program() -> str:
        researcher = agent("Researcher", tools=[look_up], max_execution_time=limit_s)
        task = Task(description="Find tides.", expected_output="Facts.", agent=researcher)
        return str(Crew(agents=[researcher], tasks=[task]).kickoff().raw)

    run = run_twice(program)

    assert run.output == "high"
    assert run.latency_s == pytest.approx(COUNTED_S + 3 + 7 + 2 * COUNTED_S + 3, abs=1e-9)
    (result,) = run.calls("researcher")[1].messages[-1].tool_results
    assert result.text == "Fundy: sixteen metres"


def test_a_manager_leads_a_crew(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("manager", model="gpt-4o", reply="done", latency_s=4)

    def program() -> str:
        task = Task(description="Find tides.", expected_output="Facts.")
        whole = Crew(
            agents=[agent("Researcher")],
            tasks=[task],
            process=Process.hierarchical,
            manager_llm="gpt-4o",
        )
        return str(whole.kickoff().raw)

    run = run_twice(program)

    assert run.output == "done"
    assert run.latency_s == COUNTED_S + 4


class Research(Flow):  # type: ignore[misc]  # crewAI is not where types are checked
    """Two methods side by side, one of which blocks, and one that needs both."""

    @start()
    def facts(self) -> None:
        """Ask in the thread that the flow gives it."""
        self.state["facts"] = LLM(model="gpt-4o-mini").call(asked_of("Researcher"))

    @start()
    async def numbers(self) -> None:
        """Ask in a thread of its own."""
        gpt = LLM(model="gpt-4o-mini")
        self.state["numbers"] = await asyncio.to_thread(gpt.call, asked_of("Analyst"))

    @listen(and_(facts, numbers))
    def report(self) -> str:
        """Let an agent sum up."""
        return str(agent("Writer").kickoff(f"{self.state['facts']}, {self.state['numbers']}").raw)


def asked_of(role: str) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": f"You are {role}"},
        {"role": "user", "content": "Tides?"},
    ]


def run_flow() -> object:
    """Run the flow, which starts a loop of its own."""
    return Research().kickoff()


async def run_flow_in_the_loop() -> object:
    """Run it in the loop that is there."""
    return await Research().kickoff_async()


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("program", [run_flow, run_flow_in_the_loop])
def test_a_flow_does_its_starts_side_by_side(
    sim: Sim, run_twice: RunAlike, program: Callable[[], object]
) -> None:
    # Each flow opens a store for memories, whose threads are those of a library in Rust.
    sim.real("lancedb:connect")

    run = run_twice(program)

    assert run.output == "the report"
    assert [call.start_s for call in run.all_calls] == [0, 0, 5 + COUNTED_S]
    assert run.latency_s == 5 + COUNTED_S + 4
    assert "facts, numbers" in run.calls("writer")[0].prompt
    assert run.unsimulated == {}
