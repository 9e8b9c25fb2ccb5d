"""The blocks of a trace drive the prompt cache of a model, and so its bill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.run import simulate
from harness.scenario.load import load_spec


def bill(
    folder: Path,
    lines: list[dict[str, Any]],
    cache: dict[str, Any] | None,
    **agent: Any,  # noqa: ANN401 - as the scenario says
) -> list[tuple[int, int, int, float]]:
    """Tokens at full price, read from the cache, written to it, and the cost, of each attempt."""
    (folder / "trace.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    model = {
        "provider": "anthropic",
        "name": "m",
        "latency": {"ttft_s": 0.5},
        "prices": {"input_usd_per_mtok": 10, "output_usd_per_mtok": 50},
    }
    if cache is not None:
        model["prompt_cache"] = cache
    spec = {
        "scenario": "cached",
        "workload": {
            "arrivals": {
                "trace": {
                    "file": "trace.jsonl",
                    "time": "at",
                    "input_tokens": "in",
                    "output_tokens": "out",
                    "prefix_blocks": "ids",
                    "block_tokens": 100,
                }
            }
        },
        "providers": {"anthropic": {}},
        "models": {"m": model},
        "agents": {"chat": {"model": "m", **agent}},
        "pattern": {"single": {"agent": "chat"}},
    }
    spans = simulate(load_spec(spec, folder=folder), 1).spans
    columns = ("kind", "input_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")
    return [tuple(rest) for kind, *rest in spans.rows(*columns) if kind == "attempt"]


def asks(at: float, ids: list[int], tokens: int | None = None) -> dict[str, Any]:
    return {"at": at, "in": len(ids) * 100 if tokens is None else tokens, "out": 10, "ids": ids}


THREE = [asks(0, [1, 2]), asks(10, [1, 2, 3], 250), asks(20, [9, 2])]


def test_without_a_cache_all_is_read_at_full_price(tmp_path: Path) -> None:
    assert [row[:3] for row in bill(tmp_path, THREE, None)] == [
        (200, -1, -1),
        (250, -1, -1),
        (200, -1, -1),
    ]


def test_a_shared_prefix_is_read_from_the_cache_and_the_rest_is_written(tmp_path: Path) -> None:
    found = bill(tmp_path, THREE, {})
    assert [row[:3] for row in found] == [(0, 0, 200), (0, 200, 50), (0, 0, 200)]
    output = 10 * 50
    assert [row[3] for row in found] == pytest.approx(
        [
            (200 * 12.5 + output) / 1e6,
            (200 * 1.0 + 50 * 12.5 + output) / 1e6,
            (200 * 12.5 + output) / 1e6,
        ]
    )


def test_a_provider_that_does_not_bill_writes_charges_them_as_input(tmp_path: Path) -> None:
    found = bill(tmp_path, THREE, {"bills_writes": False})
    assert [row[:3] for row in found] == [(200, -1, -1), (50, 200, 0), (200, -1, -1)]


def test_a_block_is_gone_after_its_time_and_each_read_begins_it_anew(tmp_path: Path) -> None:
    lines = [asks(at, [1]) for at in (0, 50, 100, 200)]
    assert [row[1] for row in bill(tmp_path, lines, {"ttl_s": 60})] == [0, 100, 100, 0]


def test_a_full_cache_loses_what_was_not_read_for_the_longest(tmp_path: Path) -> None:
    lines = [
        asks(0, [1]),
        asks(10, [2]),
        asks(20, [1]),
        asks(30, [3]),
        asks(40, [1]),
        asks(50, [2]),
    ]
    found = bill(tmp_path, lines, {"capacity_blocks": 2})
    assert [row[1] for row in found] == [0, 0, 100, 0, 100, 0]


def test_requests_side_by_side_do_not_share_what_nobody_has_read_yet(tmp_path: Path) -> None:
    assert [row[1] for row in bill(tmp_path, [asks(0, [1]), asks(0.1, [1])], {})] == [0, 0]


def test_a_system_prompt_is_not_a_part_of_the_trace(tmp_path: Path) -> None:
    found = bill(tmp_path, [asks(0, [1]), asks(10, [1])], {}, system_tokens=30)
    assert [row[:3] for row in found] == [(30, 0, 100), (30, 100, 0)]
