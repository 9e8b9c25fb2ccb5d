"""Where the images and documents of a request come from.

The words for media types and empty or mismatching images are those of published logs; those for broken base64 are a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from harness.wire.anthropic.catalogue import Facts
from harness.wire.anthropic.checks import Table, tag_at, text_at
from harness.wire.anthropic.errors import invalid
from harness.wire.anthropic.files import MARKED_BYTES, PDF, PDF_MARK, PLAIN
from harness.wire.images import KINDS, decoded, kind_of

TYPES: Final = {
    "image": ("base64", "url", "file"),
    "document": ("base64", "text", "content", "url", "file"),
}
"""The types of sources by the kind of block (types of the SDK)."""

_REQUIRED = {
    "base64": ("data", "media_type"),
    "url": ("url",),
    "file": ("file_id",),
    "text": ("data", "media_type"),
}
_OF_IMAGES = "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"


def check_source(kind: str, source: Table, place: str) -> None:
    """Check a source of an image or a document, except for the blocks that it may consist of.

    Args:
        kind: The type of the block.
        source: The source.
        place: Where it stands.
    """
    tag = tag_at(source, place, TYPES[kind])
    here = f"{place}.{tag}"
    for name in _REQUIRED.get(tag, ()):
        text_at(source, name, f"{here}.{name}")
    if tag == "base64":
        _check_base64(kind, source, here)
    elif tag == "url" and not source["url"].startswith("https://"):
        raise invalid("Only HTTPS URLs are supported.")
    elif tag == "text" and source["media_type"] != PLAIN:
        raise invalid(f"{here}.media_type: Input should be '{PLAIN}'")


def check_readable(blocks: Iterable[Table], facts: Facts) -> None:
    """Check that a model reads PDF files, if there are any."""
    if not facts.reads_pdf and any(_is_pdf(block) for block in blocks):
        raise invalid(f"'{facts.dated}' does not support PDF input.")


def _is_pdf(block: Table) -> bool:
    return block["type"] == "document" and bool(block["source"].get("media_type") == PDF)


def _check_base64(kind: str, source: Table, place: str) -> None:
    media = source["media_type"]
    if kind == "document" and media != PDF:
        raise invalid(f"{place}.media_type: Input should be '{PDF}'")
    if kind == "image" and media not in KINDS:
        raise invalid(f"{place}.media_type: Input should be {_OF_IMAGES}")
    if not source["data"]:
        raise invalid(f"{place}: {kind} cannot be empty")
    data = decoded(source["data"])
    if data is None:
        raise invalid(f"{place}.data: Invalid base64 data")
    if kind != "image":
        if PDF_MARK not in data[:MARKED_BYTES]:
            raise invalid(f"{place}.data: The PDF specified was not valid.")
        return
    found = kind_of(data)
    if found is None:
        raise invalid("Could not process image")
    if found != media:
        raise invalid(f"{place}.data: Image does not match the provided media type {media}")
