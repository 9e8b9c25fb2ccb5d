"""Read a cassette: vcrpy's format 1 as YAML or JSON, of this recorder, of vcrpy under any client, and near relatives.

Every file that cannot be read gives one `CassetteError` with the file, the place and the reason. Nothing in a file is executed.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.cassettes.cassette import (
    Cassette,
    Chunk,
    Interaction,
    RecordedRequest,
    RecordedResponse,
    Timing,
)
from harness.cassettes.errors import CassetteError
from harness.cassettes.events import NotPlainDataError, Plain, read_events, resolved

MAX_BYTES = 64 * 2**20
"""The largest file that is read."""
MAX_BODY_BYTES = 64 * 2**20
"""The largest body, once it is decompressed."""

_DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that tell how a body was sent, which are left out of one that is decoded."""


def load_cassette(path: str | Path) -> Cassette:
    """Read a cassette.

    Raises:
        CassetteError: It cannot be read; says where and why.
    """
    return parse_cassette(_text_of(Path(path)), str(path))


def parse_cassette(text: str, name: str) -> Cassette:
    """Read a cassette from its text.

    Args:
        text: The text.
        name: The file, for messages.

    Raises:
        CassetteError: It is no cassette.
    """
    try:
        data = read_events(text)
    except NotPlainDataError as error:
        raise CassetteError(
            f"{name}:{error.line}: {error.what}; a cassette is plain data, and nothing in it is executed"
        ) from None
    except yaml.YAMLError as error:
        raise CassetteError(_not_yaml(error, name)) from None
    if data is None:
        raise CassetteError(f"{name}: the file is empty\n  How to fix: record it again")
    if isinstance(data, dict) and _is_null(data.get("interactions")):
        data["interactions"] = []  # a recording that was interrupted before its first
    if not isinstance(data, dict) or not isinstance(data.get("interactions"), list):
        raise CassetteError(
            f"{name}: this is no cassette: a cassette is a mapping with `interactions`, a list, and `version: 1`"
        )
    version = data.get("version")
    if str(version) != "1":
        said = "has no version" if version is None else f"has version {_shown(version)}"
        raise CassetteError(
            f"{name}: the cassette {said}; version 1 is read\n  How to fix: record it again"
        )
    if not data["interactions"]:
        return Cassette(path=name, interactions=())
    interactions = []
    for number, entry in enumerate(data["interactions"], 1):
        try:
            interactions.append(_interaction(number, entry))
        except _BadEntryError as error:
            raise CassetteError(f"{name}: interaction {number}: {error}") from None
    return Cassette(path=name, interactions=tuple(in_order(interactions)))


def in_order(interactions: Sequence[Interaction]) -> list[Interaction]:
    """Interactions in the order in which their requests began, where all have a time; else as they stand."""
    if not all(one.response.timing for one in interactions):
        return list(interactions)
    return sorted(
        interactions, key=lambda one: one.response.timing.start_s if one.response.timing else 0.0
    )


class _BadEntryError(ValueError):
    """An interaction that cannot be read."""


def _text_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CassetteError(
                f"{path}: the file has {size / 2**20:.0f} MiB, and at most {MAX_BYTES // 2**20} are read\n"
                "  How to fix: record into several files"
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CassetteError(
            f"{path}: the file is no text: byte {error.start} is not UTF-8"
        ) from None
    except OSError as error:
        raise CassetteError(
            f"{path}: cannot read the cassette: {error.strerror or error}"
        ) from None


def _not_yaml(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
    why = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{place}: the cassette is not valid YAML, or was cut off: {why}\n  How to fix: record it again"


def _shown(value: object) -> str:
    text = repr(str(value) if isinstance(value, Plain) else value)
    return text if len(text) <= 40 else f"{text[:40]}..."


# -- an interaction -------------------------------------------------------------------------------------------------


def _interaction(number: int, entry: object) -> Interaction:
    if not isinstance(entry, dict):
        raise _BadEntryError("it is no mapping with `request` and `response`")
    request, response = (_section(entry, name) for name in ("request", "response"))
    method, url = request.get("method"), request.get("uri", request.get("url"))
    if not isinstance(method, str) or not isinstance(url, str) or not url:
        raise _BadEntryError("its request lacks `method` or `uri`")
    return Interaction(
        number=number,
        request=RecordedRequest(
            method=str(method).upper(),
            url=str(url),
            headers=_headers(request.get("headers"), "request"),
            body=_body(request, "request"),
        ),
        response=_response(response),
        agent=_word(response.get("agent")),
        call=_whole(response.get("call", "0"), "`call`"),
        task=_word(response.get("task")),
    )


def _section(entry: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in entry:
        raise _BadEntryError(f"it has no `{name}`; the recording was cut off")
    section = entry[name]
    if not isinstance(section, dict):
        raise _BadEntryError(f"its `{name}` is no mapping")
    return section


def _response(response: dict[str, Any]) -> RecordedResponse:
    status = response.get(
        "status", response.get("status_code")
    )  # the second under early recorders of httpx
    code, reason = status, ""
    if isinstance(status, dict):
        code, reason = status.get("code"), _word(status.get("message"))
    if code is None:
        raise _BadEntryError("its response has no status")
    headers = _headers(response.get("headers"), "response")
    body, headers = _decoded(_body(response, "response"), headers)
    return RecordedResponse(
        status=_whole(code, "the status"),
        reason=reason,
        headers=headers,
        body=body,
        timing=_timing(response.get("timing")),
    )


def _headers(value: object, where: str) -> tuple[tuple[str, str], ...]:
    if value is None or value == "" or _is_null(value):
        return ()
    if not isinstance(value, dict):
        raise _BadEntryError(f"the headers of its {where} are no mapping")
    return tuple(
        (str(name), _word(each))
        for name, values in value.items()
        for each in (values if isinstance(values, list) else [values])
    )


def _is_null(value: object) -> bool:
    return isinstance(value, Plain) and value.lower() in ("", "null", "~")


def _word(value: object) -> str:
    if value is None or _is_null(value):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return str(value)
    raise _BadEntryError(f"{_shown(value)} stands where a text should")


def _whole(value: object, what: str) -> int:
    try:
        if isinstance(value, str):
            return int(value)
    except ValueError:
        pass
    raise _BadEntryError(f"{what} is {_shown(value)}, and no whole number")


# -- bodies ---------------------------------------------------------------------------------------------------------


def _body(section: dict[str, Any], where: str) -> bytes:
    if "parsed_body" in section:  # a serializer of pydantic-ai
        return json.dumps(resolved(section["parsed_body"]), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    if "body" not in section and "content" not in section:
        if where == "request":
            return b""
        raise _BadEntryError("its response has no body")
    body = section.get("body", section.get("content"))
    if isinstance(body, dict) and isinstance(held := body.get("state", body.get("args")), list):
        body = held[0] if held else b""  # a file or an iterator, as vcrpy keeps them
    if isinstance(body, dict):
        if "base64_string" in body:
            return _unbase64(body["base64_string"], where)
        if "string" not in body:
            if not body and where == "request":
                return b""
            raise _BadEntryError(f"the body of its {where} has no `string`")
        body = body["string"]
    if body is None or _is_null(body):
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, list):  # chunks of an iterator, as some clients give them
        return b"".join(each if isinstance(each, bytes) else _word(each).encode() for each in body)
    raise _BadEntryError(f"the body of its {where} is no text")


def _unbase64(value: object, where: str) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, bytes) else _word(value), validate=False)
    except (binascii.Error, ValueError):
        raise _BadEntryError(f"the body of its {where} is not base64") from None


def _decoded(
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
            raise _BadEntryError(
                f"the body of its response has more than {MAX_BODY_BYTES // 2**20} MiB"
            )
        if not inflate.eof:
            raise _BadEntryError(f"the body of its response is {encoding} that was cut off")
        return plain
    raise _BadEntryError(f"the body of its response is not {encoding}, as its headers say")


# -- what this recorder adds ----------------------------------------------------------------------------------------


def _timing(value: object) -> Timing | None:
    if value is None or _is_null(value):
        return None
    said = resolved(value)
    try:
        chunks = tuple(Chunk(_seconds(at_s), int(size)) for at_s, size in said.get("chunks", ()))
        timing = Timing(
            start_s=_seconds(said.get("start", 0.0)),
            headers_s=_seconds(said["headers"]),
            chunks=chunks,
            end_s=_seconds(said["end"]),
            complete=said.get("complete", True) is not False,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _BadEntryError(
            "its `timing` is wrong; it has `start`, `headers`, `chunks` as pairs of seconds and bytes, and `end`"
        ) from None
    times = [timing.headers_s, *(chunk.at_s for chunk in chunks), timing.end_s]
    if times != sorted(times) or any(chunk.size < 0 for chunk in chunks):
        raise _BadEntryError("its `timing` goes backwards")
    return timing


def _seconds(value: object) -> float:
    seconds = float(value)  # type: ignore[arg-type]  # what is no number raises
    if isinstance(value, bool) or not 0.0 <= seconds < 1e9:
        raise ValueError(value)
    return seconds
