"""What the strategies draw is valid, and shrinks towards what is plain."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import anthropic
import jsonschema
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from harness import HarnessError, Simulation, strategies
from harness.faults import FAULTS, Fault
from harness.faults.status import Overloaded
from harness.models import Reply
from harness.run import RunResult
from harness.sim import Sim
from harness.spans import as_json_lines
from tests.examples import examples

anything = settings(max_examples=300, database=None, derandomize=True, deadline=None)

AGENTS = ("planner", "writer")


@settings(max_examples=examples(60), deadline=None)
@given(spec=strategies.scenarios())
def test_scenarios_are_valid_and_run_the_same_again(spec: dict[str, Any]) -> None:
    def ran() -> RunResult:
        return Simulation.from_spec(spec).run(1)

    assert as_json_lines(ran().spans) == as_json_lines(ran().spans)


def test_scenario_shrinks_to_one_agent_one_task_no_fault_and_no_latency() -> None:
    least = find(strategies.scenarios(), lambda _: True, settings=anything)
    assert least["workload"] == {"tasks": 1, "arrivals": {"closed": {"users": 1}}}
    assert least["pattern"] == {"single": {"agent": "agent-1"}}
    assert least["agents"] == {"agent-1": {"model": "model"}}
    assert least["providers"] == {"provider": {}}
    assert least["models"]["model"]["latency"]["ttft_s"] == 0.0
    assert not {"faults", "policies"} & set(least)


def test_scenario_with_a_fault_shrinks_to_one_overloaded_first_call() -> None:
    least = find(strategies.scenarios(), lambda spec: "faults" in spec, settings=anything)
    assert least["faults"] == [{"overloaded": {"call": 1, "agent": "agent-1"}}]


@pytest.mark.parametrize("pattern", ["single", "refine", "mesh"])
def test_scenarios_are_of_the_patterns_that_are_asked_for(pattern: str) -> None:
    least = find(strategies.scenarios(patterns=[pattern]), lambda _: True, settings=anything)
    assert list(least["pattern"]) == [pattern]
    Simulation.from_spec(least).run(1)


@settings(max_examples=examples(200), deadline=None)
@given(plan=strategies.fault_plans(AGENTS, max_faults=3))
def test_plans_are_faults_of_different_calls(plan: tuple[Fault, ...]) -> None:
    assert len(plan) <= 3
    assert len({(fault.agent, fault.call) for fault in plan}) == len(plan)
    sim = Sim()
    for fault in plan:
        sim.fault(fault)


def test_plan_shrinks_to_no_fault_and_a_fault_to_an_overloaded_first_call() -> None:
    plans = strategies.fault_plans(AGENTS)
    assert find(plans, lambda _: True, settings=anything) == ()
    assert find(plans, bool, settings=anything) == (Overloaded(agent="planner", call=1),)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_can_be_drawn(name: str) -> None:
    drawn = find(strategies.faults(AGENTS, names=[name]), lambda _: True, settings=anything)
    assert type(drawn) is FAULTS[name]
    assert drawn.call == 1


@pytest.mark.parametrize("name", ["message_misdirected", "misrouting", "partition"])
def test_fault_that_names_agents_is_refused_where_none_are_known(name: str) -> None:
    with pytest.raises(
        HarnessError, match=f"'{name}' cannot be drawn.*\\n.*name two agents or more"
    ):
        strategies.faults(names=[name])


def test_latency_shrinks_to_zero_and_meets_limits_exactly() -> None:
    assert find(strategies.latencies(), lambda _: True, settings=anything) == 0.0
    assert find(strategies.latencies(2.5, 9.0), lambda _: True, settings=anything) == 2.5
    near = strategies.latencies(0.0, 10.0, around_s=[30.0])
    assert find(near, lambda it: it > 10.0, settings=anything) == 30.0
    assert find(near, lambda it: it > 30.0, settings=anything) == 30.0 + 1e-9


@settings(max_examples=examples(200), deadline=None)
@given(value=strategies.latencies(0.0015, 0.0045))
def test_latencies_keep_to_their_bounds(value: float) -> None:
    assert 0.0015 <= value <= 0.0045
    assert math.isclose(value * 1000, round(value * 1000))


@settings(max_examples=examples(100), deadline=None)
@given(value=strategies.distributions())
def test_distributions_are_what_an_agent_takes(value: object) -> None:
    Sim().agent("writer", latency_s=value)


def schema_of(tool: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = (
        tool["function"]["parameters"] if "function" in tool else tool["input_schema"]
    )
    return schema


@pytest.mark.parametrize("api", ["anthropic", "openai"])
def test_tool_shrinks_to_one_without_parameters(api: Literal["anthropic", "openai"]) -> None:
    least = find(strategies.tool_schemas(api=api), lambda _: True, settings=anything)
    assert schema_of(least)["properties"] == {}


@settings(max_examples=examples(100), deadline=None)
@given(tool=strategies.tool_schemas() | strategies.tool_schemas(api="openai"), data=st.data())
def test_arguments_keep_their_schemas(tool: dict[str, Any], data: st.DataObject) -> None:
    schema = schema_of(tool)
    jsonschema.Draft202012Validator.check_schema(schema)
    call = data.draw(strategies.tool_calls([tool]))
    jsonschema.validate(call.arguments, schema)


def test_reply_shrinks_to_ok_and_may_use_tools() -> None:
    tools = [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}]
    assert find(strategies.replies(tools), lambda _: True, settings=anything) == "ok"
    uses = find(
        strategies.replies(tools),
        lambda it: isinstance(it, Reply) and bool(it.tool_calls),
        settings=anything,
    )
    assert isinstance(uses, Reply)
    assert [(call.tool, call.arguments) for call in uses.tool_calls] == [("look_up", {})]


# -- in a test with `sim` -------------------------------------------------------------------------------------------


async def write() -> str:
    async with anthropic.AsyncAnthropic(api_key="test", max_retries=0, timeout=20) as client:
        try:
            message = await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=2000,
                messages=[{"role": "user", "content": "Write."}],
            )
        except (anthropic.APIError, ValueError) as error:
            return type(error).__name__
    return "written" if message.content else "nothing"


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    plan=strategies.fault_plans(["writer"], calls=1),
    latency_s=strategies.latencies(around_s=[20.0]),
    reply=strategies.replies(),
)
def test_examples_in_one_test_do_not_see_one_another(
    sim: Sim, plan: tuple[Fault, ...], latency_s: float, reply: str | Reply
) -> None:
    with sim.example():
        sim.agent("writer", reply=reply, latency_s=latency_s)
        for fault in plan:
            sim.fault(fault, allow_unmet=True)
        output = sim.run(write).output
        assert output is not None
        if not plan and latency_s < 19.0 and reply == "ok":
            assert output == "written"


def test_example_keeps_what_was_described_before_it() -> None:
    sim = Sim()
    sim.agent("writer", reply="a text")
    for _ in range(2):
        with sim.example():
            sim.fault("overloaded", agent="writer")
            sim.provider("anthropic", concurrency=1)
            assert sim.run(write).output == "OverloadedError"
    assert sim.run(write).output == "written"
    sim.check()


# -- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: strategies.faults(names=["overload"]), "did you mean 'overloaded'"),
        (lambda: strategies.faults(calls=0), "calls is at least 1"),
        (lambda: strategies.latencies(5, 1), "expected 0 <= min_s <= max_s"),
        (lambda: strategies.scenarios(patterns=["singel"]), "did you mean 'single'"),
        (lambda: strategies.scenarios(patterns=["mesh"], max_agents=1), "at most 1 agents"),
        (lambda: strategies.tool_calls([]), "no tools"),
    ],
)
def test_mistakes_are_told_where_a_strategy_is_made(draw: Callable[[], object], says: str) -> None:
    with pytest.raises(HarnessError, match=says):
        draw()


def test_harness_without_hypothesis_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import harness.sim, harness.scenario\n"
        "import harness.strategies"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "pip install 'multiagent-harness[strategies]'" in done.stderr
