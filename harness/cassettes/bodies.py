"""Bodies of a cassette: as text, binary or base64, plain or compressed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from harness.cassettes.events import Plain, resolved
from harness.json_types import JsonObject

MAX_BODY_BYTES = 64 * 2**20
"""The largest body, once it is decompressed."""

_DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that tell how a body was sent, which are left out of one that is decoded."""


_SHOWN_MAX = 40


class BadEntryError(ValueError):
    """An interaction that cannot be read."""


def is_null(value: object) -> bool:
    """Whether a value of a file means nothing."""
    return isinstance(value, Plain) and value.lower() in ("", "null", "~")


def shown(value: object) -> str:
    """A value of a file, for a message."""
    text = repr(str(value) if isinstance(value, Plain) else value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def word(value: object) -> str:
    """A value of a file as text.

    Raises:
        BadEntryError: It is a list or a mapping.
    """
    if value is None or is_null(value):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value)
    raise BadEntryError(f"{shown(value)} stands where a text should")


def body_of(section: JsonObject, where: str) -> bytes:
    """The body of a request or a response.

    Args:
        section: The request or the response, as the file has it.
        where: Which of the two.

    Raises:
        BadEntryError: It has none, or one that cannot be read.
    """
    if "parsed_body" in section:  # a serializer of pydantic-ai
        return json.dumps(resolved(section["parsed_body"]), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    if "body" not in section and "content" not in section:
        if where == "request":
            return b""
        raise BadEntryError("its response has no body")
    body = section.get("body", section.get("content"))
    if isinstance(body, dict) and isinstance(held := body.get("state", body.get("args")), list):
        body = held[0] if held else b""  # a file or an iterator, as vcrpy keeps them
    if isinstance(body, dict):
        if "base64_string" in body:
            return _unbase64(body["base64_string"], where)
        if "string" not in body:
            if not body and where == "request":
                return b""
            raise BadEntryError(f"the body of its {where} has no `string`")
        body = body["string"]
    if body is None or is_null(body):
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, list):  # chunks of an iterator, as some clients give them
        return b"".join(each if isinstance(each, bytes) else word(each).encode() for each in body)
    raise BadEntryError(f"the body of its {where} is no text")


def _unbase64(value: object, where: str) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, bytes) else word(value), validate=False)
    except (binascii.Error, ValueError):
        raise BadEntryError(f"the body of its {where} is not base64") from None


def decoded(
    body: bytes, headers: tuple[tuple[str, str], ...]
) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """A body without its compression, and the headers that fit it."""
    names = {name.lower(): value.lower().strip() for name, value in headers}
    encoding = names.get("content-encoding", "")
    if body and encoding in ("gzip", "x-gzip", "deflate") and not _is_plain(body):
        body = _inflated(body, encoding)
        encoding = ""
    elif body and encoding and not _is_plain(body):
        return body, tuple(
            pair for pair in headers if pair[0].lower() not in _DECODED - {"content-encoding"}
        )
    return body, tuple(pair for pair in headers if pair[0].lower() not in _DECODED)


def _is_plain(body: bytes) -> bool:
    """Whether a body is decoded already, although its headers say otherwise."""
    return body.lstrip()[:1] in (b"{", b"[") or body.startswith((b"data:", b"event:", b":"))


def _inflated(body: bytes, encoding: str) -> bytes:
    if encoding != "deflate" and not body.startswith(b"\x1f\x8b"):
        return body  # decoded by the client that was recorded
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        inflate = zlib.decompressobj(window)
        try:
            plain = inflate.decompress(body, MAX_BODY_BYTES)
        except zlib.error:
            continue
        if inflate.unconsumed_tail:
            raise BadEntryError(
                f"the body of its response has more than {MAX_BODY_BYTES // 2**20} MiB"
            )
        if not inflate.eof:
            raise BadEntryError(f"the body of its response is {encoding} that was cut off")
        return plain
    raise BadEntryError(f"the body of its response is not {encoding}, as its headers say")
