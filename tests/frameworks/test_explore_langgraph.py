"""A planted mistake in a graph of LangGraph is found, shrunk and replayed; the mended graph is clean."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest

from harness.explore.deviation import Fault, Latency
from harness.sim import Sim

pytest.importorskip("langgraph", reason="needs langgraph")

import openai
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph


class Report(TypedDict):
    """What the nodes pass on."""

    notes: Annotated[list[str], operator.add]
    text: str


def says(who: str) -> Callable[[str], Any]:
    """Asks an agent."""
    model = ChatOpenAI(model="gpt-4o-mini", api_key="test", max_retries=0)

    async def ask(text: str) -> str:
        reply = await model.ainvoke([("system", f"You are the {who}."), ("user", text)])
        return str(reply.content)

    return ask


def graph_of(mended: bool) -> Any:  # noqa: ANN401 - LangGraph's
    """Two researchers at once, then a writer; one that fails leaves no note, which the writer takes for a note on nothing."""
    builder = StateGraph(Report)

    def researcher(who: str) -> Callable[[Report], Any]:
        ask = says(who)

        async def research(state: Report) -> dict[str, list[str]]:
            try:
                return {"notes": [await ask("What is known?")]}
            except openai.APIError:
                return {"notes": [f"{who} could not be reached"] if mended else []}

        return research

    async def write(state: Report) -> dict[str, str]:
        first, second = state["notes"] if mended else (state["notes"][0], state["notes"][1])
        try:
            return {"text": await says("writer")(f"{first} {second}")}
        except openai.APIError:
            return {"text": f"{first} {second}"}

    for who in ("historian", "chemist"):
        builder.add_node(who, researcher(who))
        builder.add_edge(START, who)
        builder.add_edge(who, "write")
    builder.add_node("write", write)
    builder.add_edge("write", END)
    return builder.compile()


async def report(mended: bool) -> str:
    """The program."""
    state = await graph_of(mended).ainvoke({"notes": [], "text": ""})
    return str(state["text"])


def described(sim: Sim) -> Sim:
    """The agents of the graph."""
    sim.agent("historian", system="*historian*", reply="It is old.", latency_s=3.0)
    sim.agent("chemist", system="*chemist*", reply="It is gold.", latency_s=2.0)
    sim.agent("writer", system="*writer*", reply="Old gold.", latency_s=2.0, allow_unused=True)
    return sim


def test_a_researcher_that_fails_is_found_and_shrunk(sim: Sim) -> None:
    (finding,) = described(sim).explore(report, False, runs=20, at_most=1).findings
    assert finding.kind == "IndexError"
    (fault,) = finding.overrides
    assert isinstance(fault, Fault)
    assert fault.name == "overloaded"
    assert finding.where.startswith("test_explore_langgraph.py:")
    again = sim.replay_finding(finding.token)
    assert [one.story for one in again.findings] == [finding.story]
    assert not again.not_reproducible
    assert not sim.replay_finding(finding.token, report, True).findings


def test_the_mended_graph_is_clean(sim: Sim) -> None:
    assert not described(sim).explore(report, True, runs=20).findings


def test_notes_that_come_in_another_order_are_found(sim: Sim) -> None:
    async def first_note() -> str:
        builder = StateGraph(Report)
        seen: list[str] = []

        def node(who: str) -> Callable[[Report], Any]:
            async def ask(state: Report) -> dict[str, list[str]]:
                try:
                    seen.append(await says(who)("What is known?"))
                except openai.APIError:
                    seen.append("nothing")
                return {"notes": seen[-1:]}

            return ask

        for who in ("historian", "chemist"):
            builder.add_node(who, node(who))
            builder.add_edge(START, who)
            builder.add_edge(who, END)
        await builder.compile().ainvoke({"notes": [], "text": ""})
        return seen[0]

    found = described(sim).explore(
        first_note, check=lambda first: first != "It is old.", runs=20, faults=[]
    )
    (finding,) = found.findings
    (late,) = finding.overrides
    assert isinstance(late, Latency)
