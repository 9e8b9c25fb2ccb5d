"""LlamaIndex: its workflows, its agents, and an index that is asked without a loop."""

from __future__ import annotations

import asyncio
import time  # noqa: TID251 - tools of the user's sleep
from collections.abc import Callable

import pytest

from harness.models import ToolCall
from harness.sim import ProgramRun, Sim

pytest.importorskip("llama_index.core", reason="needs llama-index-core")
pytest.importorskip("llama_index.llms.openai", reason="needs llama-index-llms-openai")

from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI

# Of pydantic, about LlamaIndex's own tools.
pytestmark = pytest.mark.filterwarnings("ignore:.*attribute.* is deprecated:DeprecationWarning")

RunAlike = Callable[..., ProgramRun]

TOPICS = ["tides", "wind", "sun"]


class Asked(Event):  # type: ignore[misc]  # LlamaIndex is not where types are checked
    """A question for a worker."""

    topic: str


class Found(Event):  # type: ignore[misc]  # LlamaIndex is not where types are checked
    """What a worker has found out."""

    text: str


class Research(Workflow):  # type: ignore[misc]  # LlamaIndex is not where types are checked
    """Workers side by side, one for each topic, and a synthesizer."""

    @step
    async def plan(self, context: Context, _: StartEvent) -> Asked | None:
        """Send the questions out."""
        for topic in TOPICS:
            context.send_event(Asked(topic=topic))
        return None

    @step(num_workers=4)
    async def work(self, asked: Asked) -> Found:
        """Answer one of them."""
        return Found(text=str(await OpenAI(model="gpt-4o-mini").acomplete(asked.topic)))

    @step
    async def report(self, context: Context, found: Found) -> StopEvent | None:
        """Sum up as soon as all are answered."""
        all_found = context.collect_events(found, [Found] * len(TOPICS))
        if all_found is None:
            return None
        texts = "\n".join(each.text for each in all_found)
        return StopEvent(result=str(await OpenAI(model="gpt-4o").acomplete(texts)))


async def research() -> str:
    """Run the workflow to its end."""
    return str(await Research(timeout=60).run())


def test_a_workflow_works_side_by_side_and_sums_up(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("worker", model="gpt-4o-mini", reply=lambda call: f"about {call.prompt}", latency_s=3)
    sim.agent("writer", model="gpt-4o", reply=lambda call: call.prompt, latency_s=4)

    run = run_twice(research)

    assert sorted(run.output.splitlines()) == ["about sun", "about tides", "about wind"]
    assert run.latency_s == 3 + 4
    run.assert_parallel("worker")
    assert run.unsimulated == {}


def look_up(what: str) -> str:
    """Look something up, which takes five seconds."""
    time.sleep(5)
    return f"{what}: sixteen metres"


async def hand_over() -> str:
    """A finder with a tool that blocks, and a writer that it hands over to."""
    gpt = OpenAI(model="gpt-4o-mini")
    finder = FunctionAgent(
        name="finder",
        description="Finds facts.",
        system_prompt="You find.",
        tools=[look_up],
        llm=gpt,
        can_handoff_to=["writer"],
    )
    writer = FunctionAgent(
        name="writer", description="Writes.", system_prompt="You write.", tools=[], llm=gpt
    )
    team = AgentWorkflow(agents=[finder, writer], root_agent="finder")
    return str(await team.run(user_msg="How high are the tides?"))


def hand_over_and_wait() -> str:
    """The same, with a loop of its own."""
    return asyncio.run(hand_over())  # noqa: TID251 - as programs of the user's do


@pytest.mark.parametrize("program", [hand_over, hand_over_and_wait])
def test_an_agent_uses_a_tool_and_hands_over(
    sim: Sim, run_twice: RunAlike, program: Callable[[], object]
) -> None:
    handoff = ToolCall("handoff", {"to_agent": "writer", "reason": "found"})
    sim.agent(
        "finder",
        system="*You find.*",
        reply=[[ToolCall("look_up", {"what": "Fundy"})], [handoff]],
        latency_s=3,
    )
    sim.agent("writer", system="*You write.*", reply="Sixteen metres.", latency_s=4)

    run = run_twice(program)

    assert run.output == "Sixteen metres."
    assert [call.agent for call in run.all_calls] == ["finder", "finder", "writer"]
    assert run.latency_s == (3 + 5) + 3 + 4
    assert run.unsimulated == {}


def ask_index(question: str) -> str:
    """Ask an index without a loop; it asks of each document in a loop of its own."""
    index = SummaryIndex.from_documents([Document(text=topic * 4_000) for topic in TOPICS])
    engine = index.as_query_engine(
        llm=OpenAI(model="gpt-4", max_tokens=100), response_mode="tree_summarize", use_async=True
    )
    return str(engine.query(question))


def test_an_index_is_asked_without_a_loop(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("reader", reply="Sixteen metres.", latency_s=3)

    run = run_twice(ask_index, "How high are the tides?")

    assert run.output == "Sixteen metres."
    assert [call.start_s for call in run.calls("reader")] == [0, 0, 0, 3]
    assert run.latency_s == 3 + 3
    assert run.unsimulated == {}
