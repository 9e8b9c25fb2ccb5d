"""Numbers with a unit: field types, token counts, and formatting.

A field's name ends in its unit (`timeout_s`, `cost_usd`, `input_tokens`); the aliases below add the bounds, which
are checked where a number comes in from a file (`harness.scenario`).
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from annotated_types import Ge, Gt, Le

Seconds = Annotated[float, Ge(0)]
"""A time or a duration [s], not negative."""

PositiveSeconds = Annotated[float, Gt(0)]
"""A duration [s] above zero."""

Probability = Annotated[float, Ge(0), Le(1)]
"""A share of cases, 0 to 1."""

Count = Annotated[int, Ge(1), Le(10**12)]
"""A number of things, one at least."""

Tokens = Annotated[int, Ge(0)]
"""A number of tokens."""

Usd = Annotated[float, Ge(0)]
"""An amount of money [USD]."""

MICROSECONDS_PER_SECOND = 1_000_000

SEED_MAX = 10**15
"""The largest first seed, on the command line as in a scenario file, where no number may be larger. A store keeps seeds in
64 bits, and there must be room for as many runs as anybody wants."""


class Usage(NamedTuple):
    """What one attempt read, wrote and used."""

    input_tokens: int
    """Tokens read at full price. Excludes cached ones, as the Anthropic API counts them."""

    output_tokens: int
    """Tokens generated."""

    cache_read_tokens: int = 0
    """Tokens read from a prompt cache."""

    cache_write_tokens: int = 0
    """Tokens read and written to a prompt cache."""

    cache_write_1h_tokens: int = 0
    """Of those, the tokens that are kept for an hour."""

    at_once_tokens: int = 0
    """Of those generated, the tokens that took no time of their own: further choices, and what was predicted."""

    fees_usd: float = 0.0
    """What the provider's own tools cost beside tokens [USD]."""

    tools_s: float = 0.0
    """How long the provider's own tools took, while the reply was made [s]."""

    @property
    def prompt_tokens(self) -> int:
        """All that was read, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


def whole_microseconds(duration_s: float) -> float:
    """Round a sampled duration [s] to whole microseconds, so that no two machines order events differently."""
    duration_us = duration_s * 1e6
    if -(2.0**51) < duration_us < 2.0**51:
        # Floats around 1.5 * 2**52 have no fraction, so adding it rounds, half to even as `round` does, at a tenth of the price.
        return (duration_us + 1.5 * 2.0**52 - 1.5 * 2.0**52) / 1e6
    return round(duration_us) / 1e6


def render(name: str, value: float) -> str:
    """Write a number for people, by the unit at the end of its name.

    Rules:
      - seconds: `850 ms` below one second, `1.23 s`, `2 min 5 s` from two minutes, `3 h 5 min` from two hours;
      - money: three significant figures, at least two decimals;
      - shares: percent with one decimal; `quality` is a share;
      - tokens and counts: whole from 100 up, with thousands separators; below that two decimals if they are broken.

    Args:
        name: The metric's name, such as `latency_s_p95`.
        value: Its value in that unit.

    Returns:
        The number with its unit, such as `41.2 s`.
    """
    words = name.split("_")
    if "s" in words and "per" not in words:
        return _render_seconds(value)
    if "usd" in words:
        return _render_usd(value)
    if (
        name == "pass_k"
        or words[-1] in {"rate", "share", "utilisation"}
        or words[0] in {"quality", "utilisation"}
    ):
        return f"{value:.1%}"
    if "per" in words:
        number = f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
        return f"{number} /{words[-1]}"
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}"


def _render_seconds(value: float) -> str:
    if value < 0:
        return f"-{_render_seconds(-value)}"
    if value >= 7200:
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours:,} h {minutes} min"
    if value >= 120:
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes} min {seconds} s"
    if value >= 0.9995:  # what is written with three figures as 1 s, and not as 1000 ms
        return f"{value:.3g} s"
    if value == 0:
        return "0 s"
    return f"{value * 1000:.3g} ms"


def _render_usd(value: float) -> str:
    if value == 0 or abs(value) >= 1:
        return f"${value:,.2f}"
    leading_zeros = -math.floor(math.log10(abs(value))) - 1
    return f"${value:.{leading_zeros + 3}f}"
