"""How the agent goes about its tools, and what it does when they fail, when it loops, and when it is cut off."""

from __future__ import annotations

import asyncio

import pytest
from react_agent import MAX_STEPS, TIMEOUT_S, StepLimitError, answer

from harness.models import ToolCall
from harness.run.tools import SimTool
from harness.sim import Sim

QUESTION = "How many times would Lake Geneva fill the Empire State Building?"
LAKE, TOWER = "volume of Lake Geneva", "volume of the Empire State Building"
FACTS = {LAKE: "89 cubic kilometres of water", TOWER: "0.00104 cubic kilometres of air"}

SEARCH_BOTH = [ToolCall("search", {"query": LAKE}), ToolCall("search", {"query": TOWER})]
DIVIDE = ToolCall("calculate", {"left": 89, "sign": "/", "right": 0.00104})
CONCLUDE = "It would fill it about 85,577 times."


@pytest.fixture
def search(sim: Sim) -> SimTool:
    """The search service; the calculator is the program's own and needs no stand-in."""
    return sim.tool(
        "search", result=lambda query: FACTS[query], latency_s=0.8, replaces="react_agent:search"
    )


def test_the_agent_looks_both_facts_up_at_once_then_divides_then_concludes(
    sim: Sim, search: SimTool
) -> None:
    sim.agent("analyst", system="*careful analyst*", reply=[SEARCH_BOTH, DIVIDE, CONCLUDE])

    run = sim.run(answer, QUESTION)

    assert run.output == CONCLUDE
    assert [use["query"] for _, use in search.uses] == [LAKE, TOWER]
    _, second, third = run.calls("analyst")
    assert [result.text for result in second.messages[-1].tool_results] == list(FACTS.values())
    assert third.prompt == "85576.9"
    assert second.start_s - run.calls("analyst")[0].end_s == pytest.approx(0.8)


@pytest.mark.sim(runs=5)
@pytest.mark.usefixtures("search")
def test_an_answer_takes_less_than_a_minute_and_two_cents_whatever_the_seed(sim: Sim) -> None:
    sim.agent("analyst", reply=[SEARCH_BOTH, DIVIDE, CONCLUDE], output_tokens=120)

    run = sim.run(answer, QUESTION)

    run.assert_latency_below(60)
    run.assert_cost_below(0.02)


def test_a_call_that_is_not_answered_in_time_is_given_up_and_asked_again(sim: Sim) -> None:
    sim.provider("anthropic", latency=3)
    sim.agent("analyst", reply="About 85,577 times.")
    sim.fault("latency", factor=30, attempt=1)

    run = sim.run(answer, QUESTION)

    assert [attempt.status for attempt in run.calls("analyst")[0].attempts] == ["cancelled", "ok"]
    assert TIMEOUT_S + 3 < run.latency_s < TIMEOUT_S + 5


def test_a_tool_that_fails_is_reported_to_the_model_and_not_to_the_user(sim: Sim) -> None:
    sim.tool("search", failure_probability=1, replaces="react_agent:search")
    sim.agent("analyst", tool_calls=[("search", {"query": LAKE})], reply="The search is down.")

    run = sim.run(answer, QUESTION)

    assert run.output == "The search is down."
    (result,) = run.calls("analyst")[1].messages[-1].tool_results
    assert result.is_error
    assert result.text == "ToolError: search failed"


def test_a_computation_without_a_result_is_a_mistake_the_model_can_mend(sim: Sim) -> None:
    sim.agent(
        "analyst",
        reply=[ToolCall("calculate", {"left": 1, "sign": "/", "right": 0}), "It has no end."],
    )

    run = sim.run(answer, "What is one divided by nothing?")

    assert run.output == "It has no end."
    assert run.calls("analyst")[1].prompt.startswith("ZeroDivisionError")


@pytest.mark.usefixtures("search")
def test_a_model_that_never_stops_searching_is_stopped_by_the_cap(sim: Sim) -> None:
    sim.agent("analyst", reply=lambda call: SEARCH_BOTH)

    with pytest.raises(StepLimitError, match=QUESTION[:20]):
        sim.run(answer, QUESTION)

    sim.last_run.assert_called("analyst", times=MAX_STEPS)
    sim.last_run.assert_cost_below(0.03)  # what a runaway agent costs at worst


def test_an_answer_that_is_cut_off_is_passed_on_as_if_it_were_whole(sim: Sim) -> None:
    """A weakness, written down: every stop reason but `tool_use` is taken for the end, `max_tokens` too."""
    sim.agent(
        "analyst", reply="It would fill it 85,577 times, if it were watertight, which it is not."
    )
    sim.fault("truncated", keep=0.6)

    run = sim.run(answer, QUESTION)

    assert run.output == "It would fill it 85,577 times, if it were "


@pytest.mark.usefixtures("search")
async def test_three_questions_at_once_do_not_mix_their_conversations(sim: Sim) -> None:
    names = ["ada", "bob", "cleo"]
    sim.agent("analyst", allow_unused=True)
    for name in names:
        sim.agent(name, tool_calls=[("search", {"query": LAKE})], reply=f"{name} has the answer")

    async def ask(name: str) -> str:
        with sim.agent_scope(name):
            return await answer(f"{name} asks")

    assert await asyncio.gather(*map(ask, names)) == [f"{name} has the answer" for name in names]
    for name in names:
        first, second = sim.so_far().calls(name)
        assert first.prompt == second.messages[0].text == f"{name} asks"
