"""What a request means."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

from typing import Any

import pytest

from harness.models import ChatMessage, ToolCall, ToolResult

HI: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}
TOOL: dict[str, Any] = {
    "name": "search",
    "description": "Finds things.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}},
}


def test_a_plain_request_is_a_prompt(bench: Any) -> None:
    prompt = bench.ask({**HI, "system": "Be brief.", "stop_sequences": ["END"], "stream": True})
    assert prompt.model == "claude-sonnet-4-5"
    assert prompt.system == "Be brief."
    assert prompt.conversation == (ChatMessage("user", "hi"),)
    assert (prompt.max_tokens, prompt.stop_sequences, prompt.stream) == (100, ("END",), True)


def test_blocks_are_texts_with_a_paragraph_between(bench: Any) -> None:
    blocks = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    prompt = bench.ask({**HI, "system": blocks, "messages": [{"role": "user", "content": blocks}]})
    assert prompt.system == "one\n\ntwo"
    assert prompt.conversation[0].text == "one\n\ntwo"


def test_tool_calls_and_their_results_find_each_other(bench: Any) -> None:
    messages = [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "search", "input": {"query": "a"}},
                {"type": "tool_use", "id": "t2", "name": "fetch", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t2", "content": "gone", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [{"type": "text", "text": "found"}],
                },
            ],
        },
        {"role": "user", "content": "and now?"},
    ]
    prompt = bench.ask({**HI, "messages": messages})
    assert prompt.result_ids == ("t2", "t1")
    assert prompt.conversation == (
        ChatMessage("user", "go"),
        ChatMessage(
            "assistant", "I look.", (ToolCall("search", {"query": "a"}), ToolCall("fetch", {}))
        ),
        ChatMessage(
            "user",
            "and now?",
            (),
            (ToolResult("fetch", "gone", is_error=True), ToolResult("search", "found")),
        ),
    )


@pytest.mark.parametrize(
    ("choice", "wanted_tool"),
    [
        ({"type": "tool", "name": "search"}, "search"),
        ({"type": "any"}, "search"),
        ({"type": "auto"}, ""),
        (None, ""),
    ],
)
def test_a_forced_tool_is_wanted_with_its_schema(bench: Any, choice: Any, wanted_tool: str) -> None:
    prompt = bench.ask({**HI, "tools": [TOOL], "tool_choice": choice})
    assert prompt.tools == ("search",)
    assert prompt.wanted_tool == wanted_tool
    assert prompt.wanted == (TOOL["input_schema"] if wanted_tool else None)


def test_any_of_several_tools_is_no_wish_for_one(bench: Any) -> None:
    tools = [TOOL, {**TOOL, "name": "fetch"}]
    prompt = bench.ask({**HI, "tools": tools, "tool_choice": {"type": "any"}})
    assert (prompt.wanted_tool, prompt.wanted) == ("", None)


def test_a_wanted_format_is_its_schema(bench: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}  # fmt: skip
    output = {"format": {"type": "json_schema", "schema": schema}}
    assert bench.ask({**HI, "output_config": output}).wanted == schema


def test_sections_come_in_the_order_of_the_cache(bench: Any) -> None:
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    text = {"type": "text", "text": "x" * 40, "cache_control": {"type": "ephemeral"}}
    prompt = bench.ask(
        {
            **HI,
            "tools": [{**TOOL, **hour}],
            "system": [text],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "cache_control": {"type": "ephemeral"},
        }
    )
    assert [section.cached_for_s for section in prompt.sections] == [3600.0, 300.0, 300.0]
    tools, system, message = prompt.sections
    assert tools.tokens > 350
    assert (system.tokens, message.tokens) == (10, 8)


def test_how_a_client_writes_a_prompt_changes_no_prefix(bench: Any) -> None:
    block = {"text": "hi", "type": "text", "cache_control": {"type": "ephemeral"}}
    other = bench.ask({**HI, "messages": [{"content": [block], "role": "user"}]})
    assert other.sections[0].text == bench.ask(HI).sections[0].text


def test_images_and_documents_have_a_fixed_size(bench: Any) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    pdf = {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}}
    note = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x" * 400}}  # fmt: skip
    tokens = [
        bench.ask({**HI, "messages": [{"role": "user", "content": [block]}]}).tokens
        for block in (image, pdf, note)
    ]
    assert tokens == [1334 + 7, 2250 + 7, 100 + 7]


def test_a_system_message_may_stand_between(bench: Any) -> None:
    messages = [*HI["messages"], {"role": "system", "content": "Hurry."}]
    prompt = bench.ask({**HI, "model": "claude-opus-4-8", "messages": messages})
    assert prompt.conversation[-1] == ChatMessage("system", "Hurry.")


def test_the_last_message_may_be_an_assistant_that_has_not_begun(bench: Any) -> None:
    messages = [*HI["messages"], {"role": "assistant", "content": ""}]
    assert bench.ask({**HI, "messages": messages}).conversation[-1] == ChatMessage("assistant", "")


def test_a_window_that_ends_before_the_reply_does_cuts_it(bench: Any) -> None:
    body = {**HI, "max_tokens": 1000, "messages": [{"role": "user", "content": "x" * 799_000}]}
    prompt = bench.ask(body)
    assert prompt.max_tokens == 200_000 - prompt.tokens < 1000
