"""Chat Completions in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.models import Reply, ToolCall
from harness.wire.http import HttpResponse

Call = Callable[..., Any]


def chunks(response: HttpResponse) -> list[Any]:
    datas = [part.data.decode() for part in response.body if not isinstance(part, int)]
    assert datas.pop() == "data: [DONE]\n\n"
    assert all(data.startswith("data: {") and data.endswith("}\n\n") for data in datas)
    return [json.loads(data[len("data: ") :]) for data in datas]


def deltas(response: HttpResponse) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(response) if chunk["choices"]]


def test_a_text_begins_with_the_role_and_ends_with_its_reason(chat: Call, stream: Call) -> None:
    response = stream(chat("hi", stream=True), "Hello there, friend.")
    said = deltas(response)
    assert said[0] == {"role": "assistant", "content": "", "refusal": None}
    assert [delta["content"] for delta in said[1:-1]] == ["Hello", " there", ",", " friend", "."]
    assert said[-1] == {}
    assert chunks(response)[-1]["choices"][0]["finish_reason"] == "stop"


def test_chunks_have_the_fields_of_the_real_ones_in_their_order(chat: Call, stream: Call) -> None:
    chunk = chunks(stream(chat("hi", stream=True), "Hello"))[0]
    assert list(chunk) == [
        "id",
        "object",
        "created",
        "model",
        "service_tier",
        "system_fingerprint",
        "choices",
        "obfuscation",
    ]
    assert list(chunk["choices"][0]) == ["index", "delta", "logprobs", "finish_reason"]


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_asked_for(chat: Call, stream: Call) -> None:
    response = stream(chat("hi", stream=True, stream_options={"include_usage": True}), "Hello")
    *before, last = chunks(response)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 5
    assert all(chunk["usage"] is None for chunk in before)


def test_padding_hides_the_length_of_each_chunk(chat: Call, stream: Call) -> None:
    response = stream(chat("hi", stream=True), "An unforgettable message, in a few words")
    lengths = {len(part.data.decode()) % 16 for part in response.body[:-1]}
    assert lengths == {(len("data: ") + 1 + len("\n\n")) % 16}


def test_padding_can_be_left_out(chat: Call, stream: Call) -> None:
    options = {"include_obfuscation": False}
    response = stream(chat("hi", stream=True, stream_options=options), "Hello")
    assert all("obfuscation" not in chunk for chunk in chunks(response))


def test_a_lone_tool_call_comes_with_the_role(chat: Call, stream: Call) -> None:
    reply = Reply("", (ToolCall("weather", {"city": "San Francisco"}),))
    first, *rest, last = deltas(stream(chat("hi", stream=True), reply, output_tokens=16))
    assert list(first) == ["role", "content", "tool_calls", "refusal"]
    assert first["tool_calls"][0]["function"] == {"name": "weather", "arguments": ""}
    fragments = [delta["tool_calls"][0]["function"]["arguments"] for delta in rest]
    assert fragments == ['{"', "city", '":"', "San", " Francisco", '"}']
    assert last == {}


def test_several_tool_calls_are_numbered(chat: Call, stream: Call) -> None:
    reply = Reply("", (ToolCall("a", {"x": 1}), ToolCall("b", {})))
    said = deltas(stream(chat("hi", stream=True), reply, output_tokens=16))
    assert said[0] == {"role": "assistant", "content": None}
    calls = [delta["tool_calls"][0] for delta in said[1:-1]]
    named = [(call["index"], call["function"]["name"]) for call in calls if "id" in call]
    assert named == [(0, "a"), (1, "b")]
    for index, arguments in enumerate(['{"x":1}', "{}"]):
        pieces = [call["function"]["arguments"] for call in calls if call["index"] == index]
        assert "".join(pieces) == arguments


def test_a_refusal_is_streamed_as_one(chat: Call, stream: Call) -> None:
    said = deltas(stream(chat("hi", stream=True), "I cannot.", stop="refusal"))
    assert "".join(delta["refusal"] for delta in said[:-1]) == "I cannot."


def test_there_are_no_more_deltas_than_tokens(chat: Call, stream: Call) -> None:
    said = deltas(stream(chat("hi", stream=True), "word " * 1000, output_tokens=10))
    assert len(said) == 10 + 2
    assert "".join(delta["content"] for delta in said[:-1]) == "word " * 1000


def test_the_first_delta_comes_at_once_and_the_last_at_the_end(chat: Call, stream: Call) -> None:
    response = stream(chat("hi", stream=True), "one two three")
    assert [part.share for part in response.body] == [0.0, 0.0, 0.5, 1.0, 1.0, 1.0]


def test_an_empty_reply_is_a_stream_too(chat: Call, stream: Call) -> None:
    response = stream(chat("hi", stream=True), "")
    assert len(deltas(response)) == 2
    assert [part.share for part in response.body] == [0.0, 1.0, 1.0]


def test_all_of_several_choices_are_streamed(chat: Call, stream: Call) -> None:
    said = chunks(stream(chat("hi", stream=True, n=2), "Hello"))
    assert [chunk["choices"][0]["index"] for chunk in said] == [0, 1, 0, 1, 0, 1]
