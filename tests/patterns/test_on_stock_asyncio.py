"""Every pattern runs unchanged on asyncio's own loop, in real time, against a model that is not simulated.

A new pattern gets a line in `PLAYS`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from harness import wall
from harness.agents import Agent, Message, Task
from harness.chance import Draws
from harness.models import Reply, Request, ToolCall
from harness.patterns import PATTERNS, Pattern
from harness.patterns.aggregators import Majority
from harness.patterns.blackboard import Blackboard
from harness.patterns.bus import Bus, Subscriber
from harness.patterns.consensus import Consensus
from harness.patterns.debate import Debate
from harness.patterns.handoff import Handoff
from harness.patterns.hierarchical import Branch, Hierarchical
from harness.patterns.hybrid import Hybrid
from harness.patterns.market import Market
from harness.patterns.mesh import Mesh
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.parallel import Parallel
from harness.patterns.pipeline import Pipeline
from harness.patterns.react import React
from harness.patterns.refine import Refine
from harness.patterns.router import Router
from harness.patterns.single import Single
from harness.resilience import Policies
from harness.spans import SpanLog


class Model:
    """Says its replies in order, the last for ever, each after a turn of the loop."""

    def __init__(self, *replies: str | Reply) -> None:
        self._replies = list(replies)

    async def reply(self, request: Request) -> Reply:
        await asyncio.sleep(0)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return Reply(reply) if isinstance(reply, str) else reply


class Clock:
    """A tool."""

    async def use(self, call: ToolCall, key: str) -> str:
        await asyncio.sleep(0)
        return "noon"


@dataclass(frozen=True, slots=True)
class Play:
    """A pattern, what its agents say, and the answer."""

    pattern: Pattern
    agents: dict[str, tuple[str | Reply, ...]]
    answer: str


PLAYS: dict[str, Play] = {
    "single": Play(Single(agent="a"), {"a": ("done",)}, "done"),
    "pipeline": Play(Pipeline(stages=("a", "b")), {"a": ("draft",), "b": ("final",)}, "final"),
    "orchestrator_worker": Play(
        OrchestratorWorker(orchestrator="a", workers=("b", "b"), synthesizer="c"),
        {"a": ("1. x 2. y",), "b": ("part",), "c": ("whole",)},
        "whole",
    ),
    "react": Play(
        React(agent="a"), {"a": (Reply("when?", (ToolCall("clock", {}),)), "at noon")}, "at noon"
    ),
    "parallel": Play(
        Parallel(members=("a", "b", "a"), aggregate=Majority()),
        {"a": ("yes",), "b": ("no",)},
        "yes",
    ),
    "debate": Play(
        Debate(proponents=("a", "b"), judge="c"),
        {"a": ("A", "objection", "A2"), "b": ("B", "agree", "defend"), "c": ("2",)},
        "B",
    ),
    "consensus": Play(
        Consensus(proposer="a", voters=("b", "b", "c"), tie="accept"),
        {"a": ("plan",), "b": ("agree", "disagree"), "c": ("abstain",)},
        "plan",
    ),
    "refine": Play(
        Refine(generator="a", critic="b"), {"a": ("one", "two"), "b": ("longer", "accept")}, "two"
    ),
    "handoff": Play(
        Handoff(start="a", agents=("b",)), {"a": ("handoff: b",), "b": ("done",)}, "done"
    ),
    "market": Play(
        Market(contractors=("a", "b")), {"a": ("bid: 2",), "b": ("bid: 1", "done")}, "done"
    ),
    "mesh": Play(
        Mesh(peers=("a", "b")),
        {"a": ("to: b", "done: A"), "b": ("hello", "done: B")},
        "done: A\n\ndone: B",
    ),
    "blackboard": Play(
        Blackboard(members=("a", "b")), {"a": ("A",), "b": ("B", "Solved: AB")}, "Solved: AB"
    ),
    "hierarchical": Play(
        Hierarchical(manager="a", reports=(Branch(manager="b", reports=("c",)), "c")),
        {"a": ("plan", "sum"), "b": ("part", "half"), "c": ("done",)},
        "sum",
    ),
    "router": Play(
        Router(router="a", specialists={"left": ("b",), "right": ("c",)}),
        {"a": ("right",), "b": ("no",), "c": ("yes",)},
        "yes",
    ),
    "bus": Play(
        Bus(
            subscribers=(
                Subscriber(agent="a", topics=("task",), publishes="x"),
                Subscriber(agent="b", topics=("x",), publishes="answer"),
            ),
            observers=("c",),
        ),
        {"a": ("A",), "b": ("B",), "c": ("pass",)},
        "B",
    ),
    "hybrid": Play(
        Hybrid(manager="a", workers=("b", "c")),
        {"a": ("1. x 2. y", "sum"), "b": ("to: c", "done"), "c": ("done",)},
        "sum",
    ),
}


def test_there_is_a_play_for_every_pattern() -> None:
    assert sorted(PLAYS) == sorted(PATTERNS)
    assert all(type(play.pattern) is PATTERNS[name] for name, play in PLAYS.items())


@pytest.mark.parametrize("name", PLAYS)
def test_pattern_runs_on_the_stock_loop(name: str) -> None:
    play = PLAYS[name]
    log = SpanLog(wall.elapsed_s)
    team = {
        agent: Agent(
            agent, Model(*replies), "m", log, Draws(1), Policies(), tools={"clock": Clock()}
        )
        for agent, replies in play.agents.items()
    }
    task = Message.of_text(Task(1, "task", log.open_task("task", 1)), "user", "the task")
    answer = asyncio.run(play.pattern.run(task, team))  # noqa: TID251 - the point is another loop
    assert answer.text == play.answer
