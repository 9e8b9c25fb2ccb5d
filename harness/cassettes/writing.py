"""Write a cassette in vcrpy's format 1, so that it is whole at any moment.

While a program is recorded, each interaction is one line at the end of the file: first as a comment, which is then made an entry
by the change of one byte. So a process that is killed leaves an unfinished comment at most. Several processes may write to one
file: each takes a lock for a line. At the end the file is put in order and written as vcrpy writes it.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.cassettes.cassette import Headers, Interaction, RecordedResponse, Timing
from harness.cassettes.errors import CassetteError
from harness.cassettes.reading import load_cassette
from harness.json_types import JsonObject

_HEAD = b"version: 1\ninteractions:\n"
_NOT_YET, _ENTRY = b"#", b"-"

_SPECIAL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters that YAML takes as escapes alone."""

_NOT_IN_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

TIMING_VERSION = 1
_DIGITS = 6


def append(path: Path, interaction: Interaction) -> None:
    """Add an interaction to the end of a file; makes the file if there is none.

    Raises:
        CassetteError: The file cannot be written.
    """
    entry = " " + _line(as_vcrpy(interaction)) + "\n"
    with _locked(path) as file:
        end = file.seek(0, os.SEEK_END)
        if end == 0:
            file.write(_HEAD)
            end = len(_HEAD)
        elif not _ends_with_a_line(file, end):
            file.write(b"\n")  # behind an unfinished comment
            end += 1
        file.write(_NOT_YET + entry.encode())
        file.flush()
        file.seek(end)
        file.write(_ENTRY)


def can_be_added_to(path: Path) -> bool:
    """Whether interactions can be added at the end of a file: there is none, or it was written here."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEAD)) in (b"", _HEAD)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise _cannot_write(path, error) from None


def rewrite(path: Path, interactions: Sequence[Interaction]) -> None:
    """Write a whole cassette as vcrpy does, in place of what is there.

    Raises:
        CassetteError: The file cannot be written.
    """
    with _locked(path):
        _replace(path, interactions)


def put_in_order(path: Path) -> int:
    """Write a cassette anew as vcrpy does, its interactions in the order in which the requests began.

    Returns:
        How many interactions it has.

    Raises:
        CassetteError: It cannot be read or written.
    """
    with _locked(path):
        interactions = load_cassette(path).interactions
        _replace(path, interactions)
    return len(interactions)


def _replace(path: Path, interactions: Sequence[Interaction]) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_text(dumped(interactions), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from None


def dumped(interactions: Sequence[Interaction]) -> str:
    """A cassette as vcrpy writes it; its version stands first, so that interactions can be added at the end."""
    from vcr.request import Request  # type: ignore[import-untyped]  # it has no types
    from vcr.serialize import serialize  # type: ignore[import-untyped]  # see above
    from vcr.serializers import yamlserializer  # type: ignore[import-untyped]  # see above

    entries = [as_vcrpy(one) for one in interactions]
    requests = []
    for entry in entries:
        asked = entry["request"]
        requests.append(Request(asked["method"], asked["uri"], asked["body"], {}))
        requests[-1].headers = asked["headers"]
    responses = [entry["response"] for entry in entries]
    text: str = serialize({"requests": requests, "responses": responses}, yamlserializer)
    body, _, version = text.rpartition("version:")
    assert version.strip() == "1", "vcrpy writes its version last"
    return f"version: 1\n{body}"


# -- a file that others may write to ------------------------------------------------------------------------------------


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file, opened and locked; the one that is there now, if another process has just replaced it."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise _cannot_write(path, error) from None
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            _lock(file)
            try:
                is_current = os.path.samestat(os.fstat(file.fileno()), path.stat())
            except FileNotFoundError:
                is_current = False
            if not is_current:
                continue
            try:
                yield file
            except OSError as error:
                raise _cannot_write(path, error) from None
            return


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: one process a file
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _ends_with_a_line(file: IO[bytes], end: int) -> bool:
    file.seek(end - 1)
    last = file.read(1)
    file.seek(end)
    return last == b"\n"


def _cannot_write(path: Path, error: OSError) -> CassetteError:
    return CassetteError(f"{path}: cannot write the cassette: {error.strerror or error}")


# -- an interaction as data ---------------------------------------------------------------------------------------------


def as_vcrpy(one: Interaction) -> JsonObject:
    """An interaction as vcrpy has it, with time, agent and call in the response, where vcrpy keeps what it does not know."""
    return {
        "request": {
            "body": _text(one.request.body),
            "headers": _headers(one.request.headers),
            "method": one.request.method,
            "uri": one.request.url,
        },
        "response": _response(one),
    }


def _response(one: Interaction) -> JsonObject:
    response: RecordedResponse = one.response
    said: JsonObject = {
        "body": {"string": _text(response.body)},
        "headers": _headers(response.headers),
        "status": {"code": response.status, "message": response.reason},
    }
    if response.timing is not None:
        said["timing"] = _timing(response.timing)
    named = {"agent": one.agent, "call": one.call, "task": one.task}
    return said | {name: value for name, value in named.items() if value}


def _timing(timing: Timing) -> JsonObject:
    return {
        "v": TIMING_VERSION,
        "start": round(timing.start_s, _DIGITS),
        "headers": round(timing.headers_s, _DIGITS),
        "chunks": [[round(at_s, _DIGITS), size] for at_s, size in timing.chunks],
        "end": round(timing.end_s, _DIGITS),
        "complete": timing.complete,
    }


def _headers(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _text(body: bytes) -> str | bytes:
    """A body as text, where YAML can have it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    return body if _NOT_IN_YAML.search(text) else text


def _line(data: Any) -> str:  # noqa: ANN401 - plain data
    """Plain data as YAML in one line; JSON but for binary texts."""
    if isinstance(data, dict):
        return "{" + ", ".join(f"{_line(key)}: {_line(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(_line, data)) + "]"
    if isinstance(data, bytes):
        return f'!!binary "{base64.b64encode(data).decode()}"'
    text = json.dumps(data, ensure_ascii=False)
    return _SPECIAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
