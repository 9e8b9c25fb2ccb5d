"""What is known of models: their names, sizes, and what they take.

Names are those of genai-prices 0.2.3 and of the SDK 3.6.1; sizes and rules are of https://ai.google.dev/gemini-api/docs/models,
/thinking and /caching. What a future model has is guessed from its generation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

_TABLE = """
gemini-1.5-flash gemini-1.5-flash-8b gemini-1.5-pro gemini-2.0-flash gemini-2.0-flash-lite gemini-2.5-flash
gemini-2.5-flash-image gemini-2.5-flash-lite gemini-2.5-pro gemini-3-flash gemini-3-pro gemini-3-pro-image
gemini-3.1-flash-image gemini-3.1-flash-lite gemini-3.1-flash-lite-image gemini-3.1-flash-live gemini-3.1-flash-tts
gemini-3.1-pro gemini-3.5-flash gemini-3.5-flash-lite gemini-3.6-flash gemini-3.7-flash gemini-3.8-flash
gemini-3.8-flash-lite-tts gemini-3.8-flash-tts gemini-3.8-live gemini-4-argon gemini-embedding-001 gemini-embedding-2
gemini-flash gemini-flash-lite gemini-pro gemma-3 gemma-3n gemma-3-27b-it gemma-4-26b-a4b-it gemma-4-31b-it
gemini-2.5-flash-tts gemini-2.5-pro-tts gemini-live-2.5-flash text-embedding-004
"""

NAMES: Final = tuple(_TABLE.split())

_VARIANT = re.compile(r"(-preview|-exp|-latest)?(-\d{3}|-\d{2}-\d{2}|-\d{2}-\d{4}|-tts|-image)*$")
"""What a snapshot or a preview adds to the name of a model."""

_GENERATION = re.compile(r"(?:gemini|gemma)-(\d+(?:\.\d+)?)")
_NEWEST = 3.8
"""What `gemini-flash-latest` stands for."""

Kind = Literal["text", "embedding", "image", "speech", "live"]

DYNAMIC = -1
"""The thinking budget with which a model decides by itself."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one model."""

    name: str
    generation: float
    kind: Kind
    input_tokens: int
    output_tokens: int
    budgets: tuple[int, int] | None
    """The smallest and the largest thinking budget [tokens]; None if it takes none."""
    may_not_think: bool
    """Whether its thinking can be turned off by a budget of 0."""
    levels: tuple[str, ...]
    """The thinking levels that it takes."""
    thinks_by_default: str
    """How much it thinks if it is not told: an effort, or `none`."""
    min_cached_tokens: int
    """The shortest prefix that its cache keeps [tokens]."""
    caches_unasked: bool

    @property
    def thinks(self) -> bool:
        """Whether it can think at all."""
        return self.budgets is not None or bool(self.levels)

    @property
    def signs(self) -> bool:
        """Whether it wants the signatures of its thoughts back."""
        return self.generation >= 3 and self.thinks


@lru_cache(maxsize=256)
def facts_of(name: str) -> Facts:
    """What is known, or guessed, of a model."""
    generation = _generation(name)
    is_gemma = name.startswith("gemma")
    thinks = generation >= 2.5 and not is_gemma
    by_level = thinks and generation >= 3
    kind = _kind(name)
    is_new = generation >= 2.5
    return Facts(
        name=name,
        generation=generation,
        kind=kind,
        input_tokens=131_072 if is_gemma else 2048 if kind == "embedding" else 1_048_576,
        output_tokens=1 if kind == "embedding" else 65_536 if is_new and not is_gemma else 8192,
        budgets=_budgets(name) if thinks else None,
        may_not_think=thinks and not by_level and "pro" not in name,
        levels=_levels(name, generation) if by_level else (),
        thinks_by_default=_default(name, generation) if thinks else "none",
        min_cached_tokens=4096 if "pro" in name or generation < 2.5 else 1024,
        caches_unasked=thinks,
    )


def _generation(name: str) -> float:
    found = _GENERATION.match(name)
    if found is not None:
        return float(found[1])
    return _NEWEST if name.startswith("gemini") and name.endswith("-latest") else 0.0


def _kind(name: str) -> Kind:
    if "embedding" in name:
        return "embedding"
    for word, kind in _KINDS.items():
        if word in name.split("-"):
            return kind
    return "text"


_KINDS: dict[str, Kind] = {"image": "image", "tts": "speech", "live": "live"}


def _budgets(name: str) -> tuple[int, int]:
    if "pro" in name:
        return 128, 32_768
    return (512, 24_576) if "lite" in name else (0, 24_576)


def _levels(name: str, generation: float) -> tuple[str, ...]:
    """https://docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking."""
    if "pro" in name:
        return ("LOW", "HIGH") if generation < 3.1 else ("LOW", "MEDIUM", "HIGH")
    if generation >= 3.7 and "lite" not in name:
        return ("LOW", "MEDIUM", "HIGH")
    return ("MINIMAL", "LOW", "MEDIUM", "HIGH")


def _default(name: str, generation: float) -> str:
    if generation < 3:
        return "none" if "lite" in name else "medium"
    if "lite" in name:
        return "minimal"
    return "medium" if generation >= 3.5 and "pro" not in name else "high"


def is_known(name: str, of_the_run: tuple[str, ...]) -> bool:
    """Whether there is a model of this name."""
    return name in of_the_run or name in NAMES or _VARIANT.sub("", name) in NAMES
