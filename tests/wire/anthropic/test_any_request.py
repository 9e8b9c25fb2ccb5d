"""Whatever a client sends, the API understands it or says what is wrong with it."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.wire.api import Prompt
from tests.examples import examples

FULL: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2048,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "tools": [
        {"name": "search", "description": "x", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "web_fetch_20250910", "name": "web_fetch", "citations": {"enabled": True}},
        {"type": "mcp_toolset", "mcp_server_name": "box"},
    ],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
    "stop_sequences": ["END"],
    "stream": True,
    "metadata": {"user_id": "u"},
    "inference_geo": "us",
    "cache_control": {"type": "ephemeral", "ttl": "1h"},
    "messages": [
        {"role": "user", "content": "go"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "E"},
                {"type": "redacted_thinking", "data": "E"},
                {"type": "tool_use", "id": "t1", "name": "search", "input": {"q": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [
                        {"type": "text", "text": "found"},
                        {"type": "image", "source": {"type": "url", "url": "https://u"}},
                        {
                            "type": "document",
                            "source": {
                                "type": "content",
                                "content": [{"type": "text", "text": "x"}],
                            },
                        },
                    ],
                },
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
                {"type": "search_result", "title": "t", "source": "s", "content": []},
            ],
        },
    ],
}

Place = tuple[Any, ...]


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where something stands, at all depths."""
    if place:
        yield place
    names = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for name in names:
        yield from _places(value[name], (*place, name))


PLACES = list(_places(FULL))
GONE = object()
VALUES = st.sampled_from(
    [GONE, None, True, 0, -1, 3.5, "", " ", "text", [], [None], ["x"], {}, {"type": 1}, [[]], [{}]]
)


def _changed(changes: list[tuple[Place, Any]]) -> dict[str, Any]:
    body = copy.deepcopy(FULL)
    for (*way, last), value in changes:
        try:
            here: Any = body
            for name in way:
                here = here[name]
            if value is GONE:
                del here[last]
            else:
                here[last] = copy.deepcopy(value) if isinstance(value, (dict, list)) else value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken this place away
    return body


MCP = {"anthropic-beta": "mcp-client-2025-11-20"}
"""The full request has a toolset of an MCP server."""


def test_the_full_request_is_understood(bench: Any) -> None:
    assert bench.ask(FULL, headers=MCP).tokens > 0


@settings(
    max_examples=examples(1000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_a_changed_request_is_understood_or_told_what_is_wrong(
    bench: Any, changes: list[tuple[Place, Any]]
) -> None:
    body = _changed(changes)
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        answer = bench.send("POST", path, body, headers=MCP)
        if isinstance(answer, Prompt):
            bench.api.usage(answer, 0.0)
        elif answer.status != 200:
            assert answer.status in (400, 404)
            assert json.loads(answer.body)["error"]["message"]


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(
                st.sampled_from(["requests", "params", "custom_id", "thread", "messages"]), part
            )
        ),
    )
)
def test_any_json_is_answered_everywhere(bench: Any, body: Any) -> None:
    beta = {"anthropic-beta": "message-threads-2026-08-12"}
    for method in ("POST", "GET", "DELETE"):
        for path in (
            "/v1/messages",
            "/v1/messages/batches",
            "/v1/messages/batches/x/cancel",
            "/v1/models/x",
        ):
            answer = bench.send(method, path, body, headers=beta)
            assert isinstance(answer, Prompt) or answer.status in (200, 400, 404)
