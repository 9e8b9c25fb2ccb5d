"""Forms with files, as `multipart/form-data` (RFC 7578): what clients upload files with.

The parser of `email` is not asked: it fails in its own ways on headers that nobody would write, and takes contents apart that are
messages themselves.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from harness.wire.http import HttpRequest

_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


class Field(NamedTuple):
    """A field of a form."""

    filename: str
    """Empty if it has none."""
    media_type: str
    """What its content is said to be; empty if nothing is said."""
    content: bytes

    @property
    def text(self) -> str:
        """Its content as a text."""
        return self.content.decode("utf-8", "replace")


def fields_of(http: HttpRequest) -> dict[str, Field] | None:
    """The fields of a form by name, the last of several with one name; None if the request has no form."""
    kind, parameters = _taken_apart(http.headers.get("content-type", ""))
    boundary = parameters.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        return None
    fields = {}
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    for part in (b"\r\n" + http.body).split(delimiter)[1:]:
        if part.startswith(b"--"):
            break
        raw, _, content = part.partition(b"\r\n\r\n")
        head = _head(raw)
        kind, parameters = _taken_apart(head.get("content-disposition", ""))
        if kind == "form-data" and "name" in parameters:
            media_type, _ = _taken_apart(head.get("content-type", ""))
            fields[parameters["name"]] = Field(_filename(parameters), media_type, content)
    return fields


def _head(raw: bytes) -> dict[str, str]:
    """The headers of a part, by name in lower case."""
    lines = (line.partition(":") for line in raw.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _taken_apart(value: str) -> tuple[str, dict[str, str]]:
    """What a header says, in lower case, and its parameters."""
    parameters = {name.lower(): _plain(text) for name, text in _PARAMETER.findall(value)}
    return value.partition(";")[0].strip().lower(), parameters


def _plain(text: str) -> str:
    """A parameter without its quotes."""
    if not text.startswith('"'):
        return text
    return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')


def _filename(parameters: dict[str, str]) -> str:
    """The name of a file; the form of RFC 5987 goes first, where a client sends both."""
    extended = parameters.get("filename*", "").split("'", 2)
    if len(extended) == 3:  # charset, language, name
        return unquote(extended[2], errors="replace")
    return parameters.get("filename", "")
