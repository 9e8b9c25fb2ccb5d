"""The Responses API in events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.models import Reply, ToolCall
from harness.provider import Refusal
from harness.provider.limits import NO_QUOTA
from harness.wire.api import Ids, Moment
from harness.wire.http import HttpResponse
from harness.wire.openai import OpenAI

Call = Callable[..., Any]


def events(response: HttpResponse) -> list[Any]:
    found = []
    for part in response.body:
        assert not isinstance(part, int)
        name, data, *rest = part.data.decode().split("\n")
        assert rest == ["", ""]
        body = json.loads(data.removeprefix("data: "))
        assert name == f"event: {body['type']}"
        found.append(body)
    return found


def names(response: HttpResponse) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events(response)]


def test_a_text_has_the_events_of_the_real_one(respond: Call, stream: Call) -> None:
    assert names(stream(respond("hi", stream=True), "Hello there")) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_a_tool_call_has_the_events_of_the_real_one(respond: Call, stream: Call) -> None:
    reply = Reply("", (ToolCall("weather", {"location": "Boston, MA"}),))
    response = stream(respond("hi", stream=True), reply, output_tokens=16)
    assert names(response)[2:-1] == [
        "output_item.added",
        *["function_call_arguments.delta"] * 7,
        "function_call_arguments.done",
        "output_item.done",
    ]
    said = events(response)
    deltas = [event["delta"] for event in said if "delta" in event]
    assert deltas == ['{"', "location", '":"', "Boston", ",", " MA", '"}']
    assert said[2]["item"]["arguments"] == ""


def test_thoughts_are_an_item_before_the_text(respond: Call, stream: Call) -> None:
    prompt = respond("hi", model="gpt-5", reasoning={"summary": "auto"}, stream=True)
    response = stream(prompt, Reply("Yes", thinking="Hm"), output_tokens=16)
    assert names(response)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]


def test_events_are_numbered_and_their_fields_are_in_order(respond: Call, stream: Call) -> None:
    said = events(stream(respond("hi", stream=True), "Hello there"))
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    for event in said:
        first, *fields = event
        assert first == "type"
        assert fields == sorted(fields)


def test_padding_makes_deltas_multiples_of_sixteen(respond: Call, stream: Call) -> None:
    said = events(stream(respond("hi", stream=True), "An unforgettable message, in a few words"))
    deltas = [event for event in said if "delta" in event]
    assert deltas
    assert all(len(event["delta"] + event["obfuscation"]) % 16 == 0 for event in deltas)


def test_the_response_begins_empty_and_ends_whole(respond: Call, stream: Call) -> None:
    first, *_, last = events(stream(respond("hi", stream=True), "Hello"))
    assert (first["response"]["output"], first["response"]["usage"]) == ([], None)
    assert first["response"]["status"] == "in_progress"
    assert last["response"]["output"][0]["content"][0]["text"] == "Hello"
    assert list(first["response"]) == list(last["response"])


def test_a_reply_that_was_cut_ends_as_incomplete(respond: Call, stream: Call) -> None:
    response = stream(respond("hi", stream=True), "Hello", stop="max_tokens")
    assert names(response)[-1] == "incomplete"


def test_a_refusal_has_events_of_its_own(respond: Call, stream: Call) -> None:
    response = stream(respond("hi", stream=True), "No", stop="refusal")
    assert names(response)[4:6] == ["refusal.delta", "refusal.done"]


def test_the_last_part_only_says_that_it_was_the_last(respond: Call, stream: Call) -> None:
    parts = stream(respond("hi", stream=True), "one two three").body
    shares = [part.share for part in parts]
    assert shares == [0.0] * 5 + [0.5] + [1.0] * 5


def broken_off(api: OpenAI) -> str:
    moment = Moment(Ids("1"), 60.0, 0.0, NO_QUOTA)
    return api.broken_off(Refusal("overloaded_error"), moment).decode()


def test_chunks_that_break_off_say_so_in_a_chunk(api: OpenAI, chat: Call, stream: Call) -> None:
    stream(chat("hi", stream=True), "Hello")
    assert broken_off(api).startswith('data: {"error":{"message":"The engine is currently overl')
    assert broken_off(api).endswith("}\n\n")


def test_events_that_break_off_say_so_in_an_event(api: OpenAI, respond: Call, stream: Call) -> None:
    sent = events(stream(respond("hi", stream=True), "Hello"))
    assert broken_off(api).startswith('event: error\ndata: {"type":"error","error":{')
    body = json.loads(broken_off(api).partition("data: ")[2])
    assert body["sequence_number"] >= sent[-2]["sequence_number"]
