"""Conversations that the server holds."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.models import Reply, ToolCall

BETA = {"headers": {"anthropic-beta": "message-threads-2026-08-12"}}
MODEL = {"model": "claude-sonnet-4-6", "max_tokens": 100}
TOOL = {"name": "search", "input_schema": {"type": "object"}}
FIRST: dict[str, Any] = {
    **MODEL,
    "system": "Be brief.",
    "tools": [TOOL],
    "messages": [{"role": "user", "content": "go"}],
    "thread": {"type": "create"},
}


def _next(reply: dict[str, Any], text: str = "on") -> dict[str, Any]:
    return {
        **MODEL,
        "messages": [{"role": "user", "content": text}],
        "thread": {"type": "continue", "previous_message_id": reply["id"]},
    }


def _code(bench: Any, body: dict[str, Any]) -> tuple[int, Any]:
    response = bench.send("POST", "/v1/messages", body, **BETA)
    return response.status, json.loads(response.body)["error"].get("details")


def test_a_thread_is_read_whole(bench: Any) -> None:
    first = bench.answer(FIRST, Reply("gone"), **BETA)
    second = bench.answer(_next(first), Reply("gone on"), **BETA)
    prompt = bench.ask(_next(second, "and on"), **BETA)
    assert prompt.system == "Be brief."
    assert prompt.tools == ("search",)
    assert [said.text for said in prompt.conversation] == ["go", "gone", "on", "gone on", "and on"]


def test_a_thread_counts_and_caches_like_the_whole_conversation(bench: Any) -> None:
    first = bench.answer(FIRST, Reply("gone"), **BETA)
    threaded = bench.ask(_next(first), **BETA)
    whole = {name: FIRST[name] for name in FIRST if name != "thread"}
    said = [{"role": "assistant", "content": "gone"}, {"role": "user", "content": "on"}]
    assert threaded.sections == bench.ask({**whole, "messages": FIRST["messages"] + said}).sections


def test_results_of_tools_go_to_the_calls_the_server_holds(bench: Any) -> None:
    first = bench.answer(FIRST, Reply("", (ToolCall("search", {}),)), **BETA)
    result = {
        "type": "tool_result",
        "tool_use_id": first["content"][0]["id"],
        "content": "found",
    }
    body = {**_next(first), "messages": [{"role": "user", "content": [result]}]}
    prompt = bench.ask(body, **BETA)
    assert prompt.conversation[-1].tool_results[0].tool == "search"
    assert prompt.result_ids == (first["content"][0]["id"],)


def test_a_reply_is_gone_on_from_once(bench: Any) -> None:
    first = bench.answer(FIRST, Reply("gone"), **BETA)
    bench.answer(_next(first), Reply("gone on"), **BETA)
    assert _code(bench, _next(first)) == (400, {"error_code": "thread_already_continued"})


def test_a_reply_that_nobody_holds_is_not_found(bench: Any) -> None:
    assert _code(bench, _next({"id": "msg_1"})) == (404, {"error_code": "thread_not_found"})


def test_a_thread_keeps_its_model(bench: Any) -> None:
    first = bench.answer(FIRST, Reply("gone"), **BETA)
    code = {"error_code": "thread_fingerprint_mismatch"}
    assert _code(bench, {**_next(first), "model": "claude-opus-4-6"}) == (400, code)


@pytest.mark.parametrize("field", ["system", "tools"])
def test_a_thread_keeps_its_system_prompt_and_tools(bench: Any, field: str) -> None:
    first = bench.answer(FIRST, Reply("gone"), **BETA)
    status, details = _code(bench, {**_next(first), field: FIRST[field]})
    assert (status, details) == (400, None)


def test_a_server_without_threads_says_so(bench_of: Callable[..., Any]) -> None:
    bench = bench_of(message_threads=False)
    details = {"error_code": "thread_unsupported_request", "unsupported": ["hipaa"]}
    assert _code(bench, FIRST) == (400, details)
