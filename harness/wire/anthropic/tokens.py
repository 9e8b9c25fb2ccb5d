"""The size of a prompt, section by section: one count for `usage`, `count_tokens`, rate limits and prices.

Texts are counted by their length (`harness.provider.tokens`). What comes on top was measured on recorded calls: 6 to 7
tokens of frame around each message, about 350 for having tools at all, and the tools' JSON.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring

from harness.json_types import JsonObject
from harness.provider.tokens import count_call_tokens, count_tokens
from harness.wire.anthropic.turns import blocks_of
from harness.wire.anthropic.validate import kept_for_s
from harness.wire.api import PromptSection

_ONE_HOUR_S = 3600.0
_MESSAGE_FRAME = 7
_HAVING_TOOLS = 350
_HAVING_THOUGHTS = 29
"""What `thinking.type: enabled` brings: the same prompt was 17 tokens without it and 46 with it."""
_HAVING_A_FORMAT = 162
"""What a wanted schema brought beside its JSON, in the one recording there is."""
CALL_FRAME = 33
"""What a tool call has beside its name and input: `fixed_version` with `{}` was recorded with 37 tokens, three calls of
Sonnet 4.6 with 170."""
_IMAGE = 1334
"""An image of 1000 x 1000 pixels (https://docs.claude.com/en/docs/build-with-claude/vision#calculate-image-costs);
the content of images is not read."""
_DOCUMENT = 2250
"""A PDF of one page: the middle of the documented 1,500 to 3,000."""


def sections_of(body: JsonObject) -> tuple[PromptSection, ...]:
    """All that a model reads of a request, in the order of its prompt cache: tools, system prompt, messages."""
    sections = [*_tools(body), *_system(body), *_thinking(body)]
    for number, message in enumerate(body["messages"]):
        sections += _message(message, f"messages.{number}")
    everything_s = kept_for_s(body, "cache_control")
    if everything_s is not None and sections:
        sections[-1] = sections[-1]._replace(cached_for_s=everything_s)
    return tuple(sections)


def written_for_an_hour(sections: tuple[PromptSection, ...], read: int, written: int) -> int:
    """How much of what is written to the prompt cache is kept for an hour: all up to the last breakpoint for an hour [tokens]."""
    tokens = hour_tokens = 0
    for section in sections:
        tokens += section.tokens
        if section.cached_for_s == _ONE_HOUR_S:
            hour_tokens = tokens
    return min(written, max(0, hour_tokens - read))


def _tools(body: JsonObject) -> list[PromptSection]:
    sections = []
    for number, tool in enumerate(body.get("tools") or ()):
        text = _canonical({name: tool[name] for name in tool if name != "cache_control"})
        tokens = count_tokens(text) + (_HAVING_TOOLS if number == 0 else 0)
        sections.append(PromptSection(text, tokens, kept_for_s(tool, f"tools.{number}")))
    wanted = wanted_format(body)
    if wanted is not None:
        text = _canonical(wanted)
        sections.append(PromptSection(text, _HAVING_A_FORMAT + count_tokens(text)))
    return sections


def wanted_format(body: JsonObject) -> JsonObject | None:
    """The JSON Schema that the reply must keep; `output_format` is its name in an older beta."""
    config = body.get("output_config") or {}
    wanted = config.get("format") or body.get("output_format")
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return None
    schema = wanted.get("schema")
    return schema if isinstance(schema, dict) else None


def _system(body: JsonObject) -> list[PromptSection]:
    return [
        PromptSection(
            _canonical(["system", block["text"]]),
            count_tokens(block["text"]),
            kept_for_s(block, f"system.{number}"),
        )
        for number, block in enumerate(blocks_of(body.get("system") or []))
    ]


def _thinking(body: JsonObject) -> list[PromptSection]:
    # It changes the prefix of messages and of no system prompt
    # (https://docs.claude.com/en/docs/build-with-claude/prompt-caching#what-invalidates-the-cache).
    enabled = (body.get("thinking") or {}).get("type") == "enabled"
    return [PromptSection("thinking", _HAVING_THOUGHTS)] if enabled else []


def _message(message: JsonObject, place: str) -> list[PromptSection]:
    content = message["content"]
    if (
        isinstance(content, str) and content
    ):  # as below, ten times as fast: conversations are long and sent again
        text = f'[{encode_basestring(message["role"])},{{"text":{encode_basestring(content)},"type":"text"}}]'
        return [PromptSection(text, count_tokens(content) + _MESSAGE_FRAME)]
    sections = []
    for number, block in enumerate(blocks_of(message["content"])):
        kept_s = kept_for_s(block, f"{place}.content.{number}")
        said = {name: block[name] for name in block if name not in _UNREAD}
        text = _canonical([message["role"], said])
        tokens = block_tokens(block) + (_MESSAGE_FRAME if number == 0 else 0)
        sections.append(PromptSection(text, tokens, kept_s))
    return sections


_UNREAD = frozenset({"cache_control", "citations", "signature", "caller"})
"""Fields of a block that the model does not read, and that change no prefix."""


def block_tokens(block: JsonObject) -> int:
    """The size of one block [tokens]."""
    match block["type"]:
        case "text":
            return count_tokens(block["text"])
        case "thinking":
            return count_tokens(block["thinking"])
        case "redacted_thinking":
            return count_tokens(block["data"])
        case "tool_use":
            return count_call_tokens(block["name"], _canonical(block["input"]), CALL_FRAME)
        case "image":
            return _IMAGE
        case "document":
            return _document_tokens(block["source"])
        case "tool_result":
            parts = blocks_of(block.get("content") or [])
            return count_tokens(block["tool_use_id"]) + sum(block_tokens(part) for part in parts)
    return count_tokens(_canonical(block))


def _document_tokens(source: object) -> int:
    if isinstance(source, dict) and source.get("type") == "text":
        return count_tokens(str(source.get("data", "")))
    if isinstance(source, dict) and source.get("type") == "content":
        return sum(block_tokens(part) for part in blocks_of(source.get("content") or []))
    return _DOCUMENT


def _canonical(value: object) -> str:
    """A value as JSON that does not depend on the order in which a client names its fields."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
