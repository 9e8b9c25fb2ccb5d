"""What a run says of itself: numbers, calls, words, and what can be asserted of it."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Any

import anthropic
import pytest

from harness.errors import HarnessError
from harness.faults import Fault
from harness.faults.hang import Hang
from harness.metrics.coordination import coordination
from harness.sim import ProgramRun, Sim

SONNET_USD = (2e-6, 10e-6)


def two_step(ask: Any, **settings: Any) -> Sim:
    sim = Sim(1, command="pytest this")
    sim.agent(
        "planner",
        system="*planner*",
        reply="first the river, then the castle",
        latency_s=1.0,
        **settings,
    )
    sim.agent("guide", system="*guide*", reply="a walk along the river", latency_s=2.0, **settings)
    return sim


async def trip(ask: Any) -> str:
    plan = await ask("a trip", system="You are a planner.")
    return await ask(f"Follow this plan: {plan}", system="You are a guide.")  # type: ignore[no-any-return]


async def side_by_side(ask: Any) -> list[str]:
    return list(
        await asyncio.gather(
            ask("a", system="You are a planner."),
            ask("b", system="You are a planner."),
            ask("c", system="You are a guide."),
        )
    )


@pytest.fixture
def run(ask: Any) -> ProgramRun:
    return two_step(ask).run(trip, ask)


@pytest.fixture
def parallel(ask: Any) -> ProgramRun:
    return two_step(ask).run(side_by_side, ask)


def test_time_and_counts(run: ProgramRun) -> None:
    assert run.output == "a walk along the river"
    assert run.latency_s == 3.0
    assert run.agents == ["planner", "guide"]
    assert (run.attempts, run.retries, run.rate_limited) == (2, 0, 0)
    assert (run.unsimulated, run.faults_met, run.seed) == ({}, frozenset(), 1)


def test_tokens_and_cost_add_up_over_attempts(run: ProgramRun) -> None:
    spans = [span for call in run.calls() for span in call.attempts]
    assert run.input_tokens == sum(span.input_tokens for span in spans) > 0
    assert run.output_tokens == sum(span.output_tokens for span in spans) > 0
    assert run.cost_usd == pytest.approx(math.fsum(span.cost_usd for span in spans), rel=1e-12)
    input_usd, output_usd = SONNET_USD
    assert run.cost_usd == pytest.approx(
        run.input_tokens * input_usd + run.output_tokens * output_usd, rel=1e-12
    )


def test_stated_size_of_replies_is_what_is_billed(ask: Any) -> None:
    run = two_step(ask, output_tokens=700).run(trip, ask)
    assert run.output_tokens == 1400


def test_price_that_nobody_knows_is_not_zero() -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        await client.messages.create(
            model="claude-made-up-9",
            max_tokens=10,
            messages=[{"role": "user", "content": "hi"}],
        )

    sim = Sim(1)
    sim.agent("a", model="claude-made-up-9")
    run = sim.run(program)
    assert math.isnan(run.cost_usd)
    assert "an unknown sum" in run.explain()
    with pytest.raises(AssertionError, match="the cost is unknown"):
        run.assert_cost_below(100)


# -- calls ------------------------------------------------------------------------------------------------------------


def test_calls_are_looked_at_by_agent(run: ProgramRun) -> None:
    (planner,), (guide,) = run.calls("planner"), run.calls("guide")
    assert [call.number for call in run.calls()] == [1, 2]
    assert (planner.system, planner.prompt) == ("You are a planner.", "a trip")
    assert planner.text == "first the river, then the castle"
    assert planner.reply is not None
    assert planner.reply.text == planner.text
    assert (planner.start_s, planner.end_s, planner.latency_s) == (0.0, 1.0, 1.0)
    assert (planner.status, planner.error, planner.model) == ("ok", "", "claude-sonnet-5")
    assert (planner.heard, guide.heard) == ((), (1,))
    assert [said.role for said in guide.messages] == ["user"]
    assert str(guide) == "call 1 of guide (claude-sonnet-5), 1.000 to 3.000 s: ok"


def test_agent_that_nobody_knows_is_no_agent_without_calls(run: ProgramRun) -> None:
    for ask_for in (run.calls, run.assert_called, run.assert_parallel):
        with pytest.raises(
            HarnessError, match="there is no agent 'plannr'; did you mean 'planner'"
        ):
            ask_for("plannr")


def test_calls_compare_with_a_number(run: ProgramRun) -> None:
    calls = run.calls()
    assert calls == 2
    assert calls != 3
    assert calls < 3
    assert calls <= 2
    assert calls > 1
    assert calls >= 2
    assert not calls > 2
    assert calls != 1
    assert calls == list(calls)
    with pytest.raises(TypeError, match="compared with a number, not with 'two'"):
        assert calls < "two"


def test_run_and_call_are_short_where_pytest_prints_them(run: ProgramRun) -> None:
    assert repr(run) == "<run of seed 1: 2 calls, 3.000000 s>"
    assert repr(run.calls()[0]) == "<call 1 of planner (claude-sonnet-5), 0.000 to 1.000 s: ok>"


def test_call_that_failed_has_no_text(ask: Any) -> None:
    sim = two_step(ask)
    sim.fault("overloaded", agent="planner")
    with pytest.raises(anthropic.OverloadedError):
        sim.run(trip, ask)
    assert sim.last_run is not None
    (call,) = sim.last_run.calls()
    assert (call.text, call.reply, call.status, call.error) == (
        "",
        None,
        "error",
        "overloaded_error",
    )


# -- words ------------------------------------------------------------------------------------------------------------


def test_timeline_has_a_line_for_each_call_with_its_prompt_and_reply(run: ProgramRun) -> None:
    lines = run.timeline().splitlines()
    assert lines == [
        "0.000 -> 1.000  call 1 of planner: 'a trip' -> 'first the river, then the castle'",
        "1.000 -> 3.000  call 1 of guide: 'Follow this plan: first the rive...' -> 'a walk along the river'",
    ]
    assert run.timeline(last=1).splitlines() == ["... 1 line before", lines[-1]]
    assert run.timeline(last=9) == run.timeline()


def test_explanation_names_time_money_and_the_path_to_the_end(run: ProgramRun) -> None:
    text = run.explain()
    assert text.startswith(
        "The program returned after 3 s of virtual time (seed 1); 2 calls cost $"
    )
    assert "  planner: 1 call, 1 s together\n" in text
    assert "The end waited for: planner (1 s) -> guide (2 s)." in text


def test_coordination_of_a_program_tells_whose_replies_reached_whom(run: ProgramRun) -> None:
    found = coordination(run.spans_table, run.events_table)
    (sent,) = found.traffic
    assert (sent.sender, sent.recipient, sent.messages, sent.tokens) == (
        "planner",
        "guide",
        1,
        None,
    )
    assert (found.bottleneck, found.agents["guide"].path_s) == ("guide", 2.0)


def test_explanation_and_timeline_name_the_limit_that_refused(ask: Any) -> None:
    sim = two_step(ask)
    sim.provider("anthropic", requests_per_min=60, output_tokens_per_min=6)
    with pytest.raises(anthropic.RateLimitError):
        sim.run(trip, ask)
    assert sim.last_run is not None
    assert (
        "Failed attempts of guide: rate_limit_error (output tokens a minute), "
        in sim.last_run.explain()
    )
    assert "rate_limit_error (429, output tokens a minute)" in sim.last_run.timeline()


def test_explanation_of_a_failure_names_it(ask: Any) -> None:
    sim = two_step(ask)
    sim.fault("overloaded", agent="guide")
    with pytest.raises(anthropic.OverloadedError):
        sim.run(trip, ask)
    assert sim.last_run is not None
    text = sim.last_run.explain()
    assert text.startswith("The program raised OverloadedError after 1.05 s")
    assert "Failed attempts of guide: overloaded_error, 1 time." in text


def test_spans_and_events_are_data_frames(run: ProgramRun) -> None:
    frame = run.spans()
    assert list(frame["kind"]) == list(run.spans_table.values("kind"))
    assert len(run.events()) == len(run.events_table)


# -- assertions -------------------------------------------------------------------------------------------------------


def test_assertions_that_hold(run: ProgramRun, parallel: ProgramRun) -> None:
    run.assert_called("planner")
    run.assert_called("planner", 1)
    run.assert_called("planner", at_least=1, at_most=1)
    run.assert_called_with_output_of("guide", "planner")
    run.assert_latency_below(3.001)
    run.assert_cost_below(1)
    run.assert_no_lost_results()
    parallel.assert_parallel()
    parallel.assert_parallel("planner")
    parallel.assert_parallel("planner", "guide", at_least=3)


@pytest.mark.parametrize(
    ("method", "args", "settings", "words"),
    [
        ("assert_called", ["planner", 2], {}, "agent 'planner' made 1 call, not 2"),
        ("assert_called", ["planner"], {"at_least": 3}, "made 1 call, not 3 at least"),
        (
            "assert_called",
            ["planner"],
            {"at_most": 0, "at_least": 0},
            "made 1 call, not 0 at most",
        ),
        (
            "assert_called_with_output_of",
            ["planner", "guide"],
            {},
            "agent 'planner' read no text of 'guide': its prompts have text from no other agent's reply",
        ),
        (
            "assert_called_with_output_of",
            ["guide", "guide"],
            {},
            "agent 'guide' read no text of 'guide': its prompts have text only from planner",
        ),
        ("assert_parallel", [], {}, "at most 1 of 2 calls of all agents"),
        (
            "assert_parallel",
            ["planner"],
            {},
            "only 1 call of planner",
        ),
        ("assert_latency_below", [3.0], {}, "the run took 3 s, which is not below 3 s"),
        ("assert_cost_below", [0.0], {}, "which is not below $0"),
    ],
)
def test_assertion_that_fails_says_what_happened_and_how_to_repeat_it(
    run: ProgramRun, method: str, args: list[Any], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        getattr(run, method)(*args, **settings)
    first, *rest = str(caught.value).splitlines()
    assert words in first
    happened = rest.index("What happened:")
    assert all(line.startswith("  ") for line in rest[:happened])
    assert "call 1 of planner" in rest[happened + 1]
    assert rest[-1] == "To replay: pytest this"


def test_calls_that_touch_are_not_at_once(run: ProgramRun) -> None:
    """The second begins in the instant in which the first ends."""
    with pytest.raises(AssertionError, match="at most 1 of 2 calls") as caught:
        run.assert_parallel("planner", "guide")
    _, why, advice, *_ = str(caught.value).splitlines()
    assert why == ("  call 1 of guide began at 1.000 s, and call 1 of planner had ended at 1.000 s")
    assert advice.startswith("  How to fix: start the calls together, with asyncio.gather")


def test_agent_that_was_never_called_has_read_nothing(ask: Any) -> None:
    async def only_plan() -> str:
        return await ask("a trip", system="You are a planner.")  # type: ignore[no-any-return]

    run = two_step(ask).run(only_plan)
    with pytest.raises(AssertionError, match="read no text of 'planner', because"):
        run.assert_called_with_output_of("guide", "planner")
    with pytest.raises(AssertionError, match="read no text of 'guide', which gave no reply"):
        run.assert_called_with_output_of("planner", "guide")


def test_reply_that_goes_nowhere_is_lost(ask: Any) -> None:
    async def wasteful() -> str:
        await ask("a trip", system="You are a planner.")
        return await ask("Say something else entirely", system="You are a guide.")  # type: ignore[no-any-return]

    run = two_step(ask).run(wasteful)
    with pytest.raises(AssertionError) as caught:
        run.assert_no_lost_results()
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        "the program lost 1 reply: the text is in no later prompt and not in the output"
    )
    assert (
        lines[1].strip()
        == "call 1 of planner (claude-sonnet-5), 0.000 to 1.000 s: ok: 'first the river, then the castle'"
    )
    assert lines[2].startswith("  How to fix: put them into a later prompt or into the output")
    assert lines[3].strip() == (
        "Only if the program merely decides by them what to do next: "
        'assert_no_lost_results(branches_on=["planner"])'
    )
    assert lines[4] == "What happened:"


# -- one fault more ---------------------------------------------------------------------------------------------------


async def stubborn(ask: Any) -> str:
    for _ in range(3):
        try:
            return await ask("a trip", system="You are a planner.")  # type: ignore[no-any-return]
        except anthropic.APIError:
            await asyncio.sleep(1)
    raise RuntimeError("three failures")


def planner_only() -> Sim:
    sim = Sim(1, command="pytest this")
    sim.agent("planner", reply="a plan", latency_s=1.0)
    return sim


def test_program_that_survives_a_fault(ask: Any) -> None:
    sim = planner_only()
    run = sim.run(stubborn, ask)
    run.assert_survives("overloaded", call=1)
    run.assert_survives(Hang(call=1), allow=["no_timeout"])
    run.assert_survives("refused", until_s=1.5)
    assert sim.last_run is run
    assert sim.runs == [run]


def test_program_that_does_not_survive_says_what_it_raised(ask: Any) -> None:
    run = planner_only().run(stubborn, ask)
    with pytest.raises(AssertionError) as caught:
        run.assert_survives("overloaded")
    text = str(caught.value)
    assert text.startswith("the program does not survive overloaded(")
    assert ": RuntimeError: three failures\n" in text
    assert text.endswith("To replay: pytest this")


def test_fault_that_meets_nothing_tests_nothing(ask: Any) -> None:
    run = planner_only().run(stubborn, ask)
    with pytest.raises(AssertionError, match=r"no attempt met .*call=9.* so nothing was tested"):
        run.assert_survives("overloaded", call=9)


def test_fault_that_meets_nothing_is_found_beside_one_that_does(ask: Any) -> None:
    sim = planner_only()
    sim.fault("latency", factor=2)
    run = sim.run(stubborn, ask)
    with pytest.raises(AssertionError, match="so nothing was tested"):
        run.assert_survives("overloaded", call=9)


def test_added_fault_comes_before_those_of_the_test(ask: Any) -> None:
    """The first that meets an attempt decides; the added one is what is asked about."""
    sim = planner_only()
    sim.fault("latency", factor=2)
    run = sim.run(stubborn, ask)
    run.assert_survives("overloaded", call=1)
    with pytest.raises(AssertionError, match="three failures"):
        run.assert_survives("overloaded")


def test_asking_about_survival_leaves_no_trace(ask: Any) -> None:
    sim = planner_only()
    sim.fault("latency", factor=2, allow_unmet=True)
    sim.fault("hang", agent="critic")
    run = sim.run(stubborn, ask)
    run.assert_survives("overloaded", call=1)
    with pytest.raises(HarnessError, match=r"^fault 2 \(hang\) never met an attempt"):
        sim.check()


def test_asking_about_survival_forgets_no_reply_and_no_use_of_a_tool(ask: Any) -> None:
    sim = Sim(1)
    sim.agent("planner", reply=["a river", "a castle"])
    look = sim.tool("look")

    async def program() -> None:
        await look("north")
        with contextlib.suppress(anthropic.APIError):
            await ask(await ask("where?"))

    run = sim.run(program)
    run.assert_survives("overloaded", call=1, allow=["swallowed_error"])
    assert look.uses == [(("north",), {})]
    sim.check()


def test_reply_of_few_words_is_not_lost_when_its_words_are_passed_on(ask: Any) -> None:
    async def program() -> str:
        return f"Verdict: {await ask(await ask('is it good?'), system='You are a judge.')}"

    sim = Sim(1)
    sim.agent("judge", system="*judge*", reply="done")
    sim.agent("critic", reply="yes")
    sim.run(program).assert_no_lost_results()


def test_reply_of_few_words_that_nobody_passes_on_is_lost(ask: Any) -> None:
    async def program() -> None:
        await ask("is it good?")

    sim = Sim(1)
    sim.agent("critic", reply="one")
    with pytest.raises(AssertionError, match="call 1 of critic"):
        sim.run(program).assert_no_lost_results()


def test_coroutine_cannot_be_asked_about_survival(ask: Any) -> None:
    run = planner_only().run(stubborn(ask))
    with pytest.raises(HarnessError, match="a coroutine runs once"):
        run.assert_survives("overloaded")


def test_survival_of_a_wrong_fault_is_an_error_of_the_test(ask: Any) -> None:
    run = planner_only().run(stubborn, ask)
    with pytest.raises(HarnessError, match="there is no fault 'earthquake'"):
        run.assert_survives("earthquake")
    assert isinstance(Hang(), Fault)


def test_request_that_the_api_rejects_is_told(ask: Any) -> None:
    async def program() -> str:
        client = anthropic.AsyncAnthropic()
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.create(
                model="gpt-4", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
        return "done"

    run = Sim(1).run(program)
    assert "The API rejected 1 request: 404 /v1/messages (there is no model " in run.explain()
