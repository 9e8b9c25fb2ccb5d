"""Requests that the real API rejects, refusals, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from harness.errors import NotSimulated
from harness.provider import Refusal
from harness.provider.limits import NO_QUOTA, Level, LimitHit, Quota
from harness.wire.api import Ids, Moment
from harness.wire.openai import OpenAI
from harness.wire.openai.headers import go_duration
from harness.wire.openai.models import is_known
from harness.wire.openai.parameters import CHAT, RESPONSE

Call = Callable[..., Any]

ASKED = {
    "role": "assistant",
    "tool_calls": [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}}
    ],
}
USER = {"role": "user", "content": "hi"}
RESULT = {"role": "tool", "tool_call_id": "call_a", "content": "x"}


def error_of(answer: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - a prompt would be a failure
    error: dict[str, Any] = json.loads(answer.body)["error"]
    assert list(error) == ["message", "type", "param", "code"]
    return answer.status, error


@pytest.mark.parametrize(
    ("body", "code", "param", "words"),
    [
        ({"messages": [USER]}, None, None, "you must provide a model parameter"),
        ({"model": "gpt-4o"}, "missing_required_parameter", "messages", "'messages'"),
        ({"model": "gpt-4o", "messages": []}, "empty_array", "messages", "empty array"),
        ({"model": "gpt-4o", "messages": "hi"}, "invalid_type", "messages", "got a string"),
        (
            {"model": "gpt-4o", "messages": [USER], "stop": 3},
            "invalid_type",
            "stop",
            "expected one of a string or an array, but got an integer instead.",
        ),
        (
            {"model": "gpt-4o", "messages": [USER], "tools": [{"type": "function"}]},
            "missing_required_parameter",
            "tools[0].function",
            "Missing required parameter: 'tools[0].function'.",
        ),
        (
            {"model": "gpt-4o", "messages": [{"role": "user"}]},
            None,
            "messages.[0].content",
            "expected a string, got null",
        ),
        (
            {"model": "gpt-4o", "messages": [{"role": "ai", "content": "x"}]},
            "invalid_value",
            "messages[0].role",
            "Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
        ),
        (
            {"model": "gpt-4o", "messages": [USER, RESULT]},
            None,
            "messages.[1].role",
            "must be a response to a preceeding message with 'tool_calls'.",
        ),
        (
            {"model": "gpt-4o", "messages": [USER, ASKED, USER]},
            None,
            "messages.[2].role",
            "did not have response messages: call_a",
        ),
        (
            {"model": "gpt-4o", "messages": [USER, ASKED]},
            None,
            "messages.[2].role",
            "did not have response messages: call_a",
        ),
        (
            {"model": "gpt-4o", "messages": [{"role": "user", "content": "x " * 300_000}]},
            "context_length_exceeded",
            "messages",
            "maximum context length is 128000 tokens. However, your messages resulted in 150003",
        ),
        (
            {"model": "gpt-5", "messages": [USER], "max_tokens": 5},
            "unsupported_parameter",
            "max_tokens",
            "Use 'max_completion_tokens' instead.",
        ),
        (
            {"model": "o3", "messages": [USER], "temperature": 0.2},
            "unsupported_value",
            "temperature",
            "does not support 0.2 with this model",
        ),
        ({"model": "o3", "messages": [USER], "stop": "x"}, "unsupported_parameter", "stop", "stop"),
        ({"model": "gpt-4o", "messages": [USER], "tools": []}, "empty_array", "tools", "tools"),
        (
            {"model": "gpt-4o", "messages": [USER], "tool_choice": "auto"},
            None,
            "tool_choice",
            "only allowed when 'tools' are specified",
        ),
        (
            {"model": "gpt-4o", "messages": [USER], "response_format": {"type": "json_object"}},
            None,
            "messages",
            "must contain the word 'json'",
        ),
    ],
)
def test_a_wrong_chat_is_rejected_in_openais_words(
    send: Call, body: object, code: str | None, param: str | None, words: str
) -> None:
    status, error = error_of(send("/v1/chat/completions", body))
    assert (status, error["code"], error["param"]) == (400, code, param)
    assert words in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"input": "hi"}, "model", "Missing required parameter: 'model'."),
        ({"model": "gpt-4o"}, None, 'One of "input" or "previous_response_id"'),
        ({"model": "x", "input": "hi"}, "model", "The requested model 'x' does not exist."),
        (
            {"model": "gpt-4o", "input": "hi", "max_output_tokens": 5},
            "max_output_tokens",
            "Expected a value >= 16, but got 5 instead.",
        ),
        (
            {"model": "gpt-4o", "input": [{"type": "function_call_output", "call_id": "c"}]},
            "input",
            "No tool call found for function call output with call_id c.",
        ),
        (
            {
                "model": "gpt-4o",
                "input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}],
            },
            "input",
            "No tool output found for function call c.",
        ),
        (
            {"model": "gpt-4o", "input": "x " * 300_000},
            "input",
            "Your input exceeds the context window of this model.",
        ),
    ],
)
def test_a_wrong_response_is_rejected_in_openais_words(
    send: Call, body: object, param: str | None, words: str
) -> None:
    status, error = error_of(send("/v1/responses", body))
    assert (status, error["param"]) == (400, param)
    assert words in error["message"]


def test_a_request_without_a_key_is_not_authorised(send: Call) -> None:
    status, error = error_of(send("/v1/models", None, "GET", headers={}))
    assert status == 401
    assert error["message"].startswith("You didn't provide an API key.")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]"])
def test_a_body_that_is_no_object_is_rejected(send: Call, body: bytes) -> None:
    status, error = error_of(send("/v1/chat/completions", body))
    assert status == 400
    assert error["message"].startswith("We could not parse the JSON body of your request.")


def test_an_unknown_route_is_not_found(send: Call) -> None:
    status, error = error_of(send("/v1/nothing", {}))
    assert (status, error["message"]) == (404, "Invalid URL (POST /v1/nothing)")


@pytest.mark.parametrize(
    "model", ["gpt-5.5", "o4-mini", "gpt-4o-2024-11-20", "ft:gpt-4o:acme::1", "my-model"]
)
def test_models_of_openai_and_of_the_run_are_known(chat: Call, model: str) -> None:
    assert chat("hi", model=model).model == model


@pytest.mark.parametrize("model", ["claude", "gpt-9", "gpt-4o-mni", "o5", "ft:gpt-9:acme::1"])
def test_an_unknown_model_is_not_found(chat: Call, model: str) -> None:
    status, error = error_of(chat("hi", model=model))
    assert (status, error["code"]) == (404, "model_not_found")


def test_a_misspelt_model_is_told_beside_the_answer(chat: Call) -> None:
    answer = chat("hi", model="gpt-4o-mni")
    assert answer.hint.startswith("there is no model 'gpt-4o-mni'; did you mean 'gpt-4o-mini'?")
    assert b"did you mean" not in answer.body


def test_every_model_of_the_sdk_is_known(chat: Call) -> None:
    from openai.types.embedding_model import EmbeddingModel
    from openai.types.shared.all_models import AllModels
    from openai.types.shared.chat_model import ChatModel

    def names(kind: object) -> list[str]:
        parts = get_args(kind)
        return [
            name for part in parts for name in ([part] if isinstance(part, str) else names(part))
        ]

    listed = [*names(ChatModel), *names(AllModels), *names(EmbeddingModel)]
    assert len(listed) > 50
    assert [name for name in listed if not is_known(name, ())] == []


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        ("api_error", 500, "server_error", "server_error"),
        ("overloaded_error", 503, "server_error", "server_error"),
        ("timeout_error", 504, "server_error", "server_error"),
    ],
)
def test_a_refusal_is_said_in_openais_words(
    api: OpenAI, error: str, status: int, kind: str, code: str
) -> None:
    answer = api.refused(Refusal(error), Moment(Ids("1"), 0.0, 0.0, NO_QUOTA))
    got, body = error_of(answer)
    assert (got, body["type"], body["code"]) == (status, kind, code)


@pytest.mark.parametrize(
    ("hit", "words", "kind"),
    [
        (
            LimitHit("input tokens", 30_000, 2),
            "(TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.",
            "tokens",
        ),
        (
            LimitHit("requests", 3, 20),
            "on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
            "requests",
        ),
    ],
)
def test_a_rate_limit_says_which_and_by_how_much(
    api: OpenAI, hit: LimitHit, words: str, kind: str
) -> None:
    quota = Quota(Level(3, 0, 60.0), Level(30_000, 1_000, 58.0), None)
    wait_s = float(hit.retry_after_s)
    limited = Refusal("rate_limit_error", "gpt-4o", hit, wait_s)
    answer = api.refused(limited, Moment(Ids("1"), 0.0, 0.05, quota))
    status, body = error_of(answer)
    assert (status, body["type"], body["code"]) == (429, kind, "rate_limit_exceeded")
    assert body["message"].startswith("Rate limit reached for gpt-4o in organization org-")
    assert words in body["message"]
    headers = dict(answer.headers)
    assert headers["retry-after"] == str(hit.retry_after_s)
    assert headers["retry-after-ms"] == str(hit.retry_after_s * 1000)
    assert headers["x-ratelimit-remaining-tokens"] == "1000"
    assert headers["x-ratelimit-reset-tokens"] == "58s"


def test_a_rate_limit_names_its_model_whatever_it_is_called(api: OpenAI) -> None:
    name = "ft (model: gpt-4o) v2"
    limited = Refusal("rate_limit_error", name, LimitHit("requests", 3, 20), 20.0)
    _, body = error_of(api.refused(limited, Moment(Ids("1"), 0.0, 0.05, NO_QUOTA)))
    assert body["message"].startswith(f"Rate limit reached for {name} in organization org-")


def test_every_answer_has_openais_headers(send: Call) -> None:
    headers = dict(send("/v1/models", None, "GET").headers)
    assert headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-processing-ms"] == "0"
    assert headers["x-ratelimit-limit-requests"] == "10000"
    assert len(headers["x-request-id"]) == len("req_") + 32
    assert not {"Content-Length", "Transfer-Encoding", "Content-Encoding"} & headers.keys()


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0.0, "0s"),
        (0.00975, "9ms"),
        (1.0, "1s"),
        (1.5, "1.5s"),
        (90.0, "1m30s"),
        (360.0, "6m0s"),
        (3661.5, "1h1m1.5s"),
    ],
)
def test_durations_are_written_as_go_writes_them(duration_s: float, text: str) -> None:
    assert go_duration(duration_s) == text


@pytest.mark.parametrize("model", ["o3-mini", "o3-mini-2025-01-31", "o1", "gpt-4o"])
def test_models_that_take_a_stop_get_one(chat: Call, model: str) -> None:
    assert chat("hi", model=model, stop=["END"]).stop_sequences == ("END",)


@pytest.mark.parametrize("model", ["o3", "o4-mini-2025-04-16", "gpt-5"])
def test_models_that_take_no_stop_refuse_it(chat: Call, model: str) -> None:
    status, error = error_of(chat("hi", model=model, stop="END"))
    assert (status, error["param"], error["code"]) == (400, "stop", "unsupported_parameter")


@pytest.mark.parametrize(
    "more", [{"presence_penalty": 0.5}, {"frequency_penalty": 1}, {"logit_bias": {"5": 1}}]
)
def test_reasoning_models_take_no_penalties(chat: Call, more: dict[str, Any]) -> None:
    (name,) = more
    status, error = error_of(chat("hi", model="o3", **more))
    assert (status, error["param"]) == (400, name)
    chat("hi", model="gpt-4o", **more)
    chat("hi", model="o3", **{name: None})


def test_search_for_tools_is_answered_like_a_function(send: Call) -> None:
    items = [
        {"type": "message", "role": "user", "content": "hi"},
        {"type": "tool_search_call", "call_id": "c1", "execution": "client", "arguments": {}},
        {"type": "function_call_output", "call_id": "c1", "output": "[]"},
    ]
    assert send("/v1/responses", {"model": "gpt-5.5", "input": items}).model == "gpt-5.5"


def test_stored_prompt_without_a_model_is_refused_by_name(send: Call) -> None:
    with pytest.raises(NotSimulated, match="'prompt' of OpenAI's responses"):
        send("/v1/responses", {"prompt": {"id": "pmpt_1"}, "input": "hi"})


OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = {**OPEN, "additionalProperties": False}


def _nested(inner: object) -> dict[str, Any]:
    return {**CLOSED, "properties": {"a": {"type": "array", "items": inner}}}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (OPEN, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
        ({**CLOSED, "required": []}, "including every key in properties. Missing 'a'."),
        (_nested(OPEN), "In context=('properties', 'a', 'items'), 'additionalProperties'"),
    ],
)
def test_strict_schema_closes_every_object(
    chat: Call, send: Call, schema: dict[str, Any], words: str
) -> None:
    function = {"name": "f", "strict": True, "parameters": schema}
    status, error = error_of(chat("hi", tools=[{"type": "function", "function": function}]))
    assert (status, error["code"]) == (400, "invalid_function_parameters")
    assert error["message"].startswith("Invalid schema for function 'f': ")
    assert words in error["message"]
    format_ = {"type": "json_schema", "name": "x", "strict": True, "schema": schema}
    body = {"model": "gpt-5.5", "input": "hi", "text": {"format": format_}}
    assert words in error_of(send("/v1/responses", body))[1]["message"]


@pytest.mark.parametrize("schema", [CLOSED, _nested(CLOSED)])
def test_closed_schema_may_be_strict_and_an_open_one_need_not(chat: Call, schema: object) -> None:
    for strict, parameters in ((True, schema), (False, OPEN), (None, OPEN)):
        function = {"name": "f", "strict": strict, "parameters": parameters}
        assert chat("hi", tools=[{"type": "function", "function": function}]).tools == ("f",)


def test_parameter_that_does_not_exist_is_rejected(chat: Call, send: Call) -> None:
    status, error = error_of(chat("hi", temprature=1))
    assert (status, error["message"]) == (
        400,
        "Unrecognized request argument supplied: temprature",
    )
    asked = {"model": "gpt-5", "input": "hi", "max_tokens": 5}
    status, error = error_of(send("/v1/responses", asked))
    assert (status, error["code"], error["message"]) == (
        400,
        "unknown_parameter",
        "Unknown parameter: 'max_tokens'.",
    )


def test_parameters_are_those_of_the_sdk() -> None:
    from openai.types.chat import completion_create_params as chats
    from openai.types.responses import response_create_params as responses

    assert chats.CompletionCreateParamsBase.__annotations__.keys() | {"stream"} == CHAT
    assert responses.ResponseCreateParamsBase.__annotations__.keys() | {"stream"} == RESPONSE


@pytest.mark.parametrize(
    ("model", "effort", "code"),
    [
        ("o3", "minimal", "unsupported_value"),
        ("gpt-5", "none", "unsupported_value"),
        ("gpt-5-mini-2025-08-07", "xhigh", "unsupported_value"),
        ("gpt-5.1", "tiny", "invalid_value"),
        ("gpt-4o", "low", "unsupported_parameter"),
        ("o3", "high", None),
        ("gpt-5", "minimal", None),
        ("gpt-5.1-2025-11-13", "none", None),
        ("gpt-5.5", "xhigh", None),
    ],
)
def test_models_take_their_own_efforts(
    chat: Call, send: Call, model: str, effort: str, code: str | None
) -> None:
    asked = {"model": model, "input": "hi", "reasoning": {"effort": effort}}
    answers = [chat("hi", model=model, reasoning_effort=effort), send("/v1/responses", asked)]
    for answer, place in zip(answers, ("reasoning_effort", "reasoning.effort"), strict=True):
        if code is None:
            assert answer.model == model
        else:
            status, error = error_of(answer)
            assert (status, error["code"], error["param"]) == (400, code, place)


PNG = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _image(url: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("o3-mini", {"type": "image_url", "image_url": {"url": PNG}}),
        ("gpt-3.5-turbo", {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}}),
        ("gpt-4o", {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}),
    ],
)
def test_models_read_what_they_can_read(chat: Call, model: str, part: object) -> None:
    status, error = error_of(chat([{"role": "user", "content": [part]}], model=model))
    assert (status, error["param"]) == (400, "messages.[0].content.[0].type")
    assert error["message"].endswith("is only supported by certain models.")


@pytest.mark.parametrize("url", ["data:image/png;base64,***", "data:image/png;base64,aGVsbG8="])
def test_image_that_cannot_be_read_is_rejected(chat: Call, send: Call, url: str) -> None:
    status, error = error_of(chat(_image(url), model="gpt-4o"))
    assert (status, error["code"]) == (400, "invalid_image_format")
    content = [{"type": "input_image", "image_url": url}]
    asked = {"model": "gpt-4o", "input": [{"role": "user", "content": content}]}
    assert error_of(send("/v1/responses", asked))[1]["code"] == "invalid_image_format"


@pytest.mark.parametrize("url", [PNG, "https://x.example/y.png"])
def test_image_that_can_be_read_is_taken(chat: Call, url: str) -> None:
    assert chat(_image(url), model="gpt-4o").model == "gpt-4o"


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
CALLED = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
SAID = {"type": "message", "role": "assistant", "content": "yes"}


@pytest.mark.parametrize("items", [[USER, THOUGHT], [THOUGHT, USER], [CALLED, THOUGHT, OUTPUT]])
def test_thought_without_what_it_led_to_is_rejected(send: Call, items: list[object]) -> None:
    status, error = error_of(send("/v1/responses", {"model": "gpt-5", "input": items}))
    assert (status, error["param"]) == (400, "input")
    assert error["message"] == (
        "Item 'rs_1' of type 'reasoning' was provided without its required following item."
    )


@pytest.mark.parametrize(
    "items",
    [[USER, THOUGHT, SAID, USER], [USER, THOUGHT, CALLED, OUTPUT], [THOUGHT, THOUGHT, SAID]],
)
def test_thought_with_what_it_led_to_is_taken(send: Call, items: list[object]) -> None:
    assert send("/v1/responses", {"model": "gpt-5", "input": items}).model == "gpt-5"


@pytest.mark.parametrize(
    ("tool", "missing"),
    [
        ({"type": "file_search"}, "vector_store_ids"),
        ({"type": "code_interpreter"}, "container"),
        ({"type": "mcp", "server_url": "https://box.example"}, "server_label"),
        ({"type": "custom", "description": "writes SQL"}, "name"),
    ],
)
def test_a_hosted_tool_states_what_it_needs(send: Call, tool: dict[str, Any], missing: str) -> None:
    asked = {"model": "gpt-5", "input": "hi", "tools": [{"type": "web_search"}, tool]}
    status, error = error_of(send("/v1/responses", asked))
    assert (status, error["param"]) == (400, f"tools[1].{missing}")
    assert error["message"] == f"Missing required parameter: 'tools[1].{missing}'."


@pytest.mark.parametrize("said", ["a list of towns", [{"role": "user", "content": "towns"}]])
def test_free_json_is_asked_for_in_the_input_of_a_response(send: Call, said: object) -> None:
    asked = {"model": "gpt-4.1", "input": said, "text": {"format": {"type": "json_object"}}}
    status, error = error_of(send("/v1/responses", {**asked, "instructions": "Answer in JSON."}))
    assert (status, error["param"]) == (400, "input")
    assert "must contain the word 'json'" in error["message"]
    assert send("/v1/responses", {**asked, "input": "towns as JSON"}).wanted == {"type": "object"}
