"""The size of a prompt, by section and by modality."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence

from harness.json_types import JsonObject
from harness.provider.tokens import count_call_tokens, count_tokens
from harness.wire.api import PromptSection
from harness.wire.gemini.catalogue import Facts
from harness.wire.gemini.contents import Turn, text_of, text_of_response

CALL_FRAME = 6
"""What a function call has beside its name and arguments [tokens]; a guess."""

_IMAGE_TOKENS, _NEW_IMAGE_TOKENS = 258, 1120
"""Of an image, and of one at the default resolution since generation 3
(https://ai.google.dev/gemini-api/docs/media-resolution); a page of a document has as many."""

_BYTES_PER_TOKEN = {"AUDIO": 500, "VIDEO": 4000}
"""32 tokens for a second of sound, 300 for one of video (https://ai.google.dev/gemini-api/docs/tokens), of which a file has 16 kB
and 1.2 MB; a guess."""

_UNKNOWN_SIZE_TOKENS = 1000
"""Of a file that is named by its address; a guess."""

Modalities = dict[str, int]
"""Tokens by modality."""


def sections_of(
    system: JsonObject | None,
    tools: Sequence[JsonObject],
    turns: Iterable[Turn],
    facts: Facts,
    cached_for_s: float | None = None,
) -> tuple[tuple[PromptSection, ...], Modalities]:
    """All that the model reads, in order: tools and system prompt, then each turn.

    Args:
        system: The system instruction.
        tools: The tools.
        turns: The conversation.
        facts: The model.
        cached_for_s: How long it may keep what it has read [s].
    """
    sections: list[PromptSection] = []
    modalities: Modalities = {}

    def add(text: str, sizes: Modalities) -> None:
        tokens = sum(sizes.values())
        sections.append(PromptSection(text, tokens, cached_for_s))
        for modality, size in sizes.items():
            modalities[modality] = modalities.get(modality, 0) + size

    if tools:
        text = _json(tools)
        add(text, {"TEXT": count_tokens(text)})
    if system is not None:
        add(f"system\n{_json(system)}", {"TEXT": count_tokens(text_of(system))})
    for turn in turns:
        sizes: Modalities = {}
        for part in turn.parts:
            modality, size = _size(part, facts)
            sizes[modality] = sizes.get(modality, 0) + size
        add(f"{turn.role}\n{_json(turn.parts)}", sizes)
    return tuple(sections), modalities


def details_of(modalities: Modalities) -> list[JsonObject]:
    """Tokens by modality, as usage has them."""
    return [
        {"modality": modality, "tokenCount": tokens}
        for modality, tokens in modalities.items()
        if tokens
    ]


def _size(part: JsonObject, facts: Facts) -> tuple[str, int]:
    if "inlineData" in part:
        return _media(part["inlineData"], facts)
    if "fileData" in part:
        return modality_of(part["fileData"].get("mimeType", "")), _UNKNOWN_SIZE_TOKENS
    if "functionCall" in part:
        call = part["functionCall"]
        given = _json(call.get("args") or {})
        return "TEXT", count_call_tokens(call.get("name", ""), given, CALL_FRAME)
    if "functionResponse" in part:
        response = part["functionResponse"]
        name = response.get("name", "")
        return "TEXT", count_call_tokens(name, text_of_response(response), CALL_FRAME)
    if "text" in part:
        return "TEXT", 0 if part.get("thought") else count_tokens(part["text"])
    return "TEXT", count_tokens(_json(part))


def _media(blob: JsonObject, facts: Facts) -> tuple[str, int]:
    modality, data = modality_of(blob.get("mimeType", "")), blob.get("data", "")
    octets = len(data) * 3 // 4
    if modality == "TEXT":
        plain = base64.b64decode(data.replace("-", "+").replace("_", "/") + "==")
        return modality, count_tokens(plain.decode("utf-8", "replace"))
    if modality in _BYTES_PER_TOKEN:
        return modality, max(1, octets // _BYTES_PER_TOKEN[modality])
    return modality, _NEW_IMAGE_TOKENS if facts.generation >= 3 else _IMAGE_TOKENS


def modality_of(mime_type: str) -> str:
    """The modality of a type of media, as usage names it."""
    kind = mime_type.partition("/")[0]
    if kind in ("image", "audio", "video", "text"):
        return kind.upper()
    return "DOCUMENT" if mime_type == "application/pdf" else "TEXT"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
