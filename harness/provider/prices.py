"""Prices of tokens: from the scenario, or from the price table of genai-prices.

Unknown prices stay unknown: the cost of such calls is absent, never zero.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from harness.units import Usage, Usd

# The table holds prices of the past as well. A fixed day keeps a run the same on every day it is repeated; it moves
# with the version of the table that `pyproject.toml` asks for.
PRICES_AS_OF = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)

_TOKENS_PER_MTOK = 1_000_000

# Anthropic's own multipliers (https://docs.claude.com/en/docs/build-with-claude/prompt-caching, "Pricing").
_CACHE_READ_FACTOR = 0.1
_CACHE_WRITE_FACTOR = 1.25
_CACHE_WRITE_1H_FACTOR = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of a model, the same for any size of prompt."""

    input_usd_per_mtok: Usd
    """USD for a million tokens read."""
    output_usd_per_mtok: Usd
    """USD for a million tokens generated."""
    cache_read_usd_per_mtok: Usd | None = None
    """USD for a million tokens read from a prompt cache; absent means a tenth of the price of input."""
    cache_write_usd_per_mtok: Usd | None = None
    """USD for a million tokens written to a prompt cache; absent means one and a quarter of the price of input."""
    cache_write_1h_usd_per_mtok: Usd | None = None
    """USD for a million tokens written to a prompt cache for an hour; absent means twice the price of input."""

    def cost_usd(self, usage: Usage) -> float:
        """The price of one attempt [USD]."""
        # A name of a named tuple is looked up at twenty times the price of a local variable, and this runs for every attempt.
        read_tokens, written_tokens, from_cache, to_cache, hour_tokens, _, fees_usd, _ = usage
        micro_usd = (
            read_tokens * self.input_usd_per_mtok + written_tokens * self.output_usd_per_mtok
        )
        if from_cache or to_cache:
            micro_usd += (
                from_cache
                * _stated(
                    self.cache_read_usd_per_mtok, self.input_usd_per_mtok * _CACHE_READ_FACTOR
                )
                + (to_cache - hour_tokens)
                * _stated(
                    self.cache_write_usd_per_mtok, self.input_usd_per_mtok * _CACHE_WRITE_FACTOR
                )
                + hour_tokens
                * _stated(
                    self.cache_write_1h_usd_per_mtok,
                    self.input_usd_per_mtok * _CACHE_WRITE_1H_FACTOR,
                )
            )
        return micro_usd / _TOKENS_PER_MTOK + fees_usd


def _stated(price: float | None, default: float) -> float:
    return default if price is None else price


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredPrices:
    """Prices that change with the size of the prompt."""

    above_input_tokens: tuple[int, ...]
    """Where the tiers begin, ascending; the first is 0."""
    tiers: tuple[Prices, ...]
    """The prices of each."""

    def cost_usd(self, usage: Usage) -> float:
        """The price of one attempt [USD]; the whole prompt is charged at the tier that it reaches."""
        tier = bisect_right(self.above_input_tokens, max(0, usage.prompt_tokens - 1)) - 1
        return self.tiers[tier].cost_usd(usage)


AnyPrices = Prices | TieredPrices


@cache
def prices_of(model: str, provider: str) -> AnyPrices | None:
    """Look up a model in genai-prices, whose table is part of the package.

    Args:
        model: The model's name as the API knows it.
        provider: The provider's name; ignored if the table does not have it.

    Returns:
        Its prices, or None when the table does not know them.
    """
    from genai_prices import Usage as TableUsage
    from genai_prices import calc_price
    from genai_prices.types import TieredPrices as TableTiers

    for provider_id in (provider, None):
        try:
            found = calc_price(
                TableUsage(input_tokens=1, output_tokens=1),
                model_ref=model,
                provider_id=provider_id,
                genai_request_timestamp=PRICES_AS_OF,
            )
        except LookupError:
            continue
        table = found.model_price
        input_price, output_price = table.input_mtok, table.output_mtok
        if input_price is None or output_price is None:
            return None  # half a price is none
        cached = (table.cache_read_mtok, table.cache_write_mtok)
        starts = {0}
        for price in (input_price, output_price, *cached):
            if isinstance(price, TableTiers):
                starts.update(tier.start for tier in price.tiers)
        tiers = tuple(
            Prices(
                input_usd_per_mtok=_price_at(input_price, start),
                output_usd_per_mtok=_price_at(output_price, start),
                cache_read_usd_per_mtok=None if cached[0] is None else _price_at(cached[0], start),
                cache_write_usd_per_mtok=None if cached[1] is None else _price_at(cached[1], start),
            )
            for start in sorted(starts)
        )
        return (
            tiers[0]
            if len(tiers) == 1
            else TieredPrices(above_input_tokens=tuple(sorted(starts)), tiers=tiers)
        )
    return None


def _price_at(price: object, input_tokens: int) -> float:
    if isinstance(price, Decimal):
        return float(price)
    base: Decimal = price.base  # type: ignore[attr-defined]  # genai_prices.types.TieredPrices, imported where needed
    for tier in price.tiers:  # type: ignore[attr-defined]
        if input_tokens >= tier.start:
            base = tier.price
    return float(base)
