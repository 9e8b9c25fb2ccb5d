"""Faults of tools: what their callers are told, and what they did to the world."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.models import Reply, Request, ToolCall
from harness.run import Outcome, RunResult, Simulation
from harness.sim.sim import Sim
from harness.spans import TOOL
from tests.faults import shop


def refund(request: Request) -> Reply:
    """Ask for a refund until the tool says that it is done."""
    if request.tool_results and not request.tool_results[-1].is_error:
        return Reply("done")
    order = f"order {request.span.task}"
    return Reply("", (ToolCall("refund", {"order": order}),))


def simulation(*faults: dict[str, Any], tasks: int = 4, **tool: Any) -> Simulation:  # noqa: ANN401 - as in a file
    """Tasks ten seconds apart: a call of a second asks for a refund, which takes two, and another hears of it."""
    return Simulation.from_spec(
        {
            "scenario": "refunds",
            "workload": {"tasks": tasks, "arrivals": {"every_s": 10}},
            "providers": {"p": {}},
            "models": {"m": {"provider": "p", "name": "x", "latency": {"ttft_s": 1.0}}},
            "tools": {"refund": {"latency_s": 2.0, "result": "refunded", **tool}},
            "agents": {
                "clerk": {
                    "model": "m",
                    "stub": "tests.faults.test_tools:refund",
                    "tools": ["refund"],
                }
            },
            "pattern": {"react": {"agent": "clerk"}},
            "faults": list(faults),
        }
    )


def uses(result: RunResult) -> list[tuple[Any, ...]]:
    columns = ("task", "arrival_s", "end_s", "status", "fault")
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == TOOL]


def test_without_a_fault_each_task_takes_one_effect() -> None:
    outcome = simulation(idempotency_key="order").run_many()
    assert outcome.metrics["effects_mean"] == 1.0
    assert outcome.metrics["repeated_effects"] == 0


def test_tool_fails_without_an_effect_and_is_used_again() -> None:
    result = simulation({"tool_fails": {"task": 2, "call": 2}}).run()
    assert uses(result)[1:3] == [
        (2, 11.0, 13.0, "error", "tool_fails"),
        (2, 14.0, 16.0, "ok", ""),
    ]
    assert len(result.effects) == 4


def test_tool_that_hangs_is_late_or_never_answers() -> None:
    late = simulation({"tool_hangs": {"call": 1, "for_s": 30}}).run()
    assert (1, 1.0, 33.0, "ok", "tool_hangs") in uses(late)
    assert len(late.effects) == 4
    never = simulation({"tool_hangs": {"call": 1}}).run()
    assert uses(never)[-1] == (1, 1.0, 30 * 86_400.0, "cancelled", "tool_hangs")
    assert [effect.task for effect in never.effects] == [2, 3, 4]


def test_reply_that_is_lost_after_the_effect_makes_the_agent_do_it_again() -> None:
    outcome = simulation({"reply_lost": {"task": 3, "call": 3, "after_s": 5}}).run_many()
    assert outcome.metrics["effects_mean"] == 5 / 4
    assert outcome.metrics["repeated_effects"] == 1
    keyed = simulation({"reply_lost": {"task": 3, "call": 3}}, idempotency_key="order").run_many()
    assert keyed.metrics["effects_mean"] == 1.0
    assert keyed.metrics["repeated_effects"] == 0


def test_effect_that_happens_twice_happens_once_with_a_key() -> None:
    fault = {"effect_twice": {"customer": None, "tool": "refund", "call": 1}}
    fault["effect_twice"].pop("customer")
    twice = simulation(fault).run()
    assert len(twice.effects) == 5
    assert uses(twice)[0] == (1, 1.0, 3.0, "ok", "effect_twice")
    assert len(simulation(fault, idempotency_key="order").run().effects) == 4


def test_effect_that_is_lost_looks_like_one_that_is_not() -> None:
    result = simulation({"effect_lost": {"probability": 0.5}}, tasks=40).run()
    lost = [use[0] for use in uses(result) if use[4]]
    assert 10 < len(lost) < 30
    assert {effect.task for effect in result.effects} == set(range(1, 41)) - set(lost)


def test_stale_answer_is_the_one_before_or_the_one_that_is_stated() -> None:
    outcome = simulation({"tool_stale": {"call": 1}}).run_many()
    assert any("Fault 1 (tool_stale) never met" in text for text in said(outcome))
    met = simulation({"tool_stale": {"call": 1, "result": "not yet"}}).run_many()
    assert not said(met)


def said(outcome: Outcome) -> list[str]:
    return [*outcome.problems, *(note for note in outcome.notes if "Fault" in note)]


# -- programs ---------------------------------------------------------------------------------------------------------


def run_shop(sim: Sim, **tool: Any) -> Any:  # noqa: ANN401 - a run
    sim.tool(
        "refund", latency_s=2.0, result="refunded", replaces="tests.faults.shop:refund", **tool
    )
    return sim.run(shop.refund_with_retries, "order 7")


def test_program_that_tries_again_after_a_lost_reply_refunds_twice() -> None:
    sim = Sim()
    sim.fault("reply_lost", tool="refund", call=1, after_s=3)
    run = run_shop(sim)
    assert [effect.arguments for effect in run.effects("refund")] == ["'order 7', 'key 7'"] * 2
    assert run.latency_s == 2 + 3 + 2
    sim.check()


def test_program_with_a_key_refunds_once() -> None:
    sim = Sim()
    sim.fault("reply_lost", tool="refund", call=1)
    run = run_shop(sim, idempotency_key="key")
    assert len(run.effects("refund")) == 1
    assert run.output == "refunded"


@pytest.mark.parametrize(("key", "effects"), [("key", 1), (None, 3)])
def test_use_that_is_given_up_and_made_again_with_its_key_takes_effect_once(
    key: str | None, effects: int
) -> None:
    sim, done = Sim(), []
    refund = sim.tool("refund", result=lambda **_: done.append(1), latency_s=2, idempotency_key=key)

    async def program() -> None:
        for patience_s in (1, 1.5, 3):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(refund(key="order 7"), patience_s)

    assert len(sim.run(program).effects("refund")) == effects
    assert len(done) == 1  # the two that were given up have not reached the result


@pytest.mark.parametrize(
    ("name", "effects", "output"),
    [
        ("tool_fails", 1, "refunded"),
        ("effect_twice", 2, "refunded"),
        ("effect_lost", 0, "refunded"),
        ("tool_hangs", 1, "refunded"),
    ],
)
def test_every_tool_fault_meets_the_tools_of_a_program(
    name: str, effects: int, output: str
) -> None:
    sim = Sim()
    fields: dict[str, Any] = {"for_s": 9} if name == "tool_hangs" else {}
    sim.fault(name, call=1, **fields)
    run = run_shop(sim)
    assert (len(run.effects("refund")), run.output) == (effects, output)
    sim.check()
    quiet = Sim()
    quiet.fault(name, tool="other", allow_unmet=True)
    assert len(run_shop(quiet).effects("refund")) == 1
    quiet.check()


def test_tool_fault_that_met_nothing_is_an_error() -> None:
    sim = Sim()
    sim.fault("reply_lost", tool="other")
    run_shop(sim)
    with pytest.raises(HarnessError, match=r"fault 1 \(reply_lost\) never met"):
        sim.check()


def test_async_tool_answers_what_it_answered_before() -> None:
    sim = Sim()
    stock = sim.tool("stock", result=lambda number: f"{number} left", latency_s=1)
    sim.fault("tool_stale", call=2)

    async def look() -> list[str]:
        return [await stock(5), await stock(4), await stock(3)]

    assert sim.run(look).output == ["5 left", "5 left", "3 left"]


def test_tool_that_never_answers_is_told_as_what_the_program_waits_for() -> None:
    sim = Sim(horizon_s=100)
    sim.fault("tool_hangs")
    with pytest.raises(HarnessError):
        run_shop(sim)
    assert not sim.last_run.effects("refund")
    sim = Sim(horizon_s=100)
    sim.fault("tool_hangs")
    look = sim.tool("look")

    async def program() -> str:
        try:
            async with asyncio.timeout(5):
                return str(await look())
        except TimeoutError:
            return "gave up"

    run = sim.run(program)
    assert (run.output, run.latency_s, len(run.effects)) == ("gave up", 5.0, 0)


def test_program_is_asserted_to_survive_a_fault_of_a_tool() -> None:
    sim = Sim()
    run = run_shop(sim, idempotency_key="key")
    survived = run.assert_survives("reply_lost", tool="refund", call=1)
    assert len(survived.effects("refund")) == 1
    with pytest.raises(AssertionError, match="no use of a tool met"):
        run.assert_survives("reply_lost", tool="transfer")


def test_program_that_pays_twice_does_not_survive_a_lost_reply() -> None:
    run = run_shop(Sim())
    with pytest.raises(AssertionError, match="refund"):
        run.assert_survives("reply_lost", tool="refund", call=1)


def test_real_function_takes_effect_whatever_its_caller_is_told() -> None:
    sim = Sim()
    sim.real("tests.faults.shop:ledger", latency_s=1)
    sim.fault("reply_lost", tool="ledger", call=1)
    run = sim.run(shop.write_with_retries)
    assert (run.output, len(run.effects("ledger"))) == ("written", 2)


def test_tool_fault_that_met_nothing_tells_of_a_tool_that_is_not_there() -> None:
    sim = Sim()
    sim.fault("reply_lost", tool="refnd")
    run_shop(sim)
    with pytest.raises(HarnessError, match="there is no tool 'refnd'; did you mean 'refund'"):
        sim.check()


def test_effects_of_a_misspelt_tool_are_an_error() -> None:
    run = run_shop(Sim())
    with pytest.raises(HarnessError, match=r"there is no tool 'refnd'; did you mean 'refund'"):
        run.effects("refnd")
    assert run.effects("mail") == ()  # a program's own tools need no description


def test_idempotency_key_that_is_no_argument_is_refused() -> None:
    sim = Sim()
    sim.tool("refund", replaces="tests.faults.shop:refund", idempotency_key="keys")
    with pytest.raises(HarnessError) as caught:
        sim.run(shop.refund_with_retries, "order 7")
    assert str(caught.value) == (
        "tool 'refund': idempotency_key is 'keys', and tests.faults.shop:refund has no such argument; did you mean 'key'?\n"
        "  Known: order, key"
    )
    schema = {"type": "object", "properties": {"order": {"type": "string"}}}
    with pytest.raises(HarnessError, match="`idempotency_key` is 'oder', which is none of"):
        simulation(parameters=schema, idempotency_key="oder")
    assert simulation(parameters=schema, idempotency_key="order").run().status == "done"
