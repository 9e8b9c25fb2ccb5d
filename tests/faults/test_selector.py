"""One selector for faults of all kinds: each condition holds for every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.models import Reply, Request, ToolCall
from harness.run import Simulation
from harness.spans import TASK

AGENTS = ("first", "second", "third")

KINDS: dict[str, dict[str, Any]] = {
    "overloaded": {},
    "empty": {},
    "tool_fails": {},
    "reply_lost": {},
    "message_delayed": {"by_s": 5},
    "message_duplicated": {},
    "down": {},
    "crash": {"restart_after_s": 10},
    "lost_update": {},
    "clock_skew": {"by_s": -100},
}
"""Faults of all kinds."""

Condition = Callable[[int, str], bool]
"""Whether a task, and the customer whom it is for, fit."""

CONDITIONS: list[tuple[dict[str, Any], Condition]] = [
    ({"task": 2}, lambda task, _: task == 2),
    ({"customer": "acme"}, lambda _, customer: customer == "acme"),
    ({"from_s": 1000, "until_s": 2500}, lambda task, _: task in (2, 3)),
    ({"probability": 0.0}, lambda *_: False),
    ({"agents": ["third"]}, lambda *_: False),
    (
        {"agent": "first", "customer": "other", "until_s": 3500},
        lambda task, customer: customer == "other" and task < 5,
    ),
]
"""What is said of what is met, and in which tasks the first agent meets it."""


def tasks_met(name: str, where: dict[str, Any]) -> tuple[set[int], dict[int, str]]:
    """The tasks in which a fault has met something, and whom each task is for."""
    team = {"react": {"agent": "first"}}
    board = {"blackboard": {"members": ["first"], "max_rounds": 2, "on_exhausted": "board"}}
    agent = {"model": "m", "tools": ["refund"], "stub": "tests.faults.test_selector:says"}
    chain = {"stages": [{"agent": {"pattern": team}}, "first", {"agent": {"pattern": board}}]}
    spec = {
        "scenario": "selector",
        "horizon_s": 10_000,
        "workload": {
            "tasks": 5,
            "arrivals": {"every_s": 1000},
            "kinds": [{"customer": "acme"}, {"customer": "other"}],
        },
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "x", "latency": {"ttft_s": 1.0}}},
        "tools": {"refund": {"latency_s": 1}},
        "agents": dict.fromkeys(AGENTS, agent),
        "pattern": {"pipeline": chain},
        "faults": [{name: {**KINDS[name], **where, "allow_unmet": True}}],
    }
    result = Simulation.from_spec(spec).run()
    rows = result.events.rows("name", "task", "detail")
    met = {task for event, task, detail in rows if (event, detail) == ("fault", name)}
    assert bool(met) == bool(result.faults_met)
    of_tasks = result.spans.rows("kind", "task", "customer")
    return met, {task: customer for kind, task, customer in of_tasks if kind == TASK}


def says(request: Request) -> Reply:
    """Use the tool first, and then say something."""
    if request.call_in_task == 1:
        return Reply("", (ToolCall("refund", {}),))
    return Reply(f"call {request.call_in_task}")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("where", "fits"), CONDITIONS, ids=[str(where) for where, _ in CONDITIONS])
def test_condition_holds_for_faults_of_every_kind(
    name: str, where: dict[str, Any], fits: Condition
) -> None:
    met, customers = tasks_met(name, where)
    assert set(customers.values()) == {"acme", "other"}
    assert met == {task for task, customer in customers.items() if fits(task, customer)}


@pytest.mark.parametrize("name", KINDS)
def test_probability_spares_some_tasks(name: str) -> None:
    met, customers = tasks_met(name, {"probability": 0.1})
    assert met < set(customers)
