"""Files that a request names by their ids, in place of their content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.json_types import JsonObject
from harness.wire.anthropic.errors import invalid
from harness.wire.anthropic.files import MARKED_BYTES, PDF, PDF_MARK, PLAIN, File
from harness.wire.images import KINDS, kind_of

Open = Callable[[str], File]
"""Opens a file by its id, or raises a `Rejection`."""


def with_files(messages: list[JsonObject], open_file: Open) -> list[JsonObject]:
    """The messages with what their files are: plain text stands in its block, of others the media type.

    Args:
        messages: The messages, which have been checked and stay as they are.
        open_file: Opens a file.

    Raises:
        Rejection: There is no such file, or it does not fit its block.
    """
    if not any(_names_file(message["content"]) for message in messages):
        return messages
    return [
        {**message, "content": _blocks(message["content"], open_file, f"messages.{number}")}
        for number, message in enumerate(messages)
    ]


def _names_file(content: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(content, list):
        return False
    for block in content:
        kind = block["type"]
        if kind == "container_upload":
            return True
        if kind == "tool_result" and _names_file(block.get("content")):
            return True
        if kind in ("image", "document"):
            source = block["source"]
            if source["type"] == "file" or _names_file(source.get("content")):
                return True
    return False


def _blocks(content: Any, open_file: Open, place: str) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(content, list):
        return content
    return [
        _block(block, open_file, f"{place}.content.{number}")
        for number, block in enumerate(content)
    ]


def _block(block: JsonObject, open_file: Open, place: str) -> JsonObject:
    kind = block["type"]
    if kind == "container_upload":
        open_file(block["file_id"])
    if kind == "tool_result":
        return {**block, "content": _blocks(block.get("content"), open_file, f"{place}.{kind}")}
    if kind in ("image", "document"):
        return {**block, "source": _source(kind, block["source"], open_file, f"{place}.{kind}")}
    return block


def _source(kind: str, source: JsonObject, open_file: Open, place: str) -> JsonObject:
    if source["type"] == "content":
        return {**source, "content": _blocks(source.get("content"), open_file, f"{place}.source")}
    if source["type"] != "file":
        return source
    file, here = open_file(source["file_id"]), f"{place}.source.file"
    if kind == "image":
        _check_image(file, here)
    elif file.media_type == PLAIN:
        text = file.content.decode("utf-8", "replace")
        return {**source, "type": "text", "media_type": PLAIN, "data": text}
    else:
        _check_pdf(file, here)
    return {**source, "media_type": file.media_type}


def _check_image(file: File, place: str) -> None:
    if file.media_type not in KINDS:
        raise invalid(f"{place}: Supported image formats are JPEG, PNG, GIF, and WebP")
    found = kind_of(file.content)
    if found is None:
        raise invalid("Could not process image")
    if found != file.media_type:
        raise invalid(f"{place}: Image does not match the provided media type {file.media_type}")


def _check_pdf(file: File, place: str) -> None:
    if file.media_type != PDF:
        raise invalid(f"{place}: Only PDF and plaintext documents are supported")
    if PDF_MARK not in file.content[:MARKED_BYTES]:
        raise invalid(f"{place}: The PDF specified was not valid.")
