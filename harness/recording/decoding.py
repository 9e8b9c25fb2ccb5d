"""Decompress a body as it comes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any


class Decoder:
    """Decompresses a body as it comes; one of an unknown encoding stays as it is."""

    def __init__(self, encoding: str) -> None:
        self._decode: Callable[[bytes], bytes] | None = None
        self._flush: Callable[[], bytes] = bytes
        if encoding in ("gzip", "x-gzip"):
            self._use(zlib.decompressobj(zlib.MAX_WBITS | 16))
        elif encoding == "deflate":
            self._use(zlib.decompressobj())
        elif encoding == "br":
            self._decode = _brotli()
        elif encoding == "zstd":
            self._decode = _zstd()

    def _use(self, inflate: Any) -> None:  # noqa: ANN401 - zlib names no type
        self._decode, self._flush = inflate.decompress, inflate.flush

    @property
    def decodes(self) -> bool:
        """Whether the body is decoded."""
        return self._decode is not None

    def decode(self, data: bytes) -> bytes:
        """The next piece."""
        return data if self._decode is None else self._decode(data)

    def rest(self) -> bytes:
        """What is left at the end."""
        return self._flush()


def _brotli() -> Callable[[bytes], bytes] | None:
    """A client that accepts this encoding has the package."""
    try:
        import brotli  # type: ignore[import-not-found, unused-ignore]  # of the program's
    except ImportError:
        return None
    decompress: Callable[[bytes], bytes] = brotli.Decompressor().process
    return decompress


def _zstd() -> Callable[[bytes], bytes] | None:
    """A client that accepts this encoding has the package."""
    try:
        import zstandard  # type: ignore[import-not-found, unused-ignore]  # of the program's
    except ImportError:
        return None
    decompress: Callable[[bytes], bytes] = zstandard.ZstdDecompressor().decompressobj().decompress
    return decompress
