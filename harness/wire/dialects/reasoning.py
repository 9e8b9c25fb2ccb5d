"""Vendors whose chats show the thoughts of a model: DeepSeek, Fireworks, OpenRouter.

In a stream the thoughts come before the text, and take the part of the time that their tokens take.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.dialects.chats import changed, error_of_vendor
from harness.wire.dialects.dialect import Answered, Dialect, encoded, event_of
from harness.wire.http import HttpResponse, Part

_PIECE_CHARS = 16
"""How much of a thought comes in one chunk [characters]; about four tokens."""


def with_thoughts(it: Answered, field: str) -> Answered:
    """The answer with the thoughts in a field of its message or of deltas of their own.

    Args:
        it: The answer.
        field: What the vendor calls them.
    """
    thoughts = it.spoken.thoughts
    if not thoughts or isinstance(it.response.body, bytes):
        return it._replace(response=changed(it, lambda body, _, n: _think(body, field, thoughts)))
    opening, *rest = it.response.body
    chunk = event_of(opening)
    if chunk is None or chunk.get("object") != "chat.completion.chunk":
        return it
    tokens = it.spoken.thought_tokens
    part_of_all = tokens / max(1, tokens, it.spoken.usage.output_tokens)
    starts = range(0, len(thoughts), _PIECE_CHARS)
    pieces = [
        Part(
            b"data: " + encoded(_delta(chunk, {field: thoughts[at : at + _PIECE_CHARS]})) + b"\n\n",
            part_of_all * at / len(thoughts),
        )
        for at in starts
    ]
    body = [opening._replace(share=0.0), *pieces, *rest]  # the rest comes after the thoughts
    return it._replace(response=HttpResponse(it.response.status, it.response.headers, body))


def _think(body: JsonObject, field: str, thoughts: str) -> None:
    if not thoughts:
        return
    for choice in body["choices"]:
        if "message" in choice:
            choice["message"][field] = thoughts


def _delta(chunk: JsonObject, delta: JsonObject) -> JsonObject:
    """A chunk like another with another delta for its choice."""
    choices = [
        {**choice, "delta": delta, "finish_reason": None} for choice in chunk.get("choices", ())
    ]
    body = {**chunk, "choices": choices}
    body.pop("obfuscation", None)
    return body


def _deepseek(body: JsonObject, it: Answered, number: int) -> None:
    """https://api-docs.deepseek.com/api/create-chat-completion: what the cache gave is counted beside the prompt."""
    del number
    body.pop("service_tier", None)
    usage = body.get("usage")
    if usage:
        usage["prompt_cache_hit_tokens"] = it.spoken.usage.cache_read_tokens
        usage["prompt_cache_miss_tokens"] = (
            usage["prompt_tokens"] - usage["prompt_cache_hit_tokens"]
        )
    for choice in body["choices"]:
        message = choice.get("message", {})
        message.pop("refusal", None)
        message.pop("annotations", None)


def _openrouter(body: JsonObject, it: Answered, number: int) -> None:
    """https://openrouter.ai/docs/api-reference/overview: the upstream's own reason to end is told too."""
    del it, number
    body.pop("service_tier", None)
    body["provider"] = "Simulated"
    for choice in body["choices"]:
        choice["native_finish_reason"] = choice["finish_reason"]


def _nothing(body: JsonObject, it: Answered, number: int) -> None:
    del it, number
    body.pop("service_tier", None)


DEEPSEEK = Dialect(
    answer=lambda it: changed(with_thoughts(it, "reasoning_content"), _deepseek),
    error=error_of_vendor,
)
FIREWORKS = Dialect(
    answer=lambda it: changed(with_thoughts(it, "reasoning_content"), _nothing),
    error=error_of_vendor,
)
OPENROUTER = Dialect(
    answer=lambda it: changed(with_thoughts(it, "reasoning"), _openrouter), error=error_of_vendor
)
