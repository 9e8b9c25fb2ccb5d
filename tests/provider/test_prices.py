"""What tokens cost, against genai-prices itself."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from genai_prices import Usage as TableUsage
from genai_prices import calc_price

from harness.provider import Prices, prices_of
from harness.provider.prices import PRICES_AS_OF, TieredPrices
from harness.units import Usage

PRICED = [
    ("claude-sonnet-4-5", "anthropic"),
    ("claude-sonnet-4-6", "anthropic"),
    ("claude-haiku-4-5", "anthropic"),
    ("claude-opus-4-6", "anthropic"),
    ("claude-haiku-5-5", "anthropic"),
    ("gpt-4o-mini", "openai"),
    ("gpt-5", "openai"),
    ("gpt-5.5", "openai"),
    ("gemini-2.5-pro", "google"),
]

USAGES = [
    (0, 0), (1, 1), (1000, 0), (0, 1000), (3000, 700), (99_999, 10), (100_000, 10), (100_001, 10), (128_000, 10),
    (199_999, 500), (200_000, 500), (200_001, 500), (271_999, 5), (272_000, 5), (272_001, 5), (1_000_000, 64_000),
]  # fmt: skip


@pytest.mark.parametrize("usage", USAGES, ids=str)
@pytest.mark.parametrize(("model", "provider"), PRICED)
def test_cost_is_that_of_the_table(model: str, provider: str, usage: tuple[int, int]) -> None:
    prices = prices_of(model, provider)
    assert prices is not None
    theirs = calc_price(
        TableUsage(input_tokens=usage[0], output_tokens=usage[1]),
        model_ref=model,
        provider_id=provider,
        genai_request_timestamp=PRICES_AS_OF,
    )
    assert math.isclose(prices.cost_usd(Usage(*usage)), theirs.total_price, rel_tol=1e-12)


@pytest.mark.parametrize(("model", "provider"), PRICED[:3])
def test_cached_tokens_cost_what_the_table_says(model: str, provider: str) -> None:
    prices = prices_of(model, provider)
    assert prices is not None
    theirs = calc_price(
        TableUsage(
            input_tokens=6000, cache_read_tokens=3000, cache_write_tokens=2000, output_tokens=10
        ),
        model_ref=model,
        provider_id=provider,
        genai_request_timestamp=PRICES_AS_OF,
    )
    usage = Usage(1000, 10, cache_read_tokens=3000, cache_write_tokens=2000)
    assert math.isclose(prices.cost_usd(usage), theirs.total_price, rel_tol=1e-12)


def test_cached_tokens_cost_anthropics_multiples_where_nobody_states_a_price() -> None:
    prices = Prices(input_usd_per_mtok=10, output_usd_per_mtok=0)
    assert prices.cost_usd(Usage(0, 0, cache_read_tokens=1_000_000)) == 1.0
    assert prices.cost_usd(Usage(0, 0, cache_write_tokens=1_000_000)) == 12.5


def test_what_is_written_to_the_cache_for_an_hour_has_a_price_of_its_own() -> None:
    prices = Prices(input_usd_per_mtok=10, output_usd_per_mtok=0)
    usage = Usage(0, 0, cache_write_tokens=1_000_000, cache_write_1h_tokens=400_000)
    assert prices.cost_usd(usage) == 0.6 * 12.5 + 0.4 * 20.0
    stated = replace(prices, cache_write_usd_per_mtok=10, cache_write_1h_usd_per_mtok=30)
    assert stated.cost_usd(usage) == 0.6 * 10 + 0.4 * 30


def test_some_model_of_the_table_has_tiers() -> None:
    """Without one the comparison above would not see them."""
    assert any(isinstance(prices_of(*priced), TieredPrices) for priced in PRICED)


def test_whole_prompt_is_charged_at_the_tier_that_it_reaches() -> None:
    tiers = TieredPrices(
        above_input_tokens=(0, 100),
        tiers=(
            Prices(input_usd_per_mtok=1, output_usd_per_mtok=2),
            Prices(input_usd_per_mtok=10, output_usd_per_mtok=20),
        ),
    )
    assert tiers.cost_usd(Usage(100, 50)) == (100 * 1 + 50 * 2) / 1e6
    assert tiers.cost_usd(Usage(101, 50)) == (101 * 10 + 50 * 20) / 1e6
    assert tiers.cost_usd(Usage(0, 50)) == 50 * 2 / 1e6


def test_stated_prices_are_per_million_tokens() -> None:
    prices = Prices(input_usd_per_mtok=3, output_usd_per_mtok=15)
    assert prices.cost_usd(Usage(1_000_000, 0)) == 3.0
    assert prices.cost_usd(Usage(0, 1_000_000)) == 15.0
    assert prices.cost_usd(Usage(2000, 100)) == 0.0075


@pytest.mark.parametrize("provider", ["anthropic", "openai", "made-up"])
def test_model_that_nobody_knows_has_no_price(provider: str) -> None:
    assert prices_of("made-up-model-1", provider) is None


@pytest.mark.parametrize("provider", ["my-gateway", "openai"])
def test_model_is_found_by_its_name_alone_behind_another_provider(provider: str) -> None:
    assert prices_of("claude-sonnet-4-5", provider) == prices_of("claude-sonnet-4-5", "anthropic")


def test_price_is_that_of_the_fixed_day() -> None:
    """So that a run costs the same whenever it is repeated: the known price of a model that has not changed it."""
    found = calc_price(
        TableUsage(input_tokens=1_000_000, output_tokens=0),
        model_ref="claude-haiku-4-5",
        provider_id="anthropic",
        genai_request_timestamp=PRICES_AS_OF,
    )
    assert found.total_price == Decimal(1)
    prices = prices_of("claude-haiku-4-5", "anthropic")
    assert prices == Prices(
        input_usd_per_mtok=1.0,
        output_usd_per_mtok=5.0,
        cache_read_usd_per_mtok=0.1,
        cache_write_usd_per_mtok=1.25,
    )
