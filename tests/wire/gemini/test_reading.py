"""What a request is understood to mean."""

# ruff: noqa: ANN401 - JSON is anything
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.models import ToolCall, ToolResult
from tests.wire.gemini.test_rejections import CALL, LOOK, RESULT, TEXT, model, user

Ask = Callable[..., Any]


def test_both_spellings_of_a_name_and_single_objects_are_understood(ask: Ask) -> None:
    prompt = ask(
        {"parts": TEXT},
        system_instruction={"parts": {"text": "Be brief."}},
        generation_config={"max_output_tokens": "7", "stopSequences": ["x"]},
        tools={"function_declarations": {"name": "look"}},
    )
    assert (prompt.system, prompt.max_tokens, prompt.stop_sequences) == ("Be brief.", 7, ("x",))
    assert prompt.tools == ("look",)
    assert [said.text for said in prompt.conversation] == ["hi"]


def test_conversation_has_calls_results_and_no_thoughts(ask: Ask) -> None:
    failed = {"functionResponse": {"name": "look", "response": {"error": "too dark"}}}
    prompt = ask(
        [
            user(TEXT),
            model({"text": "Hm.", "thought": True}, CALL, CALL),
            {"role": "function", "parts": [RESULT, failed]},
        ],
        tools=[LOOK],
    )
    _, said, answered = prompt.conversation
    assert (said.role, said.text) == ("assistant", "")
    assert said.tool_calls == (ToolCall("look", {"at": 1}), ToolCall("look", {"at": 1}))
    assert answered.tool_results == (
        ToolResult("look", "a tree", is_error=False),
        ToolResult("look", "too dark", is_error=True),
    )


def test_result_belongs_to_the_call_with_its_id(ask: Ask) -> None:
    calls = [{"functionCall": {"name": "look", "id": name}} for name in "ab"]
    results = [{"functionResponse": {"name": "look", "id": name, "response": {}}} for name in "ba"]
    prompt = ask([user(TEXT), model(*calls), user(*results)], tools=[LOOK])
    assert prompt.result_ids == ("b", "a")
    plain = [{"functionResponse": {"name": "look", "response": {}}} for _ in "ab"]
    assert ask([user(TEXT), model(*calls), user(*plain)], tools=[LOOK]).result_ids == ("a", "b")


@pytest.mark.parametrize(
    ("config", "choice", "wanted", "allowed"),
    [
        ({}, "auto", "", ["look", "touch"]),
        ({"mode": "AUTO"}, "auto", "", ["look", "touch"]),
        ({"mode": "VALIDATED"}, "auto", "", ["look", "touch"]),
        ({"mode": "NONE"}, "none", "", ["look", "touch"]),
        ({"mode": "any"}, "any", "", ["look", "touch"]),
        ({"mode": "ANY", "allowedFunctionNames": ["touch"]}, "any", "touch", ["touch"]),
    ],
)
def test_mode_says_which_functions_may_and_must_be_called(
    ask: Ask, config: Any, choice: str, wanted: str, allowed: list[str]
) -> None:
    tools = [{"functionDeclarations": [{"name": "look"}, {"name": "touch"}]}]
    prompt = ask("hi", tools=tools, toolConfig={"functionCallingConfig": config})
    assert (prompt.tool_choice, prompt.wanted_tool) == (choice, wanted)
    assert [*prompt.tool_schemas] == allowed


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"type": "STRING", "format": "date"}, {"type": "string"}),
        ({"type": "INTEGER", "nullable": True}, {"type": ["integer", "null"]}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {
                "type": "ARRAY",
                "min_items": "2",
                "items": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
            },
            {
                "type": "array",
                "minItems": 2,
                "items": {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
            },
        ),
        (
            {
                "type": "OBJECT",
                "properties": {"min_items": {"type": "STRING"}},
                "required": ["min_items"],
                "propertyOrdering": ["min_items"],
            },
            {
                "type": "object",
                "properties": {"min_items": {"type": "string"}},
                "required": ["min_items"],
            },
        ),
    ],
)
def test_schema_of_a_reply_becomes_json_schema(ask: Ask, schema: Any, plain: Any) -> None:
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    assert ask("hi", generationConfig=config).wanted == plain
    named = {"name": "look", "parameters": schema}
    assert ask("hi", tools=[{"functionDeclarations": [named]}]).tool_schemas == {"look": plain}


@pytest.mark.parametrize("name", ["responseJsonSchema", "_responseJsonSchema"])
def test_json_schema_is_taken_as_it_is(ask: Ask, name: str) -> None:
    schema = {"type": "object", "additionalProperties": False}
    config = {"responseMimeType": "application/json", name: schema}
    assert ask("hi", generationConfig=config).wanted == schema
    assert ask("hi", generationConfig={"responseMimeType": "application/json"}).wanted == {}


@pytest.mark.parametrize(
    ("name", "config", "effort", "most"),
    [
        ("gemini-2.5-flash", {}, "medium", None),
        ("gemini-2.5-flash", {"thinkingBudget": 0}, "", None),
        ("gemini-2.5-flash", {"thinkingBudget": 2000}, "medium", 2000),
        ("gemini-2.5-flash-lite", {}, "", None),
        ("gemini-2.5-flash-lite", {"thinkingBudget": -1}, "medium", None),
        ("gemini-3-pro-preview", {}, "high", None),
        ("gemini-3.1-pro-preview", {"thinkingLevel": "medium"}, "medium", None),
        ("gemini-3.5-flash-lite", {}, "minimal", None),
        ("gemini-3.8-flash", {}, "medium", None),
        ("gemini-3.8-flash", {"thinkingLevel": "LOW"}, "low", None),
        ("gemini-2.0-flash", {"thinkingBudget": 0}, "", None),
    ],
)
def test_how_much_a_model_thinks(
    ask: Ask, name: str, config: Any, effort: str, most: int | None
) -> None:
    thinking = ask("hi", model=name, generationConfig={"thinkingConfig": config}).thinking
    assert (thinking.effort, thinking.most) == (effort, most) if effort else thinking is None


@pytest.mark.parametrize(
    ("name", "part", "modality", "tokens"),
    [
        ("gemini-2.5-flash", {"mimeType": "image/png", "data": "aGk="}, "IMAGE", 258),
        ("gemini-3.8-flash", {"mimeType": "image/png", "data": "aGk="}, "IMAGE", 1120),
        ("gemini-2.5-flash", {"mimeType": "application/pdf", "data": "aGk="}, "DOCUMENT", 258),
        ("gemini-2.5-flash", {"mimeType": "text/plain", "data": "aGkgdGhlcmU"}, "TEXT", 2),
        ("gemini-2.5-flash", {"mimeType": "audio/mp3", "data": "aGk="}, "AUDIO", 1),
    ],
)
def test_media_are_counted_by_modality(
    send: Ask, name: str, part: Any, modality: str, tokens: int
) -> None:
    contents = [user(TEXT, {"inlineData": part})]
    counted = json.loads(send(f"/models/{name}:countTokens", {"contents": contents}).body)
    text = 1 + (tokens if modality == "TEXT" else 0)
    details = [{"modality": "TEXT", "tokenCount": text}]
    if modality != "TEXT":
        details.append({"modality": modality, "tokenCount": tokens})
    assert counted == {"totalTokens": 1 + tokens, "promptTokensDetails": details}


def test_whole_request_may_be_counted(send: Ask) -> None:
    request = {
        "model": "models/gemini-2.5-flash",
        "contents": [user({"text": "12345678"})],
        "systemInstruction": {"parts": [{"text": "1234"}]},
    }
    path = "/models/gemini-2.5-flash:countTokens"
    counted = json.loads(send(path, {"generateContentRequest": request}).body)
    assert counted["totalTokens"] == 3
