"""A reply as the body of an answer, with its fields in the order in which the API has them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.json_types import JsonObject
from harness.models import ToolCall
from harness.wire.api import Completion, Ids, Prompt
from harness.wire.gemini.asking import Asked
from harness.wire.gemini.tokens import details_of

_WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE36 = "abcdefghijklmnopqrstuvwxyz0123456789"
_SIGNATURE_LETTERS = 120
_CALL_ID_LETTERS = 8
_ID_GENERATION = 3
"""Since then the API names each function call (https://ai.google.dev/gemini-api/docs/function-calling)."""

_CATEGORIES = (
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)


def whole(prompt: Prompt, spoken: Completion, ids: Ids) -> JsonObject:
    """The whole answer."""
    usage = usage_of(prompt, spoken)
    if is_blocked(spoken):
        return {"promptFeedback": _BLOCKED, **_ending(prompt, ids, usage)}
    candidates = [
        candidate(index, parts_of(prompt, one, ids), one, prompt)
        for index, one in enumerate(spoken.each_of(prompt.choices))
    ]
    return {"candidates": candidates, **_ending(prompt, ids, usage)}


def chunk(prompt: Prompt, ids: Ids, usage: JsonObject, candidates: list[JsonObject]) -> JsonObject:
    """A part of a streamed answer; all have the same id."""
    said: JsonObject = {"candidates": candidates} if candidates else {"promptFeedback": _BLOCKED}
    return {**said, **_ending(prompt, ids, usage)}


_BLOCKED: JsonObject = {"blockReason": "PROHIBITED_CONTENT"}


def is_blocked(spoken: Completion) -> bool:
    """Whether there is no reply at all, because the prompt is found unsafe: a refusal in which nothing is said."""
    return spoken.stop == "refusal" and not spoken.reply.text and not spoken.reply.tool_calls


def candidate(
    index: int, parts: list[JsonObject], spoken: Completion | None, prompt: Prompt
) -> JsonObject:
    """One reply, or a part of it.

    Args:
        index: Which of several.
        parts: What it says.
        spoken: The reply if this ends it, else None.
        prompt: The request.
    """
    content: JsonObject = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    if spoken is None:
        return {"content": content, "index": index}
    reason, message = _finish(prompt, spoken)
    if message:
        return {"finishReason": reason, "index": index, "finishMessage": message}
    found: JsonObject = {"content": content, "finishReason": reason, "index": index}
    if reason == "SAFETY":
        found["safetyRatings"] = _ratings()
    return found


def _finish(prompt: Prompt, spoken: Completion) -> tuple[str, str]:
    """Why a reply ended, and what is said of it; where something is said, the reply itself is lost."""
    wrong = next((call for call in spoken.reply.tool_calls if not _is_object(call.arguments)), None)
    if wrong is not None:
        return "MALFORMED_FUNCTION_CALL", (
            f"Malformed function call: print(default_api.{wrong.tool}({wrong.arguments}))"
        )
    if spoken.reply.tool_calls and not prompt.details.has_functions:
        name = spoken.reply.tool_calls[0].tool
        return "UNEXPECTED_TOOL_CALL", f"Unexpected tool call: print(default_api.{name}())"
    if spoken.stop == "refusal":
        return "SAFETY", ""
    return ("MAX_TOKENS" if spoken.stop == "max_tokens" else "STOP"), ""


def _is_object(arguments: object) -> bool:
    return isinstance(arguments, dict)


def _ratings() -> list[JsonObject]:
    """How unsafe a blocked reply is; which category it is of is a guess."""
    return [
        {"category": category, "probability": "NEGLIGIBLE"} for category in _CATEGORIES[:-1]
    ] + [{"category": _CATEGORIES[-1], "probability": "HIGH", "blocked": True}]


def parts_of(prompt: Prompt, spoken: Completion, ids: Ids) -> list[JsonObject]:
    """What a reply says: thoughts where they are asked for, then text, then function calls."""
    asked: Asked = prompt.details
    parts: list[JsonObject] = []
    if asked.shows_thoughts and spoken.thoughts:
        parts.append({"text": spoken.thoughts, "thought": True})
    if spoken.reply.text:
        parts.append({"text": spoken.reply.text})
    with_ids = asked.facts.generation >= _ID_GENERATION
    calls = [*_calls(spoken.reply.tool_calls, ids, with_ids=with_ids)]
    if calls and (asked.facts.signs or spoken.thought_tokens):
        calls[0]["thoughtSignature"] = ids.next("signature", _SIGNATURE_LETTERS, _BASE64)
    elif spoken.reply.text and asked.facts.signs and spoken.thought_tokens:
        parts[-1]["thoughtSignature"] = ids.next("signature", _SIGNATURE_LETTERS, _BASE64)
    return [*parts, *calls]


def _calls(calls: tuple[ToolCall, ...], ids: Ids, *, with_ids: bool) -> Iterator[JsonObject]:
    for call in calls:
        name = ids.tool("", _CALL_ID_LETTERS, _BASE36)
        found: JsonObject = {"name": call.tool, "args": call.arguments}
        yield {"functionCall": {**found, "id": name} if with_ids else found}


def usage_of(prompt: Prompt, spoken: Completion) -> JsonObject:
    """Usage of a whole reply."""
    return usage(prompt, spoken, spoken.usage.output_tokens - spoken.thought_tokens)


def usage(prompt: Prompt, spoken: Completion, said_tokens: int) -> JsonObject:
    """Usage so far.

    Args:
        prompt: The request.
        spoken: The reply.
        said_tokens: How much of it is said [tokens].
    """
    asked: Asked = prompt.details
    read, thought = spoken.usage.prompt_tokens, spoken.thought_tokens
    numbers: JsonObject = {"promptTokenCount": read}
    if is_blocked(spoken):
        return {
            **numbers,
            "totalTokenCount": read,
            "promptTokensDetails": details_of(asked.modalities),
        }
    if said_tokens:
        numbers["candidatesTokenCount"] = said_tokens
    numbers["totalTokenCount"] = read + said_tokens + thought
    cached = spoken.usage.cache_read_tokens
    if cached:
        numbers["cachedContentTokenCount"] = cached
    numbers["promptTokensDetails"] = details_of(asked.modalities)
    if cached:
        own = {"TEXT": cached} if asked.cached is None else asked.cached.modalities
        numbers["cacheTokensDetails"] = details_of(own)
    if thought:
        numbers["thoughtsTokenCount"] = thought
    return numbers


def _ending(prompt: Prompt, ids: Ids, usage: JsonObject) -> JsonObject:
    return {
        "usageMetadata": usage,
        "modelVersion": prompt.model,
        "responseId": Ids(ids.root).next("response", 22, _WORD),
    }
