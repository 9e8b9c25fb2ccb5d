"""A prompt cache: blocks of prompts that a model has read before cost less.

Only a prefix is cached: the leading blocks of a prompt up to the first that is not there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.units import Count, PositiveSeconds, Usage


class Prefix(NamedTuple):
    """What is known of a prompt besides its size."""

    blocks: tuple[str, ...]
    """The ids of its blocks, from its beginning; equal ids are equal texts after equal texts."""
    block_tokens: int
    """Size of each [tokens]; the last may be smaller."""
    tokens: int
    """Size of all [tokens]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCache:
    """A prompt cache of a model, for prompts whose blocks the workload knows (`prefix_blocks` of a trace)."""

    ttl_s: PositiveSeconds | None = None
    """How long a block is kept after it was last read [s]; absent means for ever."""
    capacity_blocks: Count | None = None
    """How many blocks are kept; the one that was not read for the longest goes first. Absent means all."""
    bills_writes: bool = True
    """Whether tokens that are written to the cache have a price of their own, as at Anthropic; else they cost as others do."""


@dataclass(slots=True)
class CachedBlocks:
    """What a prompt cache holds during a run."""

    rules: PromptCache
    _read_at_s: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each block was last read, the one that was not read for the longest first."""

    def usage(self, reader: str, prefix: Prefix, usage: Usage, now_s: float) -> Usage:
        """Split what a request reads into what is cached and what is not.

        Args:
            reader: Who asks; the prompts of another begin otherwise.
            prefix: The blocks of the prompt.
            usage: What it reads and generates, as without a cache.
            now_s: The time [s].
        """
        hits = 0
        for block in prefix.blocks:
            if not self._holds((reader, block), now_s):
                break
            hits += 1
        whole = min(prefix.tokens, len(prefix.blocks) * prefix.block_tokens, usage.input_tokens)
        read = min(hits * prefix.block_tokens, whole)
        written = whole - read if self.rules.bills_writes else 0
        return usage._replace(
            input_tokens=usage.input_tokens - read - written,
            cache_read_tokens=read,
            cache_write_tokens=written,
        )

    def keep(self, reader: str, prefix: Prefix, now_s: float) -> None:
        """Keep the blocks of a prompt that has been read."""
        for block in prefix.blocks:
            self._read_at_s.pop((reader, block), None)
        # The first block goes in last: a prefix without its beginning is worth nothing.
        for block in reversed(prefix.blocks):
            self._read_at_s[reader, block] = now_s
        if self.rules.capacity_blocks is not None:
            while len(self._read_at_s) > self.rules.capacity_blocks:
                del self._read_at_s[next(iter(self._read_at_s))]

    def _holds(self, block: tuple[str, str], now_s: float) -> bool:
        ttl_s = math.inf if self.rules.ttl_s is None else self.rules.ttl_s
        return now_s - self._read_at_s.get(block, -math.inf) <= ttl_s and block in self._read_at_s
