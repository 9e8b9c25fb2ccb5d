"""Prompt caches: which part of a prompt the provider has read before, and still knows.

A prompt is a row of sections. Everything up to a section that asks for it is kept, and found again by a later prompt
that begins with the very same sections (https://docs.claude.com/en/docs/build-with-claude/prompt-caching). It is kept
from the moment in which its answer begins: prompts that come before that read it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from harness.wire.api import Prompt


class Prefix(NamedTuple):
    """A prompt up to the end of one of its sections."""

    digest: bytes
    tokens: int
    cached_for_s: float | None
    """How long its last section asks to be kept [s]."""


def prefixes(prompt: Prompt) -> Iterator[Prefix]:
    """All of a prompt's, from the shortest."""
    hash_ = blake2b(prompt.model.encode("utf-8", "surrogatepass"), digest_size=16)
    tokens = 0
    for section in prompt.sections:
        hash_.update(b"\x1f" + section.text.encode("utf-8", "surrogatepass"))
        tokens += section.tokens
        yield Prefix(hash_.copy().digest(), tokens, section.cached_for_s)


@dataclass(slots=True)
class PromptCache:
    """A provider's prompt cache."""

    _until_s: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    """By the digest of each prefix: until when it is kept, and how long from its last use [s]."""

    def look_up(self, prompt: Prompt, now_s: float, min_tokens: int) -> tuple[int, int]:
        """Return the cached part of a prompt.

        Args:
            prompt: The prompt.
            now_s: Virtual time [s].
            min_tokens: The shortest prefix that this model's cache keeps [tokens].

        Returns:
            How many tokens come from the cache, and how many are to be written to it.
        """
        if not prompt.asks_for_cache:
            return 0, 0
        read = kept = 0
        for prefix in prefixes(prompt):
            until_s, _ = self._until_s.get(prefix.digest, (-1.0, 0.0))
            if now_s < until_s:
                read = prefix.tokens
            elif prefix.cached_for_s is not None and prefix.tokens >= min_tokens:
                kept = prefix.tokens
        return read, max(0, kept - read)

    def remember(self, prompt: Prompt, now_s: float, min_tokens: int) -> None:
        """Keep what a prompt asks to be kept, and what it has used for as long again; its answer begins now."""
        if not prompt.asks_for_cache:
            return
        for prefix in prefixes(prompt):
            until_s, kept_s = self._until_s.get(prefix.digest, (-1.0, 0.0))
            if now_s < until_s:
                self._until_s[prefix.digest] = (now_s + kept_s, kept_s)
            elif prefix.cached_for_s is not None and prefix.tokens >= min_tokens:
                self._until_s[prefix.digest] = (now_s + prefix.cached_for_s, prefix.cached_for_s)


class Repeated(NamedTuple):
    """The size of the part of a prompt that was sent before."""

    tokens: int
    """Size of the longest beginning that is read at full price again [tokens]; none where a cache is asked for."""
    same: int | None
    """Number of the latest call with the very same prompt."""
    goes_on: bool
    """Whether it begins with a whole prompt that was sent before."""


@dataclass(slots=True)
class Repetition:
    """How much of each prompt had been sent before."""

    _seen: set[bytes] = field(default_factory=set)
    _whole: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """By task of the user's and digest, the number of the latest call with a prompt."""

    def of(self, prompt: Prompt, task: int, call: int) -> Repeated:
        """What was sent before of a prompt, whole ones in the same task of the user's; and remember it.

        Args:
            prompt: The prompt.
            task: The task.
            call: Number of the call that sends it.
        """
        repeated, last, goes_on = 0, b"", False
        for prefix in prefixes(prompt):
            goes_on = goes_on or (task, last) in self._whole
            if prefix.digest in self._seen:
                repeated = prefix.tokens
            self._seen.add(prefix.digest)
            last = prefix.digest
        same = self._whole.get((task, last))
        self._whole[task, last] = call
        return Repeated(0 if prompt.asks_for_cache else repeated, same, goes_on)
