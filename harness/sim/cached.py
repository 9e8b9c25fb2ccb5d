"""Share of prompt tokens that came from a prompt cache."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.sim.call_view import CallView
from harness.spans import OK


class CacheTokens(NamedTuple):
    """Prompt tokens of the attempts that were answered."""

    prompt: int
    """All that was read."""
    read: int
    """Of that, from a prompt cache."""
    written: int
    """Of that, written to a prompt cache."""

    @classmethod
    def of(cls, calls: Iterable[CallView]) -> CacheTokens:
        """Count the tokens of some calls."""
        attempts = [each for call in calls for each in call.attempts if each.status == OK]
        read = sum(max(0, each.cache_read_tokens) for each in attempts)
        written = sum(max(0, each.cache_write_tokens) for each in attempts)
        rest = sum(max(0, each.input_tokens) for each in attempts)
        return cls(rest + read + written, read, written)

    @property
    def share(self) -> float:
        """Share of the prompt tokens that came from a cache."""
        return self.read / self.prompt
