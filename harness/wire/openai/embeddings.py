"""Embeddings: a vector for each text; equal texts give equal vectors."""

from __future__ import annotations

import base64
import math
import struct
from hashlib import blake2b
from typing import Any

from harness.json_types import JsonObject
from harness.provider.tokens import count_tokens
from harness.wire.openai.errors import Rejected
from harness.wire.openai.limits import check_value

_DIMENSIONS = {"text-embedding-3-large": 3072}
_USUAL_DIMENSIONS = 1536
"""Of text-embedding-3-small and -ada-002 (https://platform.openai.com/docs/guides/embeddings)."""

_INPUT_TOKENS = 8192
"""The longest text, of every model [tokens]."""

_INVALID = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."


def check_embedding(asked: JsonObject) -> None:
    """Check a request for embeddings against its model (https://platform.openai.com/docs/api-reference/embeddings/create).

    Raises:
        Rejected: The real API would not take it.
    """
    model, length = asked["model"], asked.get("dimensions")
    check_value("encoding_format", asked.get("encoding_format"), ("float", "base64"))
    if length is not None and model == "text-embedding-ada-002":
        raise Rejected("This model does not support specifying dimensions.")
    longest = _DIMENSIONS.get(model, _USUAL_DIMENSIONS)
    if length is not None and length > longest:
        raise Rejected(
            f"Invalid value for 'dimensions' = {length}. Must be less than or equal to {longest}."
        )
    for text in _inputs(asked.get("input")):
        if not text:
            raise Rejected(_INVALID)
        tokens = len(text) if isinstance(text, list) else count_tokens(text)
        if tokens > _INPUT_TOKENS:
            raise Rejected(
                f"This model's maximum context length is {_INPUT_TOKENS} tokens, however you requested {tokens} tokens "
                f"({tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
            )


def embeddings(asked: JsonObject) -> JsonObject:
    """Answer a request for embeddings.

    Raises:
        Rejected: There is nothing to embed.
    """
    inputs = _inputs(asked.get("input"))
    model = asked["model"]
    length = asked.get("dimensions") or _DIMENSIONS.get(model, _USUAL_DIMENSIONS)
    encoded = asked.get("encoding_format") == "base64"
    tokens = sum(len(text) if isinstance(text, list) else count_tokens(text) for text in inputs)
    data = []
    for index, text in enumerate(inputs):
        vector = unit_vector(f"{model}\x1f{text}", length)
        embedding = _packed(vector) if encoded else vector
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def unit_vector(text: str, length: int) -> list[float]:
    """A unit vector derived from the text alone.

    Args:
        text: The text.
        length: Number of dimensions.
    """
    numbers: list[float] = []
    for block in range(-(-length // 16)):
        digest = blake2b(f"{block}\x1f{text}".encode("utf-8", "surrogatepass")).digest()
        numbers += (number / 2**31 - 1.0 for number in struct.unpack("<16I", digest))
    norm = math.sqrt(math.fsum(number * number for number in numbers[:length]))
    return [number / norm for number in numbers[:length]]


def _inputs(asked: object) -> list[Any]:
    """Texts, or lists of token numbers."""
    inputs = asked if isinstance(asked, list) else [asked]
    if inputs and all(isinstance(part, int) for part in inputs):
        return [inputs]
    if not inputs or not all(isinstance(part, str | list) for part in inputs):
        raise Rejected(_INVALID)
    return inputs


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
