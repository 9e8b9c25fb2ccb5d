"""Graphs of LangGraph, with the chat models of langchain-anthropic and langchain-openai."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from harness.models import Request
from harness.sim import ProgramRun, Sim

pytest.importorskip("langgraph", reason="needs langgraph")
pytest.importorskip("langchain_anthropic", reason="needs langchain-anthropic")
pytest.importorskip("langchain_openai", reason="needs langchain-openai")

import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Send

RunAlike = Callable[..., ProgramRun]

FINDINGS = {
    "What does tidal power cost?": "A tidal dam costs more than a reactor.",
    "Where are the tides high?": "The bay of Fundy rises sixteen metres.",
}
REPORT = "Only the bay of Fundy repays a dam."


class Plan(BaseModel):
    """What a planner writes."""

    questions: list[str]


class Research(TypedDict, total=False):
    """The state of the graph."""

    topic: str
    questions: list[str]
    findings: Annotated[list[str], operator.add]
    report: str


def research_graph() -> Any:  # noqa: ANN401 - langgraph's
    """A planner on one provider, a worker for each question on the other, and a synthesizer."""
    claude = ChatAnthropic(model="claude-sonnet-4-6", max_tokens=500)
    gpt = ChatOpenAI(model="gpt-4o-mini")

    async def plan(state: Research) -> Research:
        planner = claude.with_structured_output(Plan)
        said = await planner.ainvoke(
            [SystemMessage("You plan research."), HumanMessage(state["topic"])]
        )
        return {"questions": said.questions}

    def fan_out(state: Research) -> list[Any]:
        return [Send("work", {"question": question}) for question in state["questions"]]

    async def work(state: dict[str, str]) -> Research:
        said = await gpt.ainvoke([("system", "You find things out."), ("user", state["question"])])
        return {"findings": [said.content]}

    async def synthesize(state: Research) -> Research:
        said = await claude.ainvoke(
            [("system", "You write reports."), ("user", "\n".join(state["findings"]))]
        )
        return {"report": said.content}

    graph = StateGraph(Research)
    graph.add_node("plan", plan)
    graph.add_node("work", work)
    graph.add_node("synthesize", synthesize)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", fan_out, ["work"])
    graph.add_edge("work", "synthesize")
    graph.add_edge("synthesize", END)
    return graph.compile()


async def research(topic: str) -> str:
    """Run the graph to its end."""
    state = await research_graph().ainvoke({"topic": topic})
    return str(state["report"])


async def research_aloud(topic: str) -> list[tuple[str, str]]:
    """The tokens of the report, as they come."""
    return [
        (about["langgraph_node"], part.text)
        async for part, about in research_graph().astream({"topic": topic}, stream_mode="messages")
    ]


@pytest.fixture
def team(sim: Sim) -> None:
    sim.agent("planner", system="You plan*", reply={"questions": list(FINDINGS)})
    sim.agent("worker", system="You find*", reply=lambda call: FINDINGS[call.prompt])
    sim.agent("synthesizer", system="You write*", reply=REPORT, allow_unused=True)


@pytest.mark.usefixtures("team")
def test_a_graph_plans_sends_work_side_by_side_and_synthesizes(run_alike: RunAlike) -> None:
    run = run_alike(research, "tidal power")

    assert run.output == REPORT
    assert [call.agent for call in run.all_calls] == ["planner", "worker", "worker", "synthesizer"]
    run.assert_parallel("worker")
    run.assert_called_with_output_of("worker", "planner")
    run.assert_called_with_output_of("synthesizer", "worker")
    run.assert_no_lost_results()
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("team")
def test_tokens_are_streamed_from_the_nodes_as_they_come(sim: Sim) -> None:
    run = sim.run(research_aloud, "tidal power")
    parts = run.output

    report = [text for node, text in parts if node == "synthesize"]
    assert "".join(report) == REPORT
    assert len(report) > 3


@pytest.mark.usefixtures("team")
def test_a_chat_model_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, agent="worker", attempt=1, retry_after_s=7)

    run = sim.run(research, "tidal power")

    assert (run.rate_limited, run.retries) == (2, 2)
    assert run.latency_s == pytest.approx(2 + 7 + 2 + 2, abs=0.1)


@pytest.mark.usefixtures("team")
def test_an_overloaded_worker_ends_the_whole_graph_with_the_error_of_its_sdk(sim: Sim) -> None:
    sim.fault("overloaded", agent="worker", call=1)

    with pytest.raises(openai.InternalServerError):
        sim.run(research, "tidal power")

    assert sim.last_run is not None
    assert sim.last_run.calls("synthesizer") == 0


def price_of(ware: str) -> str:
    """The price of a ware."""
    return f"A {ware} costs 40 francs and 50 centimes."


class Talk(TypedDict):
    """The state of a graph that talks."""

    messages: Annotated[list[AnyMessage], add_messages]


async def shop_for(wish: str) -> str:
    """A buyer with a tool node, and a critic behind it."""
    claude = ChatAnthropic(model="claude-sonnet-4-6", max_tokens=500)
    buyer = claude.bind_tools([price_of])

    async def buy(state: Talk) -> Any:  # noqa: ANN401 - langgraph's
        return {
            "messages": [
                await buyer.ainvoke([SystemMessage("You buy things."), *state["messages"]])
            ]
        }

    async def judge(state: Talk) -> Any:  # noqa: ANN401 - langgraph's
        offer = state["messages"][-1].content
        return {
            "messages": [await claude.ainvoke([("system", "You judge offers."), ("user", offer)])]
        }

    graph = StateGraph(Talk)
    graph.add_node("buy", buy)
    graph.add_node("tools", ToolNode([price_of]))
    graph.add_node("judge", judge)
    graph.add_edge(START, "buy")
    graph.add_conditional_edges("buy", tools_condition, {"tools": "tools", END: "judge"})
    graph.add_edge("tools", "buy")
    state = await graph.compile().ainvoke({"messages": [("user", wish)]})
    return str(state["messages"][-1].content)


def test_a_tool_node_runs_a_synchronous_tool_for_its_agent(sim: Sim, run_alike: RunAlike) -> None:
    def offer(request: Request) -> str:
        return f"My offer: {request.tool_results[0].text}"

    sim.agent("buyer", tools=["price_of"], tool_calls=[("price_of", {"ware": "lamp"})], reply=offer)
    sim.agent("critic", system="You judge*", reply=lambda call: f"Too dear. {call.prompt}")

    run = run_alike(shop_for, "A lamp, please.")

    assert run.output == "Too dear. My offer: A lamp costs 40 francs and 50 centimes."
    assert [call.agent for call in run.all_calls] == ["buyer", "buyer", "critic"]
    run.assert_called_with_output_of("critic", "buyer")
    assert run.unsimulated == {}


def talk_graph(*, side_by_side: bool) -> Any:  # noqa: ANN401 - langgraph's
    """Two nodes that block, one after the other or both at once."""
    gpt = ChatOpenAI(model="gpt-4o-mini")

    def first(state: Talk) -> Any:  # noqa: ANN401 - langgraph's
        return {"messages": [gpt.invoke([("system", "You begin."), *state["messages"]])]}

    def second(state: Talk) -> Any:  # noqa: ANN401 - langgraph's
        return {"messages": [gpt.invoke([("system", "You go on."), state["messages"][-1].content])]}

    graph = StateGraph(Talk)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge(START if side_by_side else "first", "second")
    return graph.compile()


def test_nodes_that_block_work_one_after_the_other_without_a_loop(sim: Sim) -> None:
    sim.provider("openai", latency=2)
    sim.agent("first", system="You begin.", reply="Once there was a lighthouse keeper.")
    sim.agent("second", system="You go on.", reply="He kept a goat.")

    run = sim.run(talk_graph(side_by_side=False).invoke, {"messages": [("user", "A story.")]})

    assert [said.content for said in run.output["messages"]] == [
        "A story.",
        "Once there was a lighthouse keeper.",
        "He kept a goat.",
    ]
    run.assert_called_with_output_of("second", "first")
    assert run.latency_s == 2 + 2


@pytest.mark.parametrize(("way", "side_by_side"), [("invoke", True), ("ainvoke", False)])
def test_nodes_that_block_go_on_in_threads(sim: Sim, way: str, side_by_side: bool) -> None:
    """Two nodes at once, and any node that blocks under a loop, are given to threads."""
    sim.provider("openai", latency=2)
    sim.agent("first", system="You begin.", reply="Once there was a lighthouse keeper.")
    sim.agent("second", system="You go on.", reply="He kept a goat.")

    graph = talk_graph(side_by_side=side_by_side)
    run = sim.run(getattr(graph, way), {"messages": [("user", "A story.")]})

    assert len(run.output["messages"]) == 3
    assert run.latency_s == (2 if side_by_side else 4)


def blocking_research(topic: str) -> str:
    """Run a graph whose nodes block: workers side by side, one for each question, and a synthesizer."""
    gpt = ChatOpenAI(model="gpt-4o-mini")

    def fan_out(_: Research) -> list[Any]:
        return [Send("work", {"question": question}) for question in FINDINGS]

    def work(state: dict[str, str]) -> Research:
        said = gpt.invoke([("system", "You find things out."), ("user", state["question"])])
        return {"findings": [said.content]}

    def synthesize(state: Research) -> Research:
        said = gpt.invoke(
            [("system", "You write reports."), ("user", "\n".join(state["findings"]))]
        )
        return {"report": said.content}

    graph = StateGraph(Research)
    graph.add_node("work", work)
    graph.add_node("synthesize", synthesize)
    graph.add_conditional_edges(START, fan_out, ["work"])
    graph.add_edge("work", "synthesize")
    graph.add_edge("synthesize", END)
    return str(graph.compile().invoke({"topic": topic})["report"])


def test_a_graph_invoked_without_a_loop_runs_its_branches_side_by_side(
    sim: Sim, run_twice: RunAlike
) -> None:
    sim.agent("worker", system="You find*", reply=lambda call: FINDINGS[call.prompt], latency_s=10)
    sim.agent("synthesizer", system="You write*", reply=REPORT, latency_s=4)

    run = run_twice(blocking_research, "tidal power")

    assert run.output == REPORT
    assert run.latency_s == 10 + 4
    run.assert_parallel("worker")
    run.assert_called_with_output_of("synthesizer", "worker")
    run.assert_no_lost_results()
    assert run.unsimulated == {}


def test_a_chat_model_asks_a_batch_in_threads(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("worker", reply=lambda call: f"about {call.prompt}", latency_s=10)

    def program() -> list[str]:
        return [said.text for said in ChatOpenAI(model="gpt-4o-mini").batch(["tides", "wind"])]

    run = run_twice(program)

    assert (run.output, run.latency_s) == (["about tides", "about wind"], 10)
