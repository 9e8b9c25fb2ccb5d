"""What the API knows of its models.

Context windows are those of genai-prices 0.2.3; sizes of replies those of the documentation up to Claude 4.5, and 128,000
from 4.6 on; dates are null where they are unknown. The shortest prefix that a prompt cache keeps:
https://docs.claude.com/en/docs/build-with-claude/prompt-caching#cache-limitations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""What the API says of a release whose date it does not know (types of SDK 2.x)."""

_LONG_CONTEXT = 1_000_000
_LONG_CONTEXT_BETA = "context-1m-2025-08-07"


class Facts(NamedTuple):
    """Facts of one model."""

    name: str
    dated: str
    """The name it answers with."""
    display_name: str
    created_at: str
    context_tokens: int
    """Its context window [tokens]."""
    max_output_tokens: int | None
    """The longest reply [tokens]; None if unknown."""
    min_cached_tokens: int
    """The shortest prefix that its prompt cache keeps [tokens]."""
    generation: float
    """Such as 4.5."""

    @property
    def line(self) -> str | None:
        """Such as `sonnet`."""
        lines = ("haiku", "sonnet", "opus", "fable", "mythos")
        return next((line for line in lines if line in self.name), None)

    @property
    def thinks_by_budget(self) -> bool:
        """Whether it takes `thinking.type: enabled`; from Opus 4.7 on models refuse it (a guess from their messages)."""
        return 3.7 <= self.generation < 4.7 or self.is_unknown

    @property
    def thinks_adaptively(self) -> bool:
        """Whether it takes `thinking.type: adaptive`: from 4.6 on."""
        return self.generation >= 4.6 or self.is_unknown

    @property
    def thinks_unasked(self) -> bool:
        """Whether it thinks when the request does not say: the fifth generation does (a guess)."""
        return self.generation >= 5

    @property
    def shows_thinking(self) -> bool:
        """Whether its thoughts are sent when the request does not say: up to 4.6."""
        return self.generation < 4.7

    @property
    def takes_prefill(self) -> bool:
        """Whether the last message may be the assistant's: up to 4.5."""
        return self.generation < 4.6

    @property
    def takes_system_turns(self) -> bool:
        """Whether `messages` may hold turns of the system: from Opus 4.8 on, but not Sonnet 5.

        https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
        """
        return (self.generation >= 4.8 and self.name != "claude-sonnet-5") or self.is_unknown

    @property
    def takes_effort(self) -> bool:
        """Whether it takes `output_config.effort`: Opus 4.5, and all models from 4.6 on.

        https://platform.claude.com/docs/en/build-with-claude/effort
        """
        return self.name == "claude-opus-4-5" or self.generation >= 4.6 or self.is_unknown

    @property
    def takes_formats(self) -> bool:
        """Whether it takes `output_config.format`: Opus 4.1, and all models from 4.5 on.

        https://platform.claude.com/docs/en/build-with-claude/structured-outputs
        """
        return self.name == "claude-opus-4-1" or self.generation >= 4.5 or self.is_unknown

    @property
    def reads_pdf(self) -> bool:
        """Whether it reads PDF files: all but Claude 3 Haiku (https://docs.claude.com/en/docs/build-with-claude/pdf-support)."""
        return self.name != "claude-3-haiku"

    @property
    def is_unknown(self) -> bool:
        """Whether the name is unknown."""
        return self.generation == 0


def _facts(
    name: str,
    date: str,
    context_tokens: int,
    max_output_tokens: int,
    min_cached_tokens: int,
    created: str = "",
) -> Facts:
    words = name.removeprefix("claude-").split("-")
    numbers = [word for word in words if word.isdigit()]
    line = " ".join(word.capitalize() for word in words if not word.isdigit())
    generation = ".".join(numbers)
    # The third generation has its number first.
    display = f"Claude {generation} {line}" if words[0].isdigit() else f"Claude {line} {generation}"
    return Facts(
        name,
        f"{name}-{date}" if date else name,
        display,
        f"{created}T00:00:00Z" if created else _UNKNOWN_DATE,
        context_tokens,
        max_output_tokens,
        min_cached_tokens,
        float(generation),
    )


_K200, _M1 = 200_000, _LONG_CONTEXT

_MODELS = (
    # Newest first, as the API lists them.
    _facts("claude-fable-5-2", "", _M1, 128_000, 512),
    _facts("claude-mythos-5-2", "", _M1, 128_000, 512),
    _facts("claude-haiku-5-5", "", _M1, 128_000, 512),
    _facts("claude-sonnet-5-5", "", _M1, 128_000, 1024),
    _facts("claude-opus-5-5", "", _M1, 128_000, 512),
    _facts("claude-fable-5-1", "", _M1, 128_000, 512),
    _facts("claude-mythos-5-1", "", _M1, 128_000, 512),
    _facts("claude-sonnet-5", "", _M1, 128_000, 1024),
    _facts("claude-fable-5", "", _M1, 128_000, 512),
    _facts("claude-mythos-5", "", _M1, 128_000, 512),
    _facts("claude-opus-5", "", _M1, 128_000, 512),
    _facts("claude-opus-4-8", "", _M1, 128_000, 1024),
    _facts("claude-opus-4-7", "", _M1, 128_000, 2048),
    _facts("claude-sonnet-4-6", "", _M1, 128_000, 1024, "2026-02-17"),
    _facts("claude-opus-4-6", "", _M1, 128_000, 4096, "2026-02-05"),
    _facts("claude-opus-4-5", "20251101", _K200, 64_000, 4096, "2025-11-24"),
    _facts("claude-haiku-4-5", "20251001", _K200, 64_000, 4096, "2025-10-15"),
    _facts("claude-sonnet-4-5", "20250929", _K200, 64_000, 1024, "2025-09-29"),
    _facts("claude-opus-4-1", "20250805", _K200, 32_000, 1024, "2025-08-05"),
    _facts("claude-opus-4", "20250514", _K200, 32_000, 1024, "2025-05-22"),
    _facts("claude-sonnet-4", "20250514", _K200, 64_000, 1024, "2025-05-22"),
    _facts("claude-3-7-sonnet", "20250219", _K200, 128_000, 1024, "2025-02-24"),
    _facts("claude-3-5-haiku", "20241022", _K200, 8192, 2048, "2024-10-22"),
    _facts("claude-3-5-sonnet", "20241022", _K200, 8192, 1024, "2024-10-22"),
    _facts("claude-3-haiku", "20240307", _K200, 4096, 2048, "2024-03-07"),
)

_BY_NAME = {facts.name: facts for facts in _MODELS}

_OTHERS = (
    "claude-mythos-preview",
    "claude-3-opus-20240229",
    "claude-3-opus-latest",
    "claude-3-sonnet-20240229",
    "claude-2.1",
    "claude-2.0",
    "claude-instant-1.2",
)
"""Models that there are or were, of which nothing more is known here."""


def exists(model: str) -> bool:
    """Whether the API has, or had, a model of a name."""
    return not facts_of(model).is_unknown or model in _OTHERS


def names_of_models() -> list[str]:
    """The names that the models answer to."""
    return list(dict.fromkeys(name for one in _MODELS for name in (one.name, one.dated)))


@lru_cache(maxsize=1024)
def facts_of(model: str) -> Facts:
    """Facts of a model by its name, with or without a date; an unknown name gets those of a typical model."""
    plain = re.sub(r"-(?:20\d{6}|latest|0)$", "", model)
    known = _BY_NAME.get(plain)
    if known is None:
        return Facts(model, model, model, _UNKNOWN_DATE, _K200, None, 1024, 0.0)
    return (
        known
        if plain == model or model.endswith(("-latest", "-0"))
        else known._replace(dated=model)
    )


def known_models(of_the_run: Iterable[str]) -> list[Facts]:
    """All models, newest first; models of the run that the API does not know come last."""
    more = [facts_of(name) for name in of_the_run]
    return [*_MODELS, *(facts for facts in more if facts.is_unknown)]


def context_of(facts: Facts, betas: str) -> int:
    """A model's context window [tokens]; a beta makes that of Sonnet 4 and 4.5 longer."""
    if _LONG_CONTEXT_BETA in betas and facts.line == "sonnet":
        return _LONG_CONTEXT
    return facts.context_tokens
