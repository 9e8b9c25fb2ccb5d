"""The conversation trace of Mooncake: its published table, and its bill with and without a prompt cache.

HARNESS_DATA names the folder that holds `mooncake/conversation_trace.jsonl` (kvcache-ai/Mooncake, Apache-2.0); without it this is
skipped. Source of the table: Qin et al., "Mooncake: Trading More Storage for Less Computation", FAST 2025.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.run import simulate
from harness.scenario import load_scenario

TRACE = Path(os.environ.get("HARNESS_DATA", "no-data"), "mooncake", "conversation_trace.jsonl")
SCENARIO = Path(__file__).parents[2] / "scenarios" / "prompt_cache.yaml"

pytestmark = pytest.mark.skipif(
    not TRACE.is_file(), reason="HARNESS_DATA does not hold the trace of Mooncake"
)


def bill(*overrides: str) -> tuple[list[Any], ...]:
    scenario = load_scenario(
        SCENARIO, overrides=(f"workload.arrivals.trace.file={TRACE.absolute()}", *overrides)
    )
    spans = simulate(scenario, 1).spans
    names = ("kind", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "cost_usd")  # fmt: skip
    found = [row[1:] for row in spans.rows(*names) if row[0] == "attempt"]
    return tuple(map(list, zip(*found, strict=True)))


def test_the_trace_gives_the_published_table_and_its_bill_with_and_without_a_cache() -> None:
    read, _, _, generated, plain_usd = bill("models.chat.prompt_cache=null")
    assert len(read) == 12_031
    assert round(sum(read) / len(read)) == 12_035
    assert round(sum(generated) / len(generated)) == 343
    rest, cached, written, generated_too, cached_usd = bill()
    assert sum(generated_too) == sum(generated)
    rest_sum, cached_sum, written_sum = (
        sum(max(0, each) for each in column) for column in (rest, cached, written)
    )
    assert rest_sum + cached_sum + written_sum == sum(read)
    assert round(cached_sum / sum(read), 3) == 0.373
    # Prices of the model for a million tokens: 3 read, 0.30 from the cache, 3.75 into it, 15 generated.
    assert sum(plain_usd) == pytest.approx((sum(read) * 3 + sum(generated) * 15) / 1e6)
    parts = rest_sum * 3 + cached_sum * 0.3 + written_sum * 3.75 + sum(generated) * 15
    assert sum(cached_usd) == pytest.approx(parts / 1e6)
    assert (round(sum(plain_usd)), round(sum(cached_usd))) == (496, 419)
