"""What recorded responses say, whatever API they are of: texts, tool calls, tokens, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.cassettes.cassette import RecordedResponse, json_of
from harness.json_types import JsonObject

_FIRST_ERROR_STATUS = 400
_BLOCKED = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "blocked")
"""Why Gemini says nothing, or no more."""


@dataclass(slots=True)
class Said:
    """What one response says."""

    text: str = ""
    thinking: str = ""
    tool_calls: list[tuple[str, Any]] = field(default_factory=list)
    """Name and arguments of each."""
    tool_ids: list[str] = field(default_factory=list)
    """The id of each tool call."""
    model: str = ""
    stop: str = ""
    """Why it ended, in the words of its API."""
    input_tokens: int = 0
    """Tokens that were read, without those from a cache."""
    output_tokens: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether it was cut off at its size."""
        return self.stop in ("max_tokens", "length", "max_output_tokens", "MAX_TOKENS")

    @property
    def is_refusal(self) -> bool:
        """Whether the model declined to answer."""
        return self.stop in ("refusal", "content_filter", *_BLOCKED)


@dataclass(frozen=True, slots=True)
class SaidError:
    """What an error response says."""

    status: int
    kind: str
    message: str
    retry_after_s: float | None


def error_in(response: RecordedResponse) -> SaidError | None:
    """The error that a response is; None if it is none."""
    if response.status < _FIRST_ERROR_STATUS:
        return None
    body = json_of(response.body)
    error = _mapping(body).get("error", body)
    told = _mapping(error)
    code = told.get("code")
    kind = told.get("type") or (code if isinstance(code, str) else told.get("status"))
    kind = kind or code or f"http_{response.status}"
    message = told.get("message") or (error if isinstance(error, str) else "")
    return SaidError(response.status, str(kind), str(message), _retry_after_s(response))


def _retry_after_s(response: RecordedResponse) -> float | None:
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return float(response.header(name)) * unit_s
        except ValueError:  # absent, or a date
            continue
    return None


def said_in(response: RecordedResponse) -> Said | None:
    """What a response says; None if it is no reply of a model of an API that is known."""
    if response.is_stream or response.body.startswith((b"data:", b"event:")):
        return _streamed(list(events_in(response.body)))
    body = json_of(response.body)
    if isinstance(body, list) and body and all(_is_of_gemini(_mapping(one)) for one in body):
        return _of_gemini(body)
    return _whole(_mapping(body))


def events_in(body: bytes) -> Iterator[JsonObject]:
    """The JSON of each event of a stream; what is no JSON is left out."""
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("data:"):
            try:
                event = json.loads(line[5:])
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def _whole(body: JsonObject) -> Said | None:
    if body.get("type") == "message" and isinstance(body.get("content"), list):
        return _of_message(body)
    if isinstance(body.get("choices"), list):
        return _of_completion(body)
    if _is_of_gemini(body):
        return _of_gemini([body])
    if body.get("object") == "response" and isinstance(body.get("output"), list):
        return _of_response(body)
    if isinstance(body.get("data"), list) and body.get("object") == "list" and "usage" in body:
        said = Said(model=_text(body.get("model")), output_tokens=0)  # embeddings
        _count_openai(said, _mapping(body.get("usage")))
        return said
    return None


def _streamed(events: list[JsonObject]) -> Said | None:
    if any(event.get("type") == "message_start" for event in events):
        return _of_message(_message_of(events))
    for event in events:
        if event.get("type") in ("response.completed", "response.incomplete", "response.failed"):
            return _of_response(_mapping(event.get("response")))
    if any("choices" in event for event in events):
        return _of_completion(_completion_of(events))
    if any(map(_is_of_gemini, events)):
        return _of_gemini(events)
    return None


# -- Anthropic ------------------------------------------------------------------------------------------------------


def _message_of(events: list[JsonObject]) -> JsonObject:
    """The message that a stream builds up."""
    message: JsonObject = {}
    blocks: dict[Any, JsonObject] = {}
    for event in events:
        match event.get("type"):
            case "message_start":
                message = dict(_mapping(event.get("message")))
            case "content_block_start":
                blocks[event.get("index")] = {**_mapping(event.get("content_block")), "json": ""}
            case "content_block_delta":
                block = blocks.setdefault(event.get("index"), {"json": ""})
                delta = _mapping(event.get("delta"))
                for name in ("text", "thinking"):
                    block[name] = _text(block.get(name)) + _text(delta.get(name))
                block["json"] += _text(delta.get("partial_json"))
            case "message_delta":
                message |= _mapping(event.get("delta"))
                message["usage"] = {
                    **_mapping(message.get("usage")),
                    **_mapping(event.get("usage")),
                }
    for block in blocks.values():
        if block["json"]:
            block["input"] = json_of(block["json"].encode()) or {}
    message["content"] = list(blocks.values())
    return message


def _of_message(body: JsonObject) -> Said:
    said = Said(model=_text(body.get("model")), stop=_text(body.get("stop_reason")))
    for block in map(_mapping, body["content"]):
        match block.get("type"):
            case "text":
                said.text += _text(block.get("text"))
            case "thinking":
                said.thinking += _text(block.get("thinking"))
            case "tool_use":
                said.tool_calls.append((_text(block.get("name")), block.get("input") or {}))
                said.tool_ids.append(_text(block.get("id")))
    usage = _mapping(body.get("usage"))
    said.input_tokens = _count(usage.get("input_tokens"))
    said.output_tokens = _known(usage.get("output_tokens"))
    said.cache_read_tokens = _count(usage.get("cache_read_input_tokens"))
    said.cache_write_tokens = _count(usage.get("cache_creation_input_tokens"))
    return said


# -- OpenAI ---------------------------------------------------------------------------------------------------------


def _completion_of(events: list[JsonObject]) -> JsonObject:
    """The completion that a stream builds up."""
    body: JsonObject = {}
    calls: dict[Any, dict[str, str]] = {}
    text = reason = ""
    for event in events:
        body |= {name: event[name] for name in ("model", "usage") if event.get(name)}
        for choice in map(_mapping, _list(event.get("choices"))[:1]):
            delta = _mapping(choice.get("delta"))
            text += _text(delta.get("content"))
            reason = _text(choice.get("finish_reason")) or reason
            for part in map(_mapping, _list(delta.get("tool_calls"))):
                call = calls.setdefault(part.get("index"), {"name": "", "arguments": "", "id": ""})
                function = _mapping(part.get("function"))
                call["name"] += _text(function.get("name"))
                call["arguments"] += _text(function.get("arguments"))
                call["id"] = call["id"] or _text(part.get("id"))
    wishes = [{"id": call["id"], "function": call} for call in calls.values()]
    return {
        **body,
        "choices": [{"message": {"content": text, "tool_calls": wishes}, "finish_reason": reason}],
    }


def _of_completion(body: JsonObject) -> Said:
    choice = _mapping(next(iter(body["choices"]), None))
    message = _mapping(choice.get("message"))
    said = Said(
        text=_text(message.get("content"))
        or _text(message.get("refusal"))
        or _text(choice.get("text")),
        thinking=_text(message.get("reasoning_content")),
        model=_text(body.get("model")),
        stop=_text(choice.get("finish_reason")),
    )
    if message.get("refusal"):
        said.stop = "refusal"
    for wish in map(_mapping, _list(message.get("tool_calls"))):
        function = _mapping(wish.get("function"))
        said.tool_calls.append(
            (_text(function.get("name")), json_of(_text(function.get("arguments")).encode()) or {})
        )
        said.tool_ids.append(_text(wish.get("id")))
    _count_openai(said, _mapping(body.get("usage")))
    return said


def _of_response(body: JsonObject) -> Said:
    said = Said(model=_text(body.get("model")))
    said.stop = _text(_mapping(body.get("incomplete_details")).get("reason"))
    for item in map(_mapping, _list(body.get("output"))):
        if item.get("type") == "message":
            for part in map(_mapping, _list(item.get("content"))):
                said.text += _text(part.get("text")) or _text(part.get("refusal"))
        elif item.get("type") == "function_call":
            said.tool_calls.append(
                (_text(item.get("name")), json_of(_text(item.get("arguments")).encode()) or {})
            )
            said.tool_ids.append(_text(item.get("call_id")))
    _count_openai(said, _mapping(body.get("usage")))
    return said


def _count_openai(said: Said, usage: JsonObject) -> None:
    details = _mapping(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    said.cache_read_tokens = _count(details.get("cached_tokens"))
    read = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    said.input_tokens = max(0, read - said.cache_read_tokens)
    said.output_tokens = _known(
        usage.get("completion_tokens", usage.get("output_tokens", said.output_tokens))
    )


# -- Gemini ---------------------------------------------------------------------------------------------------------


def _is_of_gemini(body: JsonObject) -> bool:
    return "usageMetadata" in body and ("candidates" in body or "promptFeedback" in body)


def _of_gemini(bodies: list[JsonObject]) -> Said:
    """What the answers of a stream say, or the only one."""
    said = Said()
    usage: JsonObject = {}
    for body in bodies:
        said.model = _text(body.get("modelVersion")) or said.model
        usage = _mapping(body.get("usageMetadata")) or usage
        if "promptFeedback" in body and not body.get("candidates"):
            said.stop = "blocked"
        for candidate in map(_mapping, _list(body.get("candidates"))[:1]):
            said.stop = _text(candidate.get("finishReason")) or said.stop
            for part in map(_mapping, _list(_mapping(candidate.get("content")).get("parts"))):
                _add_part(said, part)
    cached = said.cache_read_tokens = _count(usage.get("cachedContentTokenCount"))
    read = _count(usage.get("promptTokenCount")) + _count(usage.get("toolUsePromptTokenCount"))
    said.input_tokens = max(0, read - cached)
    thought, told = usage.get("thoughtsTokenCount"), usage.get("candidatesTokenCount")
    said.output_tokens = _count(told) + _count(thought)
    return said


def _add_part(said: Said, part: JsonObject) -> None:
    text, call = _text(part.get("text")), _mapping(part.get("functionCall"))
    if part.get("thought"):
        said.thinking += text
    else:
        said.text += text
    if call:
        said.tool_calls.append((_text(call.get("name")), _mapping(call.get("args"))))
        said.tool_ids.append(_text(call.get("id")))


def _mapping(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _known(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
