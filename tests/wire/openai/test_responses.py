"""The Responses API: what is understood, remembered, and answered in one piece."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import NotSimulated
from harness.models import ChatMessage, Reply, ToolCall, ToolResult

Call = Callable[..., Any]

WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
WISH = {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": '{"x":1}'}
RESULT = {"type": "function_call_output", "call_id": "call_a", "output": "sunny"}


def test_a_text_is_what_the_user_says(respond: Call) -> None:
    prompt = respond("hi", instructions="Be brief.", max_output_tokens=20)
    assert prompt.conversation == (ChatMessage("user", "hi"),)
    assert (prompt.system, prompt.max_tokens) == ("Be brief.", 20)


def test_items_of_one_reply_are_one_message(respond: Call) -> None:
    prompt = respond(
        [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
            WISH,
            WISH | {"call_id": "call_b"},
            RESULT,
            RESULT | {"call_id": "call_b", "output": [{"type": "input_text", "text": "rain"}]},
        ],
        tools=[WEATHER],
    )
    assert prompt.system == "Be kind."
    assert prompt.conversation == (
        ChatMessage("user", "hi"),
        ChatMessage("assistant", "Wait.", (ToolCall("weather", {"x": 1}),) * 2),
        ChatMessage(
            "user", "", (), (ToolResult("weather", "sunny"), ToolResult("weather", "rain"))
        ),
    )
    assert prompt.result_ids == ("call_a", "call_b")


def test_what_is_wanted_is_read(respond: Call) -> None:
    schema = {"type": "object"}
    format_ = {"type": "json_schema", "name": "N", "schema": schema}
    assert respond("hi", text={"format": format_}).wanted == schema
    named = respond("hi", tools=[WEATHER], tool_choice={"type": "function", "name": "weather"})
    assert (named.wanted_tool, named.tools) == ("weather", ("weather",))


def test_a_conversation_goes_on_from_an_earlier_response(respond: Call, whole: Call) -> None:
    body = whole(respond("hi", instructions="Be brief."), "Hello.")
    prompt = respond("more", previous_response_id=body["id"])
    assert prompt.conversation == (
        ChatMessage("user", "hi"),
        ChatMessage("assistant", "Hello."),
        ChatMessage("user", "more"),
    )
    assert prompt.system == ""  # instructions are not carried over


def test_tools_results_alone_continue_a_response(respond: Call, whole: Call) -> None:
    body = whole(respond("hi", tools=[WEATHER]), Reply("", (ToolCall("weather", {}),)))
    call = body["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    prompt = respond([output], previous_response_id=body["id"])
    assert prompt.conversation[-1].tool_results == (ToolResult("weather", "sunny"),)
    assert prompt.result_ids == (call["call_id"],)


def test_a_response_can_be_read_and_forgotten(respond: Call, whole: Call, send: Call) -> None:
    body = whole(respond("hi"), "Hello.")
    path = f"/v1/responses/{body['id']}"
    assert json.loads(send(path, method="GET").body) == body
    items = json.loads(send(f"{path}/input_items", method="GET").body)["data"]
    assert [item["content"] for item in items] == [[{"type": "input_text", "text": "hi"}]]
    assert json.loads(send(path, method="DELETE").body)["deleted"] is True
    assert send(path, method="GET").status == 404


def test_a_response_that_is_not_stored_cannot_be_continued(respond: Call, whole: Call) -> None:
    body = whole(respond("hi", store=False), "Hello.")
    refused = respond("more", previous_response_id=body["id"])
    assert refused.status == 400
    assert json.loads(refused.body)["error"]["code"] == "previous_response_not_found"


def test_the_size_of_an_input_can_be_asked(send: Call, respond: Call) -> None:
    answer = send("/v1/responses/input_tokens", {"model": "gpt-4o", "input": "hi"})
    assert json.loads(answer.body)["input_tokens"] == respond("hi").tokens


def test_a_message_is_an_item(respond: Call, whole: Call) -> None:
    body = whole(respond("hi"), "Hello.")
    assert (body["status"], body["completed_at"] - body["created_at"]) == ("completed", 2)
    (item,) = body["output"]
    assert list(item) == ["id", "type", "status", "content", "role"]
    assert item["content"] == [
        {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello."}
    ]


def test_tool_calls_come_after_the_text(respond: Call, whole: Call) -> None:
    items = whole(respond("hi"), Reply("Wait.", (ToolCall("weather", {"x": 1}),)))["output"]
    assert [item["type"] for item in items] == ["message", "function_call"]
    assert list(items[1]) == ["id", "type", "status", "arguments", "call_id", "name"]
    assert items[1]["arguments"] == '{"x":1}'


@pytest.mark.parametrize(("summary", "shown"), [(None, 0), ("auto", 1)])
def test_thoughts_are_shown_to_those_who_ask(
    respond: Call, whole: Call, summary: str | None, shown: int
) -> None:
    prompt = respond("hi", model="gpt-5", reasoning={"summary": summary})
    body = whole(prompt, Reply("Yes.", thinking="Let me see"))
    assert body["output"][0]["type"] == "reasoning"
    assert len(body["output"][0]["summary"]) == shown
    assert body["usage"]["output_tokens_details"]["reasoning_tokens"] == 3


def test_a_reply_that_was_cut_is_incomplete(respond: Call, whole: Call) -> None:
    body = whole(respond("hi"), "No", stop="max_tokens")
    assert body["status"] == "incomplete"
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert body["completed_at"] is None


def test_a_refusal_is_a_part_of_its_own(respond: Call, whole: Call) -> None:
    body = whole(respond("hi"), "No.", stop="refusal")
    assert body["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_what_only_the_real_api_remembers_is_refused_loudly(respond: Call) -> None:
    with pytest.raises(NotSimulated, match="prompt"):
        respond(None, prompt={"id": "pmpt_1"})


def test_references_stand_for_items_that_were_stored(
    respond: Call, whole: Call, send: Call
) -> None:
    body = whole(respond("hi", tools=[WEATHER]), Reply("", (ToolCall("weather", {}),)))
    heard = json.loads(send(f"/v1/responses/{body['id']}/input_items", None, "GET").body)["data"][0]
    call = body["output"][0]
    prompt = respond(
        [
            {"type": "item_reference", "id": heard["id"]},
            {"type": "item_reference", "id": call["id"]},
            {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"},
        ]
    )
    assert prompt.conversation == (
        ChatMessage("user", "hi"),
        ChatMessage("assistant", "", (ToolCall("weather", {}),)),
        ChatMessage("user", "", (), (ToolResult("weather", "sunny"),)),
    )


def test_reference_to_what_is_not_stored_is_not_found(respond: Call, whole: Call) -> None:
    body = whole(respond("hi", store=False), "Hello.")
    answer = respond([{"type": "item_reference", "id": body["output"][0]["id"]}])
    assert answer.status == 404
    assert "Items are not persisted when `store` is set to false." in answer.body.decode()


def test_truncation_drops_items_from_the_beginning(respond: Call) -> None:
    long = {"role": "user", "content": "word " * 100_000}
    items = [long, WISH, RESULT, {"role": "assistant", "content": "Sunny."}]
    assert respond([*items, long]).status == 400
    prompt = respond([*items, long], truncation="auto")
    assert prompt.conversation[-1].text == long["content"]
    assert prompt.tokens <= 128_000
    half = {"role": "user", "content": "word " * 50_000}
    long_call = {**WISH, "arguments": json.dumps({"x": half["content"]})}
    cut = respond([long_call, RESULT, half, half], truncation="auto")  # a result needs its call
    assert cut.conversation == (ChatMessage("user", half["content"]),) * 2
    assert respond([half, long], truncation="auto").conversation == (
        ChatMessage("user", long["content"]),
    )
    assert respond([{**long, "content": "word " * 200_000}], truncation="auto").status == 400
