"""How single vendors speak an API that is not their own: other paths and credentials, fields of their own, other framing."""

from harness.wire.dialects.dialect import Dialect, Translated

__all__ = ["Dialect", "Translated"]
