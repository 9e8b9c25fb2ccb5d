"""Embeddings: a vector for each content; equal texts give equal vectors (https://ai.google.dev/gemini-api/docs/embeddings)."""

from __future__ import annotations

import math
import struct
from hashlib import blake2b

from harness.json_types import JsonObject
from harness.wire.gemini.contents import check_part, text_of
from harness.wire.gemini.errors import Rejection

_DIMENSIONS = {"text-embedding-004": 768}
_USUAL_DIMENSIONS = 3072
_REQUESTS_MAX = 100


def embed(asked: JsonObject, model: str) -> JsonObject:
    """Answer a request for one embedding.

    Raises:
        Rejection: There is nothing to embed, or no such vector.
    """
    return {"embedding": _embedding(asked, model, "* EmbedContentRequest")}


def embed_all(asked: JsonObject, model: str) -> JsonObject:
    """Answer a request for several embeddings.

    Raises:
        Rejection: There is nothing to embed, or no such vector.
    """
    requests = asked.get("requests") or []
    if not requests:
        raise Rejection("* BatchEmbedContentsRequest.requests: requests is not specified\n")
    if len(requests) > _REQUESTS_MAX:
        raise Rejection(
            f"* BatchEmbedContentsRequest.requests: at most {_REQUESTS_MAX} requests can be in one batch\n"
        )
    place = "* BatchEmbedContentsRequest.requests[{}]"
    found = [_embedding(one, model, place.format(n)) for n, one in enumerate(requests)]
    return {"embeddings": found}


def _embedding(asked: JsonObject, model: str, place: str) -> JsonObject:
    named = asked.get("model", f"models/{model}").removeprefix("models/")
    if named != model:
        raise Rejection(f"{place}.model: model is different from the one of the request\n")
    content = asked.get("content") or {}
    parts = content.get("parts") or []
    for n, part in enumerate(parts):
        check_part(part, f"{place}.content.parts[{n}]")
    text = text_of(content)
    if not text and not any("inlineData" in part for part in parts):
        raise Rejection(f"{place}.content: contents is not specified\n")
    most = _DIMENSIONS.get(model, _USUAL_DIMENSIONS)
    length = asked.get("outputDimensionality", most)
    if not 1 <= length <= most:
        raise Rejection(f"outputDimensionality must be between 1 and {most}.")
    said = "\x1f".join((model, asked.get("taskType", ""), asked.get("title", ""), repr(parts)))
    return {"values": _unit_vector(said, length)}


def _unit_vector(text: str, length: int) -> list[float]:
    numbers: list[float] = []
    for block in range(-(-length // 16)):
        digest = blake2b(f"{block}\x1f{text}".encode("utf-8", "surrogatepass")).digest()
        numbers += (number / 2**31 - 1.0 for number in struct.unpack("<16I", digest))
    norm = math.sqrt(math.fsum(number * number for number in numbers[:length]))
    return [number / norm for number in numbers[:length]]
