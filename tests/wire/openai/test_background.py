"""Responses in the background: asked for once, made like any other, and looked at as often as the program likes."""

from __future__ import annotations

import asyncio
import time  # noqa: TID251 - a program of the user's
from typing import Any

import pytest

from harness import Reply, ToolCall
from harness.errors import NoProgress
from harness.sim import Sim
from tests.wire.sdk_versions import since

openai = pytest.importorskip("openai")
pytestmark = since("openai", 2, "has no Responses")

ROUND_TRIP_S = 0.05
TOOL: Any = {"type": "function", "name": "look", "parameters": {}, "strict": False}


def client(**more: Any) -> Any:  # noqa: ANN401 - the client and its settings
    return openai.AsyncOpenAI(api_key="k", **more)


def now_s() -> float:
    return round(asyncio.get_running_loop().time(), 6)


def agent(sim: Sim, reply: Any = "one two three", **more: Any) -> None:  # noqa: ANN401 - any reply
    """One agent, for all models, whose every reply takes two seconds."""
    sim.agent(
        "agent",
        model="*",
        reply=reply,
        latency_s={"ttft_s": 1.0, "itl_s": 0.1},
        output_tokens=10,
        allow_unused=True,
        **more,
    )


async def begun(**more: Any) -> Any:  # noqa: ANN401 - a response
    return await client().responses.create(
        **{"model": "gpt-4o", "input": "hi", "background": True, **more}
    )


async def ended(every_s: float = 1.0, within_s: float = 600.0, **more: Any) -> Any:  # noqa: ANN401 - a response
    """A response in the background, once it has ended."""
    response = await begun(**more)
    until_s = now_s() + within_s
    while response.status in ("queued", "in_progress") and now_s() < until_s:
        await asyncio.sleep(every_s)
        response = await client().responses.retrieve(response.id)
    return response


async def observed() -> list[tuple[float, str]]:
    response = await begun()
    seen = [(now_s(), response.status)]
    for _ in range(3):
        await asyncio.sleep(0.9)
        response = await client().responses.retrieve(response.id)
        seen.append((now_s(), response.status))
    return seen


def test_a_response_is_queued_then_in_progress_then_completed(sim: Sim) -> None:
    agent(sim)
    assert sim.run(observed).output == [
        (0.05, "queued"),
        (1.0, "in_progress"),
        (1.95, "in_progress"),
        (2.9, "completed"),
    ]


def test_it_is_one_call_with_the_cost_and_the_time_of_any_other_however_often_it_is_asked_for(
    sim: Sim,
) -> None:
    agent(sim)

    async def waited() -> Any:  # noqa: ANN401 - a response
        return await client().responses.create(model="gpt-4o", input="hi")

    plain = sim.run(waited)
    polled = sim.run(ended, 0.1)
    for run in (plain, polled):
        assert (len(run.calls("agent")), run.attempts, run.calls()[0].latency_s) == (1, 1, 2.0)
    assert polled.cost_usd == plain.cost_usd
    assert polled.output.usage == plain.output.usage
    assert polled.output.output_text == "one two three"
    assert (polled.output.background, plain.output.background) == (True, False)
    assert polled.output.completed_at - polled.output.created_at == 2
    assert polled.findings == []


def test_it_waits_for_a_slot_as_others_do(sim: Sim) -> None:
    sim.provider("openai", concurrency=1)
    agent(sim)

    async def program() -> list[str]:
        first, second = await begun(), await begun(input="ho")
        await asyncio.sleep(1)
        return [(await client().responses.retrieve(one.id)).status for one in (first, second)]

    assert sim.run(program).output == ["in_progress", "queued"]


def test_a_tool_is_used_between_two_of_them(sim: Sim) -> None:
    agent(sim, [Reply("", (ToolCall("look", {"at": 1}),)), "seen"])

    async def program() -> str:
        asked = await ended(tools=[TOOL])
        result = {
            "type": "function_call_output",
            "call_id": asked.output[0].call_id,
            "output": "a cat",
        }
        told = await ended(tools=[TOOL], previous_response_id=asked.id, input=[result])
        return str(told.output_text)

    run = sim.run(program)
    assert (run.output, len(run.calls("agent"))) == ("seen", 2)


def test_a_reply_that_is_cut_off_is_incomplete(sim: Sim) -> None:
    agent(sim, Reply("one two", truncated=True))
    response = sim.run(ended).output
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ({"status": {"status": 500}}, "server_error", "The server had an error"),
        ({"status": {"status": 429}}, "rate_limit_exceeded", "Rate limit reached"),
        ({"status": {"status": 400}}, "invalid_prompt", "Invalid request"),
        ({"overloaded": {}}, "server_error", "The engine is currently overloaded"),
        ({"reset": {}}, "server_error", "Connection error."),
        ({"crash": {}}, "server_error", "Connection error."),
        ({"invalid_json": {}}, "server_error", "The server had an error"),
    ],
)
def test_a_fault_ends_it_as_failed_with_an_error_of_the_api(
    sim: Sim, fault: dict[str, dict[str, Any]], code: str, message: str
) -> None:
    agent(sim)
    ((name, fields),) = fault.items()
    sim.fault(name, agent="agent", **fields)
    run = sim.run(ended)
    assert (run.output.status, run.output.error.code) == ("failed", code)
    assert run.output.error.message.startswith(message)
    assert (run.output.output, run.output.usage) == ([], None)
    assert (len(run.calls("agent")), run.attempts) == (1, 1)


def test_a_rate_limit_of_the_provider_ends_it_as_failed(sim: Sim) -> None:
    sim.provider("openai", requests_per_min=1)
    agent(sim)

    async def program() -> list[str]:
        both = [await ended(), await ended(input="ho")]
        return [one.error.code if one.error else one.status for one in both]

    assert sim.run(program).output == ["completed", "rate_limit_exceeded"]


def test_a_response_that_hangs_for_a_time_is_late(sim: Sim) -> None:
    agent(sim)
    sim.fault("hang", agent="agent", for_s=5)
    run = sim.run(ended)
    assert (run.output.status, run.calls()[0].latency_s) == ("completed", 7.0)
    assert run.findings == []


def test_a_request_in_an_outage_is_refused_and_tried_again_by_the_sdk(
    sim: Sim, no_jitter: None
) -> None:
    sim.provider("openai", outages=[{"at_s": 0, "for_s": 0.3}])
    agent(sim)
    run = sim.run(ended)
    assert run.output.status == "completed"
    spans = run.calls()[0].attempts
    assert [(span.status, span.arrival_s) for span in spans] == [("error", 0.0), ("ok", 0.55)]


@pytest.mark.parametrize("error", ["api_error", "connection_error"])
def test_nobody_learns_of_it_during_an_outage_in_which_work_goes_on(sim: Sim, error: str) -> None:
    sim.provider("openai", outages=[{"at_s": 1, "for_s": 2, "error": error}])
    agent(sim)

    async def program() -> list[str]:
        asking = client(max_retries=0)
        response = await asking.responses.create(model="gpt-4o", input="hi", background=True)
        await asyncio.sleep(2)
        seen = []
        for _ in range(2):
            try:
                seen.append((await asking.responses.retrieve(response.id)).status)
            except openai.APIError as refused:
                seen.append(type(refused).__name__)
            await asyncio.sleep(1)
        return seen

    run = sim.run(program)
    refused = "InternalServerError" if error == "api_error" else "APIConnectionError"
    assert run.output == [refused, "completed"]
    assert (len(run.calls("agent")), run.attempts) == (1, 1)


# -- cancelling ----------------------------------------------------------------------------------------------------


async def cancelled_after(wait_s: float) -> list[Any]:
    response = await begun()
    await asyncio.sleep(wait_s)
    seen = [await client().responses.cancel(response.id) for _ in range(2)]
    await asyncio.sleep(5)
    return [*seen, await client().responses.retrieve(response.id)]


def test_cancelling_ends_the_work_and_is_idempotent(sim: Sim) -> None:
    agent(sim)
    run = sim.run(cancelled_after, 1.45)
    assert [one.status for one in run.output] == ["cancelled"] * 3
    assert (run.output[0].output, run.output[0].usage) == ([], None)
    (span,) = run.calls()[0].attempts
    assert (span.status, span.end_s, span.output_tokens) == ("cancelled", 1.5, 5)  # half of ten
    assert run.findings == []


def test_a_response_that_has_ended_is_not_cancelled_any_more(sim: Sim) -> None:
    agent(sim)
    assert [one.status for one in sim.run(cancelled_after, 3.0).output] == ["completed"] * 3


def test_cancelling_gives_the_slot_back(sim: Sim) -> None:
    sim.provider("openai", concurrency=1)
    agent(sim)

    async def program() -> float:
        first, second = await begun(), await begun(input="ho")
        await client().responses.cancel(second.id)  # which waits
        await client().responses.cancel(first.id)
        await client().responses.create(model="gpt-4o", input="now")
        return now_s()

    assert sim.run(program).output == pytest.approx(4 * ROUND_TRIP_S + 2.0)


def test_a_reply_that_is_being_made_is_cancelled_too(sim: Sim) -> None:
    async def slow(_: object) -> str:
        await asyncio.sleep(3)
        return "late"

    agent(sim, slow)
    assert [one.status for one in sim.run(cancelled_after, 1.0).output] == ["cancelled"] * 3


def test_a_response_that_a_client_waits_for_cannot_be_cancelled(sim: Sim) -> None:
    agent(sim)

    async def program() -> None:
        response = await client().responses.create(model="gpt-4o", input="hi")
        await client().responses.cancel(response.id)

    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        sim.run(program)


# -- events --------------------------------------------------------------------------------------------------------


async def events(stream: Any, most: int = 100) -> list[Any]:  # noqa: ANN401 - the SDK's
    seen = []
    async for event in stream:
        seen.append((now_s(), event.type.removeprefix("response."), event.sequence_number))
        if len(seen) == most:
            break
    await stream.close()
    return seen


def test_events_come_each_at_its_time(sim: Sim) -> None:
    agent(sim)

    async def program() -> list[Any]:
        return await events(await begun(stream=True))

    seen = sim.run(program).output
    assert [number for *_, number in seen] == list(range(len(seen)))
    assert seen[:4] == [
        (0.05, "created", 0),
        (0.05, "queued", 1),
        (0.05, "in_progress", 2),
        (1.0, "output_item.added", 3),
    ]
    assert seen[-1][:2] == (2.0, "completed")


def test_a_client_that_hangs_up_reads_on_where_it_stopped(sim: Sim) -> None:
    agent(sim)

    async def program() -> list[Any]:
        stream, asking = await begun(stream=True), client()
        response_id, first = "", []
        async for event in stream:
            first.append(event.sequence_number)
            response_id = response_id or event.response.id
            if len(first) == 6:
                break
        await stream.close()
        again = await asking.responses.retrieve(response_id, stream=True, starting_after=first[-1])
        return [first, await events(again)]

    run = sim.run(program)
    _, again = run.output
    assert [number for *_, number in again] == list(range(6, again[-1][2] + 1))
    assert again[-1][:2] == (2.0, "completed")
    assert run.attempts == 1


@pytest.mark.parametrize("ends", ["failed", "cancelled"])
def test_a_stream_ends_with_what_became_of_the_response(sim: Sim, ends: str) -> None:
    agent(sim)
    if ends == "failed":
        sim.fault("overloaded", agent="agent")

    async def program() -> list[str]:
        told: list[str] = []
        async for event in await begun(stream=True):
            if event.type == "response.output_item.added":
                await client().responses.cancel(told[0])
            if event.type == "response.failed":
                told.append(event.response.status)
            elif not told:
                told.append(event.response.id)
        return told

    assert sim.run(program).output[1:] == [ends]


@pytest.mark.parametrize("background", [False, True])
def test_events_are_kept_of_streamed_responses_in_the_background_alone(
    sim: Sim, background: bool
) -> None:
    agent(sim)

    async def program() -> None:
        response = await begun(background=background)
        await client().responses.retrieve(response.id, stream=True)

    with pytest.raises(openai.BadRequestError, match="not created with stream=true"):
        sim.run(program)


# -- mistakes, and programs that end ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"store": False}, "Background mode requires 'store' to be true."),
        ({"background": "yes"}, "Invalid type for 'background': expected a boolean"),
    ],
)
def test_a_wrong_request_is_refused(sim: Sim, more: dict[str, Any], words: str) -> None:
    agent(sim)
    with pytest.raises(openai.BadRequestError, match=words):
        sim.run(lambda: begun(**more))


def test_a_response_in_its_making_cannot_be_continued(sim: Sim) -> None:
    agent(sim)

    async def program() -> None:
        await begun(previous_response_id=(await begun()).id)

    with pytest.raises(openai.BadRequestError, match="'in_progress' and cannot be continued"):
        sim.run(program)


def test_a_response_that_is_left_running_neither_holds_up_the_end_nor_alarms(sim: Sim) -> None:
    agent(sim)

    async def program() -> str:
        return str((await begun()).status)

    run = sim.run(program)
    assert (run.output, run.latency_s, run.findings) == ("queued", ROUND_TRIP_S, [])


def test_a_program_that_loses_patience_with_what_hangs_for_ever_is_not_blamed(sim: Sim) -> None:
    agent(sim)
    sim.fault("hang", agent="agent")
    run = sim.run(ended, 5.0, 600.0)
    assert (run.output.status, run.findings) == ("queued", [])


def test_a_program_that_asks_for_ever_for_what_hangs_makes_no_progress(sim: Sim) -> None:
    agent(sim)
    sim.fault("hang", agent="agent")
    with pytest.raises(NoProgress, match="asks for a reply that never comes"):
        sim.run(ended, 10.0, 1e9)


def test_an_error_in_a_function_of_the_test_ends_the_run(sim: Sim) -> None:
    def wrong(_: object) -> str:
        raise ValueError("of the test")

    agent(sim, wrong)
    with pytest.raises(ValueError, match="of the test"):
        sim.run(ended)


def test_a_blocking_client_can_poll_too(sim: Sim) -> None:
    agent(sim)

    def program() -> tuple[str, str]:
        asking = openai.OpenAI(api_key="k")
        raw = asking.responses.with_raw_response.create(model="gpt-4o", input="hi", background=True)
        response = raw.parse()
        while response.status in ("queued", "in_progress"):
            time.sleep(1)
            response = asking.responses.retrieve(response.id)
        return raw.headers["content-type"], response.output_text

    assert sim.run(program).output == ("application/json", "one two three")
