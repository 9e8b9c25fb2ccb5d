"""What the API does not accept, and in which words."""

# ruff: noqa: ANN401 - JSON is anything
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import NotSimulated
from harness.wire.api import Prompt
from harness.wire.http import HttpResponse

Refusal = Callable[..., tuple[int, str, str]]


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


TEXT = {"text": "hi"}
CALL = {"functionCall": {"name": "look", "args": {"at": 1}}}
SIGNED = {**CALL, "thoughtSignature": "c2lnbmVk"}
RESULT = {"functionResponse": {"name": "look", "response": {"result": "a tree"}}}
LOOK = {"functionDeclarations": [{"name": "look", "parameters": {"type": "OBJECT"}}]}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"contens": []}, 'Unknown name "contens": Cannot find field.'),
        (
            {"generationConfig": {"temprature": 1}},
            "Unknown name \"temprature\" at 'generation_config': Cannot find field.",
        ),
        (
            {"generationConfig": {"temperature": "hot"}},
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
        ),
        ({"generationConfig": {"temperature": 2.5}}, "temperature must be in the range [0.0, 2.0]"),
        ({"generationConfig": {"topP": -1}}, "generation_config.top_p: top_p must be in the range"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "max_output_tokens must be positive"),
        ({"generationConfig": {"maxOutputTokens": 70_000}}, "range is from 1 (inclusive) to 65537"),
        (
            {"generationConfig": {"candidateCount": 9}},
            "candidate_count must be in the range [1, 8]",
        ),
        ({"generationConfig": {"stopSequences": list("abcdef")}}, "at most 5"),
        ({"generationConfig": {"responseMimeType": "image/png"}}, "allowed mimetypes are"),
        (
            {"generationConfig": {"responseSchema": {"type": "STRING"}}},
            "only allowed when mime type is application/json",
        ),
        ({"systemInstruction": "be brief"}, "Invalid value at 'system_instruction'"),
        ({"tools": [{"functionDeclarations": [{"name": "1st"}]}]}, "Invalid function name."),
        (
            {"tools": [LOOK, LOOK]},
            "Duplicate function declaration found: look",
        ),
        (
            {"tools": [LOOK], "generationConfig": {"responseMimeType": "application/json"}},
            "Function calling with a response mime type: 'application/json' is unsupported",
        ),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
            "without function_declarations",
        ),
        (
            {
                "tools": [LOOK],
                "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["look"]}},
            },
            "only be set when function calling mode is ANY",
        ),
    ],
)
def test_setting_that_is_wrong_is_rejected_in_the_apis_words(
    refusal: Refusal, more: dict[str, Any], message: str
) -> None:
    status, code, said = refusal("hi", **more)
    assert (status, code) == (400, "INVALID_ARGUMENT")
    assert message in said


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([], "contents is not specified"),
        ([{"role": "assistant", "parts": [TEXT]}], "Please use a valid role: user, model."),
        ([user()], "contents.parts must not be empty"),
        ([user({"thought": True})], "required oneof field 'data' must have one initialized field"),
        ([user({**TEXT, **RESULT})], "Cannot set 'functionResponse'"),
        ([user({"inlineData": {"mimeType": "image/png", "data": "?!"}})], "Base64 decoding failed"),
        ([model(CALL), user(RESULT)], "function call turn comes immediately after a user turn"),
        ([user(RESULT)], "function response turn comes immediately after a function call turn"),
        (
            [user(TEXT), model(CALL, CALL), user(RESULT)],
            "number of function response parts is equal",
        ),
        ([user(TEXT), model(CALL), user(TEXT)], "number of function response parts is equal"),
    ],
)
def test_contents_that_are_wrong_are_rejected_in_the_apis_words(
    refusal: Refusal, contents: list[Any], message: str
) -> None:
    assert message in refusal(contents)[2]


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("gemini-2.5-flash", {"thinkingLevel": "low"}, "Thinking level is not supported"),
        ("gemini-3-pro-preview", {"thinkingLevel": "MINIMAL"}, "Thinking level MINIMAL is not"),
        ("gemini-3.8-flash", {"thinkingLevel": "low", "thinkingBudget": 1}, "only set only one of"),
        ("gemini-2.5-pro", {"thinkingBudget": 0}, "Budget 0 is invalid"),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 100}, "between 512 and 24576"),
        ("gemini-2.5-flash", {"thinkingBudget": 30_000}, "between 0 and 24576"),
        ("gemini-2.0-flash", {"includeThoughts": True}, "Thinking is not supported"),
    ],
)
def test_thinking_that_a_model_cannot_do_is_rejected(
    refusal: Refusal, name: str, config: dict[str, Any], message: str
) -> None:
    assert message in refusal("hi", model=name, generationConfig={"thinkingConfig": config})[2]


def test_newer_model_wants_the_signature_of_a_call_back(
    refusal: Refusal, ask: Callable[..., Any]
) -> None:
    asked = [user(TEXT), model(CALL), user(RESULT)]
    message = refusal(asked, model="gemini-3.8-flash", tools=[LOOK])[2]
    assert "missing a thought_signature" in message
    assert "`default_api:look` , position 2" in message
    signed = [user(TEXT), model(SIGNED, CALL), user(RESULT, RESULT)]
    assert isinstance(ask(signed, model="gemini-3.8-flash", tools=[LOOK]), Prompt)
    earlier = [*asked, model(TEXT), user(TEXT)]
    assert isinstance(ask(earlier, model="gemini-3.8-flash", tools=[LOOK]), Prompt)
    assert isinstance(ask(asked, model="gemini-2.5-flash", tools=[LOOK]), Prompt)


def test_unknown_model_is_a_404_with_the_nearest_name_beside_the_test(
    ask: Callable[..., Any], refusal: Refusal
) -> None:
    status, code, message = refusal("hi", model="gemini-2.5-flahs")
    assert (status, code) == (404, "NOT_FOUND")
    assert message.startswith("models/gemini-2.5-flahs is not found for API version v1beta, or is")
    assert "did you mean 'gemini-2.5-flash'" in ask("hi", model="gemini-2.5-flahs").hint
    for known in ("my-model", "gemini-3-pro-preview", "gemini-2.0-flash-001", "gemini-pro-latest"):
        assert isinstance(ask("hi", model=known), Prompt)


@pytest.mark.parametrize(
    ("headers", "query", "status", "code", "message"),
    [
        ({}, "", 403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers"),
        ({"x-goog-api-key": ""}, "", 400, "INVALID_ARGUMENT", "API key not valid."),
        ({}, "key=", 400, "INVALID_ARGUMENT", "API key not valid."),
    ],
)
def test_request_without_a_key_is_rejected(
    send: Callable[..., Any], headers: Any, query: str, status: int, code: str, message: str
) -> None:
    answer = send("/models", method="GET", headers=headers, query=query)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["status"]) == (status, code)
    assert error["message"].startswith(message)


@pytest.mark.parametrize(("headers", "query"), [({"authorization": "Bearer t"}, ""), ({}, "key=k")])
def test_key_in_the_query_and_a_token_are_as_good(
    send: Callable[..., Any], headers: dict[str, str], query: str
) -> None:
    assert send("/models", method="GET", headers=headers, query=query).status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"{", "Invalid JSON payload received."), (b"[1]", "Root element must be a message")],
)
def test_body_that_is_no_message_is_rejected(
    send: Callable[..., Any], body: bytes, message: str
) -> None:
    answer = send("/models/gemini-2.5-flash:generateContent", body)
    assert isinstance(answer, HttpResponse)
    assert isinstance(answer.body, bytes)
    assert message in json.loads(answer.body)["error"]["message"]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"tools": [{"googleSearch": {}}]}, "tool 'googleSearch'"),
        ({"tools": [{"code_execution": {}}]}, "tool 'codeExecution'"),
        ({"model": "gemini-2.5-flash-image"}, "whose reply is an image"),
        ({"model": "gemini-2.5-flash-preview-tts"}, "whose reply is speech"),
        ({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, "modality TEXT, IMAGE"),
        ({"generationConfig": {"responseLogprobs": True}}, "'responseLogprobs'"),
        ({"generationConfig": {"responseMimeType": "text/x.enum"}}, "'text/x.enum'"),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(
    ask: Callable[..., Any], more: dict[str, Any], what: str
) -> None:
    with pytest.raises(NotSimulated, match=what):
        ask("hi", **more)
