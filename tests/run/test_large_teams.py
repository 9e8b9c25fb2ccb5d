"""Large teams: an agent costs as much among many as among few, and a hundred thousand complete a run."""

from __future__ import annotations

import gc
import sys
import time  # noqa: TID251 - the processor time of a test
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from harness import ScenarioError
from harness.run import simulate
from harness.scenario import LoadedScenario, load_spec

FEW, MANY = 200, 1_000

MOST = 1.25
"""How many times as many steps an agent among many may take."""


def scenario_of(pattern: dict[str, Any], names: list[str]) -> LoadedScenario:
    """One task for a team, and a lead who does nothing unless the pattern names it."""
    return load_spec(
        {
            "scenario": "large-team",
            "workload": {"tasks": 1},
            "providers": {"anthropic": {}},
            "models": {"fast": {"provider": "anthropic", "name": "claude-haiku-4-5"}},
            "agents": {name: {"model": "fast", "output_tokens": 50} for name in ["lead", *names]},
            "pattern": pattern,
        }
    )


def groups(names: list[str]) -> dict[str, Any]:
    """Managers with ten reports each."""
    starts = range(0, len(names), 11)
    reports = [{"manager": names[it], "reports": names[it + 1 : it + 11]} for it in starts]
    return {"hierarchical": {"manager": "lead", "reports": reports}}


def orders(names: list[str], **keys: object) -> dict[str, Any]:
    """A fixed list of subtasks, one for each worker."""
    tasks = [f"do part {number}" for number in range(len(names))]
    keys |= {"workers": names, "tasks": tasks, "max_tasks": len(names)}
    return {"orchestrator_worker": {"synthesizer": "lead", **keys}}


def listeners(names: list[str]) -> dict[str, Any]:
    """Subscribers of one topic; what each publishes nobody else listens to."""
    subscribers = [{"agent": name, "topics": ["in"], "publishes": "out"} for name in names]
    roles = {"topic": "in", "answer": "out", "max_events": len(names) + 1}
    return {"bus": {"subscribers": subscribers, **roles}}


def chain(names: list[str]) -> dict[str, Any]:
    """Subscribers each of whom listens to the one before it."""
    subscribers = [
        {"agent": name, "topics": [f"t-{number}"], "publishes": f"t-{number + 1}"}
        for number, name in enumerate(names)
    ]
    roles = {"topic": "t-0", "answer": f"t-{len(names)}", "max_events": len(names) + 1}
    return {"bus": {"subscribers": subscribers, **roles}}


TEAMS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "workers of an orchestrator": lambda names: {
        "orchestrator_worker": {"orchestrator": "lead", "workers": names, "synthesizer": "lead"}
    },
    "reports of managers": groups,
    "workers in turn": orders,
    "workers who have least to do": partial(orders, assign="least_loaded"),
    "workers whose progress is told": partial(orders, orchestrator="lead", progress_to="lead"),
    "subscribers of one topic": listeners,
    "subscribers in a row": chain,
    "stages": lambda names: {"pipeline": {"stages": names}},
    "attempts at once": lambda names: {"parallel": {"members": names, "aggregate": {"merge": {}}}},
    "voters": lambda names: {"consensus": {"voters": names}},
    "contractors": lambda names: {"market": {"contractors": names}},
    "critics": lambda names: {
        "debate": {"proponents": ["lead"], "critics": names, "judge": "lead"}
    },
    "specialists": lambda names: {
        "router": {"router": "lead", "specialists": {"all": names}, "otherwise": "all"}
    },
    "agents who might take over": lambda names: {"handoff": {"start": "lead", "agents": names}},
    "readers of a board": lambda names: {
        "blackboard": {
            "members": names, "state": {"last_writer_wins": {}}, "max_rounds": 1, "on_exhausted": "board"
        }
    },
}  # fmt: skip


def steps_of(work: Callable[[], object]) -> int:
    """How many functions are called, of Python or of C."""
    steps = 0

    def count(_frame: FrameType, event: str, _value: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return steps


def steps_per_agent(team: Callable[[list[str]], dict[str, Any]], size: int) -> float:
    """What an agent of a team of some size takes: to read the scenario, and to run it."""
    names = [f"worker-{number}" for number in range(size)]
    spec = team(names)
    return steps_of(lambda: simulate(scenario_of(spec, names), 1)) / size


@pytest.mark.parametrize("team", TEAMS.values(), ids=list(TEAMS))
def test_an_agent_among_many_takes_as_many_steps_as_among_few(
    team: Callable[[list[str]], dict[str, Any]],
) -> None:
    steps_per_agent(team, 10)  # whatever is imported or built once
    few, many = steps_per_agent(team, FEW), steps_per_agent(team, MANY)

    assert many / few < MOST


def test_a_wrong_name_among_many_takes_as_many_steps_as_among_few() -> None:
    def steps_per_name(size: int) -> float:
        names = [f"worker-{number}" for number in range(size)]
        wrong = {
            "parallel": {
                "members": [f"wroker-{name}" for name in names],
                "aggregate": {"merge": {}},
            }
        }

        def refused() -> None:
            with pytest.raises(ScenarioError, match=f"and {size - 20} more problems"):
                scenario_of(wrong, names)

        return steps_of(refused) / size

    steps_per_name(30)

    assert steps_per_name(MANY) / steps_per_name(FEW) < MOST


def cpu_per_agent_s(size: int) -> float:
    """CPU of an agent in a team of some size: to read the scenario, and to run it [s]."""
    names = [f"worker-{number}" for number in range(size)]
    spec = TEAMS["reports of managers"](names)
    gc.collect()
    gc.freeze()  # what other tests have left is not searched for garbage meanwhile
    try:
        began_s = time.process_time()
        result = simulate(scenario_of(spec, names), 1)
        taken_s = time.process_time() - began_s
    finally:
        gc.unfreeze()
    assert result.status == "done"
    assert len(result.spans) > 3 * size
    return taken_s / size


def test_an_agent_among_twenty_thousand_costs_about_what_it_does_among_two_thousand() -> None:
    # Steps within functions of C, such as a search in a list, are seen by the clock alone.
    cpu_per_agent_s(10)
    few, many = (min(cpu_per_agent_s(size) for _ in range(3)) for size in (2_000, 20_000))

    assert many / few < 2
