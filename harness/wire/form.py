"""Forms with files, as `multipart/form-data` (RFC 7578): what clients upload files with."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import HTTP
from typing import NamedTuple

from harness.wire.http import HttpRequest


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
    kind = _head(b"Content-Type: " + http.headers.get("content-type", "").encode("latin-1"))
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        return None
    fields = {}
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    for part in (b"\r\n" + http.body).split(delimiter)[1:]:
        if part.startswith(b"--"):
            break
        raw, _, content = part.partition(b"\r\n\r\n")
        head = _head(raw.lstrip())
        name = head.get_param("name", header="content-disposition")
        if isinstance(name, str):
            said = head.get_content_type() if "content-type" in head else ""
            fields[name] = Field(head.get_filename() or "", said, content)
    return fields


def _head(raw: bytes) -> Message:
    return BytesHeaderParser(policy=HTTP).parsebytes(raw + b"\r\n\r\n")
