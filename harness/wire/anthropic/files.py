"""The files of a run: uploaded by clients, and written by code that the server runs.

Rules and limits are those of https://platform.claude.com/docs/en/build-with-claude/files; words that are not written there are
a guess. Requests that still name the beta get its answers, with other pages and without `expires_at`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from harness.json_types import JsonObject
from harness.wire.anthropic.checks import whole_number_at
from harness.wire.anthropic.errors import Rejection, invalid, not_found
from harness.wire.anthropic.headers import BASE58
from harness.wire.anthropic.page import cursor_page, page
from harness.wire.api import Ids, Moment
from harness.wire.dates import rfc3339
from harness.wire.form import Field, fields_of
from harness.wire.http import HttpRequest
from harness.wire.images import kind_of

PDF, PLAIN = "application/pdf", "text/plain"
PDF_MARK, MARKED_BYTES = b"%PDF-", 1024
"""How a PDF file begins; readers allow some bytes before it."""

_BETA = "files-api-2025-04-14"
_MAX_BYTES = 500 * 2**20
_MAX_NAME = 255
_MIN_LIFE_S, _MAX_LIFE_S = 3600, 7_776_000
_TOLD_S = 30 * 86_400
"""How long a file that has expired is still told of [s]."""
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_SEPARATORS = re.compile(r"[/\\]")
_HINT = (
    "files last as long as a run: the program uploads them in it, or the test states them, as in "
    'sim.provider("anthropic", files={"file_011Abc": "the text"})'
)
_ANYTHING = "application/octet-stream"
_TYPES = {
    "pdf": PDF,
    "txt": PLAIN,
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bin": _ANYTHING,
}
"""Media types by the end of a name."""


@dataclass(frozen=True, slots=True)
class File:
    """One file."""

    id: str
    name: str
    media_type: str
    content: bytes
    created_s: float
    """When it was created [s]."""
    expires_s: float | None = None
    """When it expires [s]; None if it does not."""
    is_downloadable: bool = False
    """Whether clients may download it: those that the server has written."""

    def is_there(self, at_s: float) -> bool:
        """Whether it is told of, though it may have expired."""
        return self.expires_s is None or at_s < self.expires_s + _TOLD_S

    def told(self, betas: str) -> JsonObject:
        """What the API says of it."""
        said: JsonObject = {
            "type": "file",
            "id": self.id,
            "size_bytes": len(self.content),
            "created_at": rfc3339(self.created_s),
            "filename": self.name,
            "mime_type": self.media_type,
            "downloadable": self.is_downloadable,
        }
        if _BETA not in betas:
            said["expires_at"] = None if self.expires_s is None else rfc3339(self.expires_s)
        return said


class Files:
    """The files of one run.

    Args:
        stated: Those that a client has uploaded before, by their ids: texts, or bytes.
    """

    def __init__(self, stated: Mapping[str, str | bytes]) -> None:
        self._by_id = {file_id: _stated(file_id, stated[file_id]) for file_id in stated}

    def upload(self, http: HttpRequest, betas: str, moment: Moment) -> JsonObject:
        """Keep a file of a client.

        Raises:
            Rejection: There is none, it is too large or empty, or its name or its life is not allowed.
        """
        if http.too_large:
            raise _too_large()
        fields = fields_of(http)
        if fields is None:
            raise invalid("Invalid Content-Type header: expected multipart/form-data")
        if "file" not in fields:
            raise invalid("file: Field required")
        given = fields["file"]
        if len(given.content) > _MAX_BYTES:
            raise _too_large()
        if not given.content:
            raise invalid("file: File must not be empty")
        if _BETA in betas and not given.media_type:
            raise invalid("file: Content-Type is required")
        life_s = _life_s(fields)
        file = File(
            _new_id(moment.ids),
            *_name_and_type(given),
            given.content,
            moment.at_s,
            None if life_s is None else moment.at_s + life_s,
        )
        self._by_id[file.id] = file
        return file.told(betas)

    def write(self, name: str, content: bytes, ids: Ids, at_s: float) -> str:
        """Keep a file that a tool of the server has written, and return its id."""
        file_id = _new_id(ids)
        self._by_id[file_id] = File(
            file_id, name, _type_of(name, content), content, at_s, is_downloadable=True
        )
        return file_id

    def find(self, file_id: str, at_s: float) -> File:
        """A file, which may have expired.

        Raises:
            Rejection: There is none of this id.
        """
        file = self._by_id.get(file_id)
        if file is None or not file.is_there(at_s):
            raise not_found(f"File `{file_id}` not found.", hint=_HINT)
        return file

    def open(self, file_id: str, at_s: float) -> File:
        """A file whose content is there.

        Raises:
            Rejection: There is none of this id, or it has expired.
        """
        file = self.find(file_id, at_s)
        if file.expires_s is not None and at_s >= file.expires_s:
            raise not_found(f"File `{file_id}` has expired.", {"error_code": "file_expired"})
        return file

    def download(self, file_id: str, at_s: float) -> File:
        """A file that clients may have.

        Raises:
            Rejection: There is none of this id, it has expired, or a client has uploaded it.
        """
        file = self.open(file_id, at_s)
        if not file.is_downloadable:
            raise invalid("File is not downloadable", {"error_code": "file_not_downloadable"})
        return file

    def all(self, query: str, betas: str, at_s: float) -> JsonObject:
        """One page of all files, newest first."""
        there = [file for file in reversed(self._by_id.values()) if file.is_there(at_s)]
        if "scope_id" in parse_qs(query):  # that of a session, which no file has
            there = []
        told = [file.told(betas) for file in there]
        return page(told, query) if _BETA in betas else cursor_page(told, query)

    def delete(self, file_id: str, at_s: float) -> JsonObject:
        """Delete a file."""
        self.find(file_id, at_s)
        del self._by_id[file_id]
        return {"id": file_id, "type": "file_deleted"}


def _stated(file_id: str, content: str | bytes) -> File:
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    media_type = PLAIN if isinstance(content, str) else _type_of("", data)
    return File(file_id, file_id, media_type, data, 0.0)


def _too_large() -> Rejection:
    return Rejection(413, "request_too_large", "File exceeds the maximum size of 500 MB")


def _new_id(ids: Ids) -> str:
    return "file_011C" + ids.next("file", 20, BASE58)


def _life_s(fields: dict[str, Field]) -> int | None:
    """How long a file is to live [s]; None for ever."""
    name = "expires_in_seconds"
    if name not in fields:
        return None
    text = fields[name].text.strip()
    value = int(text) if text.isdecimal() else text
    life_s = whole_number_at({name: value}, name, name, _MIN_LIFE_S)
    if life_s > _MAX_LIFE_S:
        raise invalid(f"{name}: Input should be less than or equal to {_MAX_LIFE_S}")
    return life_s


def _name_and_type(given: Field) -> tuple[str, str]:
    """Name and media type of a file: only the last part of a path is kept."""
    name = _SEPARATORS.split(given.filename)[-1]
    media_type = given.media_type or _type_of(name, given.content)
    if not name:
        ends = (f".{end}" for end, known in _TYPES.items() if known == media_type)
        name = "unnamed" + next(ends, "")
    if len(name) > _MAX_NAME:
        raise invalid(f"file: Filename must be between 1 and {_MAX_NAME} characters long")
    if _FORBIDDEN.search(name):
        raise invalid("file: Filename contains forbidden characters")
    return name, media_type


def _type_of(name: str, content: bytes) -> str:
    """The media type of a file of which none is said."""
    if PDF_MARK in content[:MARKED_BYTES]:
        return PDF
    return kind_of(content) or _TYPES.get(name.rpartition(".")[2].lower(), _ANYTHING)
