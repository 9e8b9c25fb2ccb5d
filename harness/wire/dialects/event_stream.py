"""Amazon's event stream: frames of headers and a payload, with two checksums.

    total length (4) | length of headers (4) | CRC of these (4) | headers | payload | CRC of all before (4)

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html has the encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import crc32

_STRING = 7
"""The type of a header whose value is text."""
_AROUND = 16
"""The size of a frame without headers and payload [bytes]."""


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message.

    Args:
        headers: Such as `:event-type`.
        payload: Its content.
    """
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", _AROUND + len(packed) + len(payload), len(packed))
    prelude += struct.pack(">I", crc32(prelude))
    message = prelude + packed + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode("ascii"), value.encode("utf-8")
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text
