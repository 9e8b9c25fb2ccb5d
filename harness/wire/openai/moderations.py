"""OpenAI's moderations, which flag nothing.

What they are is documented in https://platform.openai.com/docs/api-reference/moderations; the scores follow from the text.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from harness.json_types import JsonObject
from harness.wire.api import Ids
from harness.wire.openai.encoding import BASE62
from harness.wire.openai.errors import Rejected

_USUAL_MODEL = "omni-moderation-latest"
_MODELS = (
    _USUAL_MODEL,
    "omni-moderation-2024-09-26",
    "text-moderation-latest",
    "text-moderation-stable",
)

_OF_IMAGES = {
    "harassment": False,
    "harassment/threatening": False,
    "sexual": True,
    "hate": False,
    "hate/threatening": False,
    "illicit": False,
    "illicit/violent": False,
    "self-harm/intent": True,
    "self-harm/instructions": True,
    "self-harm": True,
    "sexual/minors": False,
    "violence": True,
    "violence/graphic": True,
}
"""The categories, and whether images are looked at for them."""

_LOW = 1e-3
"""Above any score [probability]."""


def moderation(asked: JsonObject, ids: Ids) -> JsonObject:
    """Answer a request for moderation.

    Raises:
        Rejected: There is nothing to look at, or no such model.
    """
    model = asked.get("model") or _USUAL_MODEL
    if model not in _MODELS:
        raise Rejected(
            f"Invalid value for 'model' = {model}. Please check the OpenAI documentation and try again.",
            "model",
        )
    results = [_result(said) for said in _inputs(asked.get("input"))]
    return {"id": "modr-" + ids.next("modr-", 4, BASE62), "model": model, "results": results}


def _inputs(said: object) -> list[Any]:
    """What gets a result each: texts, or all parts of one message."""
    if isinstance(said, str):
        return [said]
    if isinstance(said, list) and said and all(isinstance(part, str) for part in said):
        return said
    if isinstance(said, list) and said and all(isinstance(part, dict) for part in said):
        for number, part in enumerate(said):
            if part.get("type") not in ("text", "image_url"):
                raise Rejected(
                    f"Invalid value: '{part.get('type')}'. Supported values are: 'text' and 'image_url'.",
                    f"input[{number}].type",
                    "invalid_value",
                )
        return [said]
    raise Rejected(
        "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
    )


def _result(said: str | list[JsonObject]) -> JsonObject:
    kinds = {"text"} if isinstance(said, str) else {part["type"] for part in said}
    applied = {
        category: [
            name
            for name, is_looked_at in (
                ("text", "text" in kinds),
                ("image", "image_url" in kinds and of_images),
            )
            if is_looked_at
        ]
        for category, of_images in _OF_IMAGES.items()
    }
    text = json.dumps(said)
    return {
        "flagged": False,
        "categories": dict.fromkeys(_OF_IMAGES, False),
        "category_scores": {category: _score(category, text) for category in _OF_IMAGES},
        "category_applied_input_types": applied,
    }


def _score(category: str, text: str) -> float:
    digest = blake2b(f"{category}\x1f{text}".encode(), digest_size=4).digest()
    return _LOW * int.from_bytes(digest) / 2**32
