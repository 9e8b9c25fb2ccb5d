"""What a program must keep under a fault to survive it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.sim import Sim
from harness.sim.program_run import ProgramRun
from harness.wire.effects import effect

anthropic = pytest.importorskip("anthropic")

Ask = Callable[..., Coroutine[Any, Any, str]]

GUIDE = Path(__file__).parents[2] / "docs" / "testing-your-agents.md"
TOPICS = ("cost", "speed", "risk")
WORKER_2_FAILS: dict[str, Any] = {"status": 500, "agent": "worker", "call": 2}


def team(latency_s: object = 1.0) -> Sim:
    sim = Sim(1)
    sim.agent(
        "worker",
        system="*worker*",
        reply=lambda call: f"a finding on {call.last_user_text}",
        latency_s=latency_s,
    )
    return sim


def not_surviving(run: ProgramRun, *fault: str, **fields: Any) -> str:  # noqa: ANN401 - the fault's
    with pytest.raises(AssertionError) as caught:
        run.assert_survives(*fault, **fields)
    return str(caught.value).partition("\nWhat happened:")[0]


# -- siblings ---------------------------------------------------------------------------------------------------------


def side_by_side(gather: Callable[..., Any], ask: Ask) -> Callable[[], Any]:
    """A program that asks a worker for each topic, and excuses itself when one fails."""

    async def program() -> str:
        try:
            found = await gather([ask(topic, system="You are a worker.") for topic in TOPICS])
        except (anthropic.APIError, BaseExceptionGroup):
            return "no report today"
        return "\n".join(map(str, found))

    return program


async def bare_gather(asking: Sequence[Any]) -> list[str]:
    return list(await asyncio.gather(*asking))


async def in_a_group(asking: Sequence[Any]) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in asking]
    return [task.result() for task in tasks]


async def slow_to_give_up(asking: Sequence[Any]) -> list[str]:
    """The failure is noticed when the others have ended."""
    done, _ = await asyncio.wait([asyncio.ensure_future(each) for each in asking])
    return [task.result() for task in done]


async def each_for_itself(asking: Sequence[Any]) -> list[Any]:
    return await asyncio.gather(*asking, return_exceptions=True)


@pytest.mark.parametrize("gather", [bare_gather, in_a_group, slow_to_give_up])
def test_program_that_throws_away_the_siblings_of_a_failure_does_not_survive(
    ask: Ask, gather: Callable[..., Any]
) -> None:
    run = team().run(side_by_side(gather, ask))
    text = not_surviving(run, "status", **WORKER_2_FAILS, allow=["swallowed_error"])
    assert "a finding on cost" in text
    assert "a finding on risk" in text
    assert "call 1 of worker" in text
    assert "call 3 of worker" in text
    assert "a finding on speed" not in text
    assert text.endswith('If that is meant: assert_survives(..., allow=["lost_reply"])')


def test_siblings_are_named_also_when_the_program_raises(ask: Ask) -> None:
    async def program() -> str:
        return "\n".join(
            await slow_to_give_up([ask(topic, system="You are a worker.") for topic in TOPICS])
        )

    text = not_surviving(team().run(program), "status", **WORKER_2_FAILS)
    assert ": InternalServerError: " in text.splitlines()[0]
    assert "lost_reply: call 1 of worker replied 'a finding on cost'" in text
    assert "lost_reply: call 3 of worker replied 'a finding on risk'" in text


def test_program_that_keeps_the_siblings_survives_and_gives_the_run(ask: Ask) -> None:
    run = team().run(side_by_side(each_for_itself, ask))
    again = run.assert_survives("status", **WORKER_2_FAILS, allow=["swallowed_error"])
    assert again is not run
    assert "a finding on cost" in again.output
    assert "Error code: 500" in again.output


def test_cancelled_call_that_is_made_again_is_not_lost(ask: Ask) -> None:
    async def program() -> str:
        for tries in (1, 2):
            try:
                return "\n".join(
                    await in_a_group([ask(topic, system="You are a worker.") for topic in TOPICS])
                )
            except BaseExceptionGroup:
                if tries == 2:
                    raise
        return ""

    team().run(program).assert_survives("status", **WORKER_2_FAILS)


def blocks_of_the_guide() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    section = text.partition("## One failed sub-agent")[2].partition("\n## ")[0]
    return re.findall(r"```(?:python|text)\n(.*?)```", section, re.DOTALL)


def test_first_example_of_the_guide_fails_and_passes_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong, test, said, right = blocks_of_the_guide()
    my_app = ModuleType("my_app")
    monkeypatch.setitem(sys.modules, "my_app", my_app)
    for program, passes in ((wrong, False), (wrong + right, True)):
        exec(program, vars(my_app))
        names: dict[str, Any] = {}
        exec(test, names)
        run_test = names["test_one_failed_worker_does_not_throw_away_the_others"]
        if passes:
            run_test(Sim(1))
            continue
        with pytest.raises(AssertionError) as caught:
            run_test(Sim(1))
        first, *others = str(caught.value).splitlines()
        shown = said.splitlines()
        assert first.partition("): ")[2] == shown[0].partition("): ")[2]
        assert others[:2] == shown[1:3]


# -- output that is cut short -----------------------------------------------------------------------------------------

ESSAY = " ".join(f"Sentence number {number} says that the river rose." for number in range(1, 41))


async def essay(*, careful: bool = False) -> str:
    """Stream an essay; a careful program asks again when it does not end as it should."""
    client = anthropic.AsyncAnthropic(max_retries=0)
    parts: list[str] = []
    for _ in range(2):
        parts.clear()
        async with client.messages.stream(
            model="claude-sonnet-5",
            max_tokens=4000,
            messages=[{"role": "user", "content": "write"}],
        ) as stream:
            with contextlib.suppress(Exception):
                async for text in stream.text_stream:
                    parts.append(text)  # noqa: PERF401 - what came before an error is kept
            ended = stream.current_message_snapshot.stop_reason == "end_turn"
        if ended or not careful:
            break
    return "".join(parts)


def writer() -> Sim:
    sim = Sim(1)
    sim.agent("writer", reply=ESSAY, latency_s=5.0)
    return sim


@pytest.mark.parametrize("fault", ["cut_stream", "truncated"])
def test_output_that_is_cut_short_does_not_survive(fault: str) -> None:
    run = writer().run(essay)
    assert run.output == ESSAY
    text = not_surviving(run, fault, call=1)
    assert re.search(r"partial_output: [\d,]+ of 1,\d\d\d characters, .*call 1 of writer", text)


def test_cut_stream_is_allowed_by_the_names_that_the_message_gives() -> None:
    run = writer().run(essay)
    text = not_surviving(run, "cut_stream", call=1)
    names = re.findall(r'"(\w+)"', text.splitlines()[-1])
    assert names == ["accepted_truncated_stream", "partial_output"]
    again = run.assert_survives("cut_stream", call=1, allow=names)
    assert len(again.output) < len(ESSAY)
    not_surviving(run, "cut_stream", call=1, allow=names[:1])
    not_surviving(run, "cut_stream", call=1, allow=names[1:])


def test_program_that_asks_again_after_a_cut_stream_survives() -> None:
    run = writer().run(essay, careful=True)
    assert run.assert_survives("cut_stream", call=1).output == ESSAY


# -- tools ------------------------------------------------------------------------------------------------------------


def booking(sim: Sim, ask: Ask, *, once: bool) -> Callable[[], Any]:
    """A program that books a room, and then asks for a text; it begins anew when that fails."""
    book = sim.tool("book_room", latency_s=0.5)

    async def program() -> str:
        booked = False
        for _ in range(3):
            if not (once and booked):
                await book("Ulm", nights=2)
                booked = True
            with contextlib.suppress(anthropic.APIError):
                return await ask("confirm", system="You are a worker.")
        return "failed"

    return program


def test_room_that_is_booked_twice_does_not_survive(ask: Ask) -> None:
    sim = team()
    run = sim.run(booking(sim, ask, once=False))
    text = not_surviving(run, "overloaded", call=1)
    assert (
        "repeated_tool: book_room('Ulm', nights=2) was done twice, and once without the fault"
        in text
    )
    run.assert_survives("overloaded", call=1, allow=["repeated_tool:book_room"])


def test_room_that_is_booked_once_survives(ask: Ask) -> None:
    sim = team()
    sim.run(booking(sim, ask, once=True)).assert_survives("overloaded", call=1)


async def agent_loop(*, remembers: bool) -> str:
    """An agent that uses the tools its model asks for; it begins its conversation anew when a call fails."""
    client = anthropic.AsyncAnthropic(max_retries=0)
    tool = {"name": "refund", "input_schema": {"type": "object"}}
    messages: list[Any] = [{"role": "user", "content": "refund order 7"}]
    for _ in range(6):
        try:
            said = await client.messages.create(
                model="claude-sonnet-5", max_tokens=500, messages=messages, tools=[tool]
            )
        except anthropic.APIError:
            messages = messages if remembers else messages[:1]
            continue
        wishes = [block for block in said.content if block.type == "tool_use"]
        if not wishes:
            return str(said.content[0].text)
        results = [
            {"type": "tool_result", "tool_use_id": wish.id, "content": "refunded 20 EUR"}
            for wish in wishes
        ]
        messages = [
            *messages,
            {"role": "assistant", "content": [block.model_dump() for block in said.content]},
            {"role": "user", "content": results},
        ]
    return "gave up"


def clerk() -> Sim:
    sim = Sim(1)
    sim.agent("clerk", tool_calls=[("refund", {"order": 7})], reply="it is refunded")
    return sim


def test_tool_of_the_program_itself_that_is_used_twice_does_not_survive() -> None:
    run = clerk().run(agent_loop, remembers=False)
    assert run.output == "it is refunded"
    text = not_surviving(run, "overloaded", call=2)
    assert "repeated_tool: refund(order=7) was done twice, and once without the fault" in text


def test_tool_whose_result_is_brought_again_is_used_once() -> None:
    clerk().run(agent_loop, remembers=True).assert_survives("overloaded", call=2)


def test_tool_that_is_used_under_a_fault_alone_repeats_nothing(ask: Ask) -> None:
    sim = team()
    page_somebody = sim.tool("page_somebody")

    async def program() -> str:
        for _ in range(2):
            try:
                return await ask("hi", system="You are a worker.")
            except anthropic.APIError:
                await page_somebody("trouble")
        return ""

    sim.run(program).assert_survives("overloaded", call=1)


def test_failed_use_of_a_tool_has_no_effect(ask: Ask) -> None:
    sim = team()
    fails = [True]

    def pay(amount: int) -> str:
        if fails.pop():
            raise ValueError(amount)
        return "paid"

    tool = sim.tool("pay", result=pay)

    async def program() -> str:
        fails[:] = [False, True]
        with contextlib.suppress(ValueError):
            await tool(5)
        await tool(5)
        return await ask("hi", system="You are a worker.")

    run = sim.run(program)
    assert [str(each) for each in run.effects] == ["pay(5)"]


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


def test_effects_are_equal_when_their_arguments_are() -> None:
    assert effect("t", "wire", kwargs={"a": {"x": 1, "y": 2}}) == effect(
        "t", "wire", kwargs={"a": {"y": 2, "x": 1}}
    )
    assert effect("t", "program", [object()]) == effect("t", "program", [object()])
    assert effect("t", "program", [{"b", "a"}]).arguments == "{'a', 'b'}"
    assert effect("t", "program", [Broken()]).arguments == "<Broken>"
    long = ["x" * 300 + end for end in "ab"]
    assert effect("t", "program", long[:1]) != effect("t", "program", long[1:])


# -- replies ----------------------------------------------------------------------------------------------------------


def test_reply_that_was_lost_without_the_fault_may_be_lost_with_it(ask: Ask) -> None:
    async def program() -> str:
        await ask("is it good?", system="You are a reviewer.")
        for _ in range(2):
            with contextlib.suppress(anthropic.APIError):
                return await ask("go on", system="You are a worker.")
        return ""

    sim = team()
    sim.agent("reviewer", system="*reviewer*", reply="it is fine")
    run = sim.run(program)
    run.assert_survives("overloaded", agent="worker", call=1)
    with pytest.raises(AssertionError, match="call 1 of reviewer"):
        run.assert_no_lost_results()
    run.assert_no_lost_results(branches_on=["reviewer"])
    run.assert_no_lost_results(branches_on="reviewer")


def test_agent_that_a_program_branches_on_must_be_there(ask: Ask) -> None:
    run = team().run(ask, "hi", system="You are a worker.")
    with pytest.raises(HarnessError, match=r"there is no agent 'workre'; did you mean 'worker'\?"):
        run.assert_no_lost_results(branches_on=["workre"])


def test_damaged_reply_that_is_asked_for_again_is_not_lost(ask: Ask) -> None:
    async def program() -> str:
        for _ in range(2):
            text: str = await ask("river", system="You are a worker.")
            if text.endswith("river"):
                return text
        return ""

    team().run(program).assert_survives("truncated", call=1)


def test_finding_that_was_there_without_the_fault_is_counted(ask: Ask) -> None:
    async def program() -> str:
        for topic in TOPICS:
            with contextlib.suppress(anthropic.APIError):
                await ask(topic, system=f"You are a worker for {topic}.")
        return "done"

    sim = Sim(1)
    sim.agent("worker")
    sim.fault("overloaded", call=3)
    run = sim.run(program)
    allow = ["lost_reply"]
    run.assert_survives("overloaded", call=3, allow=allow)
    assert "swallowed_error: worker: " in not_surviving(run, "overloaded", allow=allow)


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ("lost_replies", "there is no check 'lost_replies'; did you mean 'lost_reply'?"),
        ("swallowed_eror", "there is no check 'swallowed_eror'; did you mean 'swallowed_error'?"),
        ("lost_reply:wroker", "there is no agent or tool 'wroker'; did you mean 'worker'?"),
    ],
)
def test_unknown_name_in_allow_is_an_error_with_a_suggestion(
    ask: Ask, allow: str, said: str
) -> None:
    run = team().run(side_by_side(each_for_itself, ask))
    with pytest.raises(HarnessError, match=re.escape(said)):
        run.assert_survives("latency", factor=2, allow=[allow])


def test_error_can_be_allowed_alone(ask: Ask) -> None:
    async def program() -> str:
        return await ask("hi", system="You are a worker.")

    run = team().run(program)
    assert not_surviving(run, "overloaded").endswith('allow=["error"])')
    assert isinstance(run.assert_survives("overloaded", allow=["error"]).error, anthropic.APIError)


# -- replies that the test does not have ------------------------------------------------------------------------------


@pytest.mark.parametrize("allow", [[], ["error"]])
def test_script_that_is_too_short_for_a_second_try_is_told_as_such(
    ask: Ask, allow: list[str]
) -> None:
    """Whether the program survives is not known, whatever is allowed."""

    async def program() -> str:
        try:
            return await ask("cost", system="You are a worker.")
        except anthropic.APIError:
            return await ask("cost, again", system="You are a worker.")

    sim = Sim(1)
    sim.agent("worker", system="*worker*", reply=["a finding"])
    text = not_surviving(sim.run(program), "overloaded", agent="worker", call=1, allow=allow)
    first, *rest = text.splitlines()
    assert first == (
        "under overloaded(agent='worker', call=1) the program asks for a reply that the test does not have: "
        "the replies of agent 'worker' ran out: this is call 2, and the list has 1"
    )
    assert "Give that agent one reply without a list" in rest[-1]
    assert "allow=" not in text
