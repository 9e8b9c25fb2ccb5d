"""Programs on Instructor: replies that keep a model of Pydantic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from harness.models import Request
from harness.sim import ProgramRun, Sim

pytest.importorskip("instructor", reason="needs instructor")

import instructor
import openai
from instructor.core.exceptions import InstructorRetryException

RunAlike = Callable[..., ProgramRun]


class Plan(BaseModel):
    """What a planner hands to the estimators."""

    tasks: list[str]


class Estimate(BaseModel):
    """What an estimator says of a task."""

    task: str
    days: int = Field(gt=0)


async def estimate(project: str) -> list[tuple[str, int]]:
    """A planner, and an estimator for each task, side by side."""
    client = instructor.from_openai(openai.AsyncOpenAI())

    async def ask(kind: type[BaseModel], system: str, prompt: str) -> Any:  # noqa: ANN401 - a `kind`
        return await client.chat.completions.create(
            model="gpt-4o",
            response_model=kind,
            messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
        )

    plan = await ask(Plan, "You plan projects.", project)
    estimates = await asyncio.gather(*(ask(Estimate, "You estimate.", task) for task in plan.tasks))
    return [(each.task, each.days) for each in estimates]


async def estimate_aloud(project: str) -> list[list[str]]:
    """A plan as it grows."""
    client = instructor.from_openai(openai.AsyncOpenAI())
    plans = client.chat.completions.create_partial(
        model="gpt-4o",
        response_model=Plan,
        messages=[
            {"role": "system", "content": "You plan projects."},
            {"role": "user", "content": project},
        ],
    )
    return [list(plan.tasks or []) async for plan in plans]


TASKS = ["Survey the northern slope", "Drain the lower meadow"]


def days_for(request: Request) -> dict[str, object]:
    return {"task": request.last_user_text, "days": len(request.last_user_text)}


def test_a_plan_is_estimated_side_by_side(sim: Sim, run_alike: RunAlike) -> None:
    sim.agent("planner", system="You plan*", reply={"tasks": TASKS})
    sim.agent("estimator", system="You estimate*", reply=days_for)

    run = run_alike(estimate, "A vineyard.")

    assert run.output == [(task, len(task)) for task in TASKS]
    assert [call.agent for call in run.all_calls] == ["planner", "estimator", "estimator"]
    run.assert_parallel("estimator")
    run.assert_called_with_output_of("estimator", "planner")
    assert run.latency_s > 0
    assert run.unsimulated == {}


def test_a_plan_is_seen_growing(sim: Sim) -> None:
    sim.agent("planner", system="You plan*", reply={"tasks": TASKS})

    plans = sim.run(estimate_aloud, "A vineyard.").output

    assert plans[0] == []
    assert plans[-1] == TASKS
    assert len(plans) > 3


def test_an_estimate_that_breaks_its_rule_is_asked_for_again_with_the_reason(sim: Sim) -> None:
    wrong = {"task": TASKS[0], "days": 0}
    sim.agent("planner", system="You plan*", reply={"tasks": TASKS[:1]})
    sim.agent("estimator", system="You estimate*", reply=[wrong, days_for], as_is=True)

    run = sim.run(estimate, "A vineyard.")

    assert run.output == [(TASKS[0], len(TASKS[0]))]
    (complaint,) = run.calls("estimator")[1].messages[-1].tool_results
    assert "Input should be greater than 0" in complaint.text


def test_the_sdk_underneath_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("openai", latency=2)
    sim.agent("planner", system="You plan*", reply={"tasks": TASKS})
    sim.agent("estimator", system="You estimate*", reply=days_for)
    sim.fault("status", status=429, agent="planner", attempt=1, retry_after_s=7)

    run = sim.run(estimate, "A vineyard.")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(7 + 2 + 2, abs=0.1)


def test_an_overload_is_retried_by_the_sdk_and_not_by_instructor(sim: Sim) -> None:
    sim.agent("planner", system="You plan*", reply={"tasks": TASKS})
    sim.fault("overloaded", agent="planner")

    with pytest.raises(InstructorRetryException) as raised:
        sim.run(estimate, "A vineyard.")

    assert raised.value.n_attempts == 1
    assert isinstance(raised.value.__cause__, openai.InternalServerError)
    assert sim.last_run is not None
    assert sim.last_run.attempts == 3
