"""What was billed: the tokens of each kind, and what they cost together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

KINDS: Final = ("input", "cache_read", "cache_write", "output")
"""Kinds of tokens; input is what is read at full price."""


@dataclass(slots=True)
class Bill:
    """What some attempts that cost something read, wrote and cost."""

    attempts: float = 0
    input_tokens: float = 0
    cache_read_tokens: float = 0
    cache_write_tokens: float = 0
    output_tokens: float = 0
    usd: float = 0.0

    def add(self, other: Bill) -> None:
        """Count another bill in."""
        for name in BILLED:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def over(self, count: float, short: Callable[[float], float] = float) -> Bill:
        """The share of one of so many tasks, each number made shorter by `short`."""
        return Bill(*(short(getattr(self, name) / count) for name in BILLED))

    @property
    def tokens(self) -> tuple[float, float, float, float]:
        """By kind."""
        return (
            self.input_tokens, self.cache_read_tokens, self.cache_write_tokens, self.output_tokens,
        )  # fmt: skip


BILLED: Final = tuple(it.name for it in fields(Bill))
"""The fields of a bill, in their order."""
