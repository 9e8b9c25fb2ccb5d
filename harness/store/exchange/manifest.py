"""The manifest of an export, to detect truncated, mixed or newer folders."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import StoreError
from harness.json_types import JsonObject
from harness.store.database import SCHEMA_VERSION

FormatName = Literal["parquet", "csv", "arrow"]

NAME: Final = "manifest.json"

VERSION: Final = 1
"""Counts the changes of how a folder is laid out; that of the tables has a number of its own."""

_MARK: Final = "harness_export"

_BYTES_MAX: Final = 2**20
"""More than any manifest has; what is longer is not read."""


class Part(BaseModel):
    """One table of a folder."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rows: Annotated[int, Ge(0)]
    """How many rows its file has."""
    sha256: Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]
    """Of the file."""


class Manifest(BaseModel):
    """The data of a manifest. Files are found by the names of tables, so it has no file names."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    harness_export: Annotated[int, Ge(1)]
    """The version of this layout."""
    format: FormatName
    """What its files are."""
    schema_version: Annotated[int, Ge(1)]
    """Of the store that the runs come from."""
    harness_version: str
    """Of the harness that wrote it."""
    tables: dict[str, Part]


def checksum(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, format_name: FormatName, tables: dict[str, Part]) -> None:
    """Write that of a folder; equal parts give equal bytes."""
    manifest = Manifest(
        harness_export=VERSION,
        format=format_name,
        schema_version=SCHEMA_VERSION,
        harness_version=version("multiagent-harness"),
        tables=tables,
    )
    text = json.dumps(manifest.model_dump(), indent=2) + "\n"
    folder.joinpath(NAME).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read that of a folder.

    Raises:
        StoreError: It is not there, is damaged, or was written by a newer harness.
    """
    data = _data(folder)
    for key, known in ((_MARK, VERSION), ("schema_version", SCHEMA_VERSION)):
        found = data.get(key)
        if isinstance(found, int) and found > known:
            raise StoreError(
                f"the export {folder} was written by a newer harness: it has {key} {found}, "
                f"and this harness knows {key} up to {known}\n"
                "  How to fix: update harness (pip install -U multiagent-harness)"
            )
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise damaged(folder, f"{NAME}: {place!r}: {first['msg']}") from None


def damaged(folder: Path, why: str) -> StoreError:
    """The error about a folder that is not as it was written."""
    return StoreError(
        f"the export {folder} is damaged: {why}\n"
        "  How to fix: export the runs again with `harness export`, and copy the whole folder"
    )


def _data(folder: Path) -> JsonObject:
    path = folder / NAME
    try:
        with path.open("rb") as file:
            text = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise StoreError(
            f"{folder} is not an export: {path} cannot be read: {error.strerror or error}\n"
            "  How to fix: name a folder that `harness export` has written"
        ) from error
    if len(text) > _BYTES_MAX:
        raise damaged(folder, f"{NAME} is longer than {_BYTES_MAX} bytes")
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(folder, f"{NAME} is not JSON: {str(error)[:80]}") from error
    if not isinstance(data, dict) or _MARK not in data:
        raise damaged(folder, f"{NAME} has no {_MARK!r}")
    return data
