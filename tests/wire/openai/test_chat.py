"""Chat Completions: what is understood, and what is answered in one piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.models import ChatMessage, Reply, ToolCall, ToolResult
from harness.provider.limits import NO_QUOTA
from harness.units import Usage
from harness.wire.api import Completion, Ids, Moment
from harness.wire.openai import OpenAI

Call = Callable[..., Any]

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {}}}
ASKED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_a",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Bern"}'},
        },
        {"id": "call_b", "type": "function", "function": {"name": "clock", "arguments": ""}},
    ],
}


def test_system_and_developer_messages_are_the_system_prompt(chat: Call) -> None:
    prompt = chat(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "hi"},
        ]
    )
    assert prompt.system == "Be brief.\n\nBe kind."
    assert prompt.conversation == (ChatMessage("user", "hi"),)


def test_tool_messages_that_come_together_are_one_message_with_the_tools_names(chat: Call) -> None:
    prompt = chat(
        [
            {"role": "user", "content": "hi"},
            ASKED,
            {"role": "tool", "tool_call_id": "call_b", "content": "noon"},
            {"role": "tool", "tool_call_id": "call_a", "content": "sunny"},
        ],
        tools=[WEATHER, CLOCK],
    )
    assert prompt.conversation[1].tool_calls == (
        ToolCall("weather", {"city": "Bern"}),
        ToolCall("clock", {}),
    )
    results = (ToolResult("clock", "noon"), ToolResult("weather", "sunny"))
    assert prompt.conversation[2:] == (ChatMessage("user", "", (), results),)
    assert prompt.result_ids == ("call_b", "call_a")
    assert prompt.tools == ("weather", "clock")


def test_results_that_were_answered_are_not_brought_again(chat: Call) -> None:
    prompt = chat(
        [
            ASKED,
            {"role": "tool", "tool_call_id": "call_b", "content": "noon"},
            {"role": "tool", "tool_call_id": "call_a", "content": "sunny"},
            {"role": "assistant", "content": "It is noon."},
            {"role": "user", "content": "thanks"},
        ],
        tools=[WEATHER, CLOCK],
    )
    assert prompt.result_ids == ()


@pytest.mark.parametrize(
    ("tools", "choice", "wanted"),
    [
        ([WEATHER, CLOCK], {"type": "function", "function": {"name": "weather"}}, "weather"),
        ([WEATHER], "required", "weather"),
        ([WEATHER, CLOCK], "required", ""),
        ([WEATHER], "auto", ""),
    ],
)
def test_a_tool_is_wanted_when_there_is_no_other_choice(
    chat: Call, tools: object, choice: object, wanted: str
) -> None:
    prompt = chat("hi", tools=tools, tool_choice=choice)
    assert prompt.wanted_tool == wanted
    assert (prompt.wanted is not None) == bool(wanted)


def test_tools_are_offered_and_may_not_be_called_when_the_choice_is_none(chat: Call) -> None:
    prompt = chat("hi", tools=[WEATHER], tool_choice="none")
    assert (prompt.tools, prompt.tool_choice) == (("weather",), "none")


def test_a_response_format_says_what_is_wanted(chat: Call) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    format_ = {"type": "json_schema", "json_schema": {"name": "N", "schema": schema}}
    assert chat("hi", response_format=format_).wanted == schema
    assert chat("as json", response_format={"type": "json_object"}).wanted == {"type": "object"}


def test_limits_of_the_reply_are_read(chat: Call) -> None:
    prompt = chat("hi", max_tokens=7, stop="END", stream=True)
    assert (prompt.max_tokens, prompt.stop_sequences, prompt.stream) == (7, ("END",), True)
    assert chat("hi", max_completion_tokens=8, stop=["a", "b"]).stop_sequences == ("a", "b")


def test_the_answer_has_the_fields_of_the_real_one_in_their_order(chat: Call, whole: Call) -> None:
    body = whole(chat("hi"), "Hello.")
    assert list(body) == [
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "service_tier",
        "system_fingerprint",
    ]
    assert body["id"].startswith("chatcmpl-")
    assert len(body["id"]) == len("chatcmpl-DIjv5CTNw0zSZPJG7XNQb1x8KRtjK")
    assert body["created"] == 1_767_225_600 + 58  # it was sent after 60 s, and worked at for 1.5 s
    assert body["model"] == "gpt-4o-mini-2024-07-18"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello.",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"]["total_tokens"] == 14


def test_the_body_is_laid_out_for_people_and_ends_in_a_newline(api: OpenAI, chat: Call) -> None:
    said = Completion(Reply("Grüezi"), Usage(9, 5), "end")
    body = api.whole(chat("hi"), said, Moment(Ids("1"), 0.0, 0.0, NO_QUOTA)).body
    assert isinstance(body, bytes)
    assert body.startswith(b'{\n  "id": "chatcmpl-')
    assert body.endswith(b'"\n}\n')
    assert "Grüezi".encode() in body


def test_tool_calls_are_in_the_message_and_content_is_null(chat: Call, whole: Call) -> None:
    reply = Reply("", (ToolCall("weather", {"city": "Bern"}), ToolCall("clock", {})))
    choice = whole(chat("hi", tools=[WEATHER, CLOCK]), reply)["choices"][0]
    assert list(choice["message"]) == ["role", "content", "tool_calls", "refusal", "annotations"]
    assert choice["message"]["content"] is None
    first, second = choice["message"]["tool_calls"]
    assert first["function"] == {"name": "weather", "arguments": '{"city":"Bern"}'}
    assert len(first["id"]) == len("call_QXZLQbxriC1eBnOMXLPMopfe")
    assert first["id"] != second["id"]
    assert choice["finish_reason"] == "tool_calls"


def test_a_named_tool_ends_with_stop(chat: Call, whole: Call) -> None:
    choice = {"type": "function", "function": {"name": "clock"}}
    prompt = chat("hi", tools=[CLOCK], tool_choice=choice)
    body = whole(prompt, Reply("", (ToolCall("clock", {}),)))
    assert body["choices"][0]["finish_reason"] == "stop"


def test_a_refusal_is_no_content(chat: Call, whole: Call) -> None:
    message = whole(chat("hi"), "No.", stop="refusal")["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "No.")


def test_a_reply_that_was_cut_says_so(chat: Call, whole: Call) -> None:
    body = whole(chat("hi"), "No", stop="max_tokens")
    assert body["choices"][0]["finish_reason"] == "length"


def test_several_choices_say_the_same(chat: Call, whole: Call) -> None:
    choices = whole(chat("hi", n=3), "Hello.")["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in choices} == {"Hello."}


def test_thoughts_are_counted_and_not_shown(chat: Call, whole: Call) -> None:
    body = whole(chat("hi", model="gpt-5"), Reply("Yes.", thinking="x" * 40), output_tokens=15)
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 10
    assert "logprobs" not in body["choices"][0]
    assert body["system_fingerprint"] is None


def test_the_same_run_gives_the_same_ids(chat: Call, whole: Call) -> None:
    prompt = chat("hi")
    assert whole(prompt, "Hello.") == whole(prompt, "Hello.")
    assert whole(prompt, "Hello.")["id"] != whole(prompt, "Hello.", name="2")["id"]
