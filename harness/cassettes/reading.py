"""Read a cassette: vcrpy's format 1 as YAML or JSON, of this recorder, of vcrpy under any client, and near relatives.

Every file that cannot be read gives one `CassetteError` with the file, the place and the reason. Nothing in a file is executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from harness.cassettes.bodies import BadEntryError, body_of, decoded, is_null, shown, word
from harness.cassettes.cassette import (
    Cassette,
    Chunk,
    Interaction,
    RecordedRequest,
    RecordedResponse,
    Timing,
)
from harness.cassettes.errors import CassetteError
from harness.cassettes.events import NotPlainDataError, read_events, resolved
from harness.json_types import JsonObject

MAX_BYTES = 64 * 2**20
"""The largest file that is read."""


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
    if isinstance(data, dict) and is_null(data.get("interactions")):
        data["interactions"] = []  # a recording that was interrupted before its first
    if not isinstance(data, dict) or not isinstance(data.get("interactions"), list):
        raise CassetteError(
            f"{name}: this is no cassette: a cassette is a mapping with `interactions`, a list, and `version: 1`"
        )
    version = data.get("version")
    if version is None:
        raise CassetteError(
            f"{name}: the cassette has no version, so it was cut off, or written by hand\n"
            "  How to fix: record it again; if it is whole, add the line `version: 1`"
        )
    if str(version) != "1":
        raise CassetteError(
            f"{name}: the cassette has version {shown(version)}; version 1 is read\n  How to fix: record it again"
        )
    if not data["interactions"]:
        return Cassette(path=name, interactions=())
    interactions = []
    for number, entry in enumerate(data["interactions"], 1):
        try:
            interactions.append(_interaction(number, entry))
        except BadEntryError as error:
            raise CassetteError(f"{name}: interaction {number}: {error}") from None
    return Cassette(path=name, interactions=tuple(in_order(interactions)))


def in_order(interactions: Sequence[Interaction]) -> list[Interaction]:
    """Interactions in the order in which their requests began, where all have a time; else as they stand."""
    if not all(one.response.timing for one in interactions):
        return list(interactions)
    return sorted(
        interactions, key=lambda one: one.response.timing.start_s if one.response.timing else 0.0
    )


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


# -- an interaction -------------------------------------------------------------------------------------------------


def _interaction(number: int, entry: object) -> Interaction:
    if not isinstance(entry, dict):
        raise BadEntryError("it is no mapping with `request` and `response`")
    request, response = (_section(entry, name) for name in ("request", "response"))
    method, url = request.get("method"), request.get("uri", request.get("url"))
    if not isinstance(method, str) or not isinstance(url, str) or not url:
        raise BadEntryError("its request lacks `method` or `uri`")
    return Interaction(
        number=number,
        request=RecordedRequest(
            method=str(method).upper(),
            url=str(url),
            headers=_headers(request.get("headers"), "request"),
            body=body_of(request, "request"),
        ),
        response=_response(response),
        agent=word(response.get("agent")),
        call=_whole(response.get("call", "0"), "`call`"),
        task=word(response.get("task")),
    )


def _section(entry: JsonObject, name: str) -> JsonObject:
    if name not in entry:
        raise BadEntryError(f"it has no `{name}`; the recording was cut off")
    section = entry[name]
    if not isinstance(section, dict):
        raise BadEntryError(f"its `{name}` is no mapping")
    return section


def _response(response: JsonObject) -> RecordedResponse:
    status = response.get(
        "status", response.get("status_code")
    )  # the second under early recorders of httpx
    code, reason = status, ""
    if isinstance(status, dict):
        code, reason = status.get("code"), word(status.get("message"))
    if code is None:
        raise BadEntryError("its response has no status")
    headers = _headers(response.get("headers"), "response")
    body, headers = decoded(body_of(response, "response"), headers)
    return RecordedResponse(
        status=_whole(code, "the status"),
        reason=reason,
        headers=headers,
        body=body,
        timing=_timing(response.get("timing")),
    )


def _headers(value: object, where: str) -> tuple[tuple[str, str], ...]:
    if value is None or value == "" or is_null(value):
        return ()
    if not isinstance(value, dict):
        raise BadEntryError(f"the headers of its {where} are no mapping")
    return tuple(
        (str(name), word(each))
        for name, values in value.items()
        for each in (values if isinstance(values, list) else [values])
    )


def _whole(value: object, what: str) -> int:
    try:
        if isinstance(value, str):
            return int(value)
    except ValueError:
        pass
    raise BadEntryError(f"{what} is {shown(value)}, and no whole number")


# -- what this recorder adds ----------------------------------------------------------------------------------------


def _timing(value: object) -> Timing | None:
    if value is None or is_null(value):
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
        raise BadEntryError(
            "its `timing` is wrong; it has `start`, `headers`, `chunks` as pairs of seconds and bytes, and `end`"
        ) from None
    times = [timing.headers_s, *(chunk.at_s for chunk in chunks), timing.end_s]
    if times != sorted(times) or any(chunk.size < 0 for chunk in chunks):
        raise BadEntryError("its `timing` goes backwards")
    return timing


def _seconds(value: object) -> float:
    seconds = float(value)  # type: ignore[arg-type]  # what is no number raises
    if isinstance(value, bool) or not 0.0 <= seconds < 1e9:
        raise ValueError(value)
    return seconds
