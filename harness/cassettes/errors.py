"""Errors of cassettes."""

from __future__ import annotations

from harness.errors import HarnessError


class CassetteError(HarnessError):
    """A cassette cannot be read or written, lacks a recording, or is stale; the message names the file and what to do."""
