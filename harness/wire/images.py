"""What an image is, by its first bytes."""

from __future__ import annotations

import base64
import binascii

_JPEG, _PNG, _WEBP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"WEBP"
_GIFS = (b"GIF87a", b"GIF89a")

KINDS = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""What both APIs can read."""


def decoded(text: str) -> bytes | None:
    """The bytes of base64; None if it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def kind_of(data: bytes) -> str | None:
    """The media type of an image; None if it is none that can be read."""
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_GIFS):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == _WEBP:
        return "image/webp"
    return None
