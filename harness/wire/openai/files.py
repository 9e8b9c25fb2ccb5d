"""The files of a run: uploaded by clients, and written by batches.

Fields are those of the documentation (https://platform.openai.com/docs/api-reference/files/object).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Ids, Moment
from harness.wire.form import Field, fields_of
from harness.wire.http import HttpRequest
from harness.wire.openai.encoding import BASE62
from harness.wire.openai.errors import Rejected
from harness.wire.openai.lists import page
from harness.wire.openai.validate import MISSING

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_NOTHING = Field("", "", b"")


class File(NamedTuple):
    """One file."""

    object: JsonObject
    """What the API says of it."""
    content: bytes


@dataclass(slots=True)
class Files:
    """The files of one run."""

    _by_id: dict[str, File] = field(default_factory=dict)

    def upload(self, http: HttpRequest, moment: Moment) -> JsonObject:
        """Store a file of a client.

        Raises:
            Rejected: There is none, or nothing says what it is for.
        """
        if http.too_large:
            raise Rejected("Request body too large.", code="request_too_large", status=413)
        fields = fields_of(http)
        if fields is None:
            raise Rejected("Invalid Content-Type header: expected multipart/form-data.")
        purpose = fields.get("purpose", _NOTHING).text
        if not purpose:
            raise Rejected("Missing required parameter: 'purpose'.", "purpose", MISSING)
        if purpose not in _PURPOSES:
            known = ", ".join(f"'{one}'" for one in _PURPOSES)
            raise Rejected(
                f"Invalid value: '{purpose}'. Supported values are: {known}.",
                "purpose",
                "invalid_value",
            )
        if "file" not in fields:
            raise Rejected("Missing required parameter: 'file'.", "file", MISSING)
        file = fields["file"]
        return self.add(moment.ids, file.content, file.filename or "file", purpose, moment.at_s)

    def add(self, ids: Ids, content: bytes, name: str, purpose: str, at_s: float) -> JsonObject:
        """Keep a file."""
        file_id = "file-" + ids.next("file-", 22, BASE62)
        said = {
            "id": file_id,
            "object": "file",
            "purpose": purpose,
            "filename": name,
            "bytes": len(content),
            "created_at": int(EPOCH_S + at_s),
            "expires_at": None,
            "status": "processed",
            "status_details": None,
        }
        self._by_id[file_id] = File(said, content)
        return said

    def find(self, file_id: str) -> File:
        """A file.

        Raises:
            Rejected: There is none of this id.
        """
        if file_id not in self._by_id:
            raise Rejected(f"No such File object: {file_id}", "id", status=404)
        return self._by_id[file_id]

    def all(self, query: str) -> JsonObject:
        """One page of all files, newest first."""
        return page([file.object for file in reversed(self._by_id.values())], query)

    def delete(self, file_id: str) -> JsonObject:
        """Delete a file."""
        self.find(file_id)
        del self._by_id[file_id]
        return {"id": file_id, "object": "file", "deleted": True}
