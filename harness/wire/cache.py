"""Prompt caches: which part of a prompt the provider has read before, and still knows.

A prompt is a row of sections. Everything up to a section that asks for it is kept, and found again by a later prompt
that begins with the very same sections (https://docs.claude.com/en/docs/build-with-claude/prompt-caching).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from harness.wire.api import Prompt


@dataclass(slots=True)
class PromptCache:
    """What a provider remembers of prompts.

    Args:
        min_tokens: The shortest prefix that is kept, by model [tokens].
    """

    _until_s: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    """By the digest of each prefix: until when it is kept, and how long from its last use [s]."""

    def look_up(self, prompt: Prompt, now_s: float, min_tokens: int) -> tuple[int, int]:
        """Read a prompt, with the help of the cache, and remember it as far as it asks for that.

        Args:
            prompt: The prompt.
            now_s: Virtual time [s].
            min_tokens: The shortest prefix that this model's cache keeps [tokens].

        Returns:
            How many tokens came from the cache, and how many were written to it.
        """
        hash_ = blake2b(prompt.model.encode(), digest_size=16)
        asked = [n for n, section in enumerate(prompt.sections) if section.cached_for_s is not None]
        if not asked:
            return 0, 0
        tokens = read = kept = 0
        for section in prompt.sections[: asked[-1] + 1]:
            hash_.update(b"\x1f" + section.text.encode("utf-8", "surrogatepass"))
            tokens += section.tokens
            prefix = hash_.copy().digest()
            until_s, kept_s = self._until_s.get(prefix, (-1.0, 0.0))
            if now_s < until_s:
                read = tokens
                self._until_s[prefix] = (now_s + kept_s, kept_s)
            elif section.cached_for_s is not None and tokens >= min_tokens:
                kept = tokens
                self._until_s[prefix] = (now_s + section.cached_for_s, section.cached_for_s)
        return read, max(0, kept - read)
