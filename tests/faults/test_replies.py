"""Faults of what a model says and of what it takes: each with its effect on spans or outcomes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import ScenarioError
from harness.provider import Load
from harness.run import RunResult, Simulation
from harness.spans import ATTEMPT, CALL, TASK, TOOL

PRICES = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0}
SCHEMA = {"type": "object", "required": ["n"]}


def run(
    *faults: dict[str, Any],
    pattern: dict[str, Any] | None = None,
    kinds: list[dict[str, Any]] | None = None,
    provider: dict[str, Any] | None = None,
    **reader: Any,  # noqa: ANN401 - as in a file
) -> RunResult:
    """Four tasks, ten seconds apart; a writer who takes a second and 10 ms a token, and a reader of what it says."""
    simulation = Simulation.from_spec(
        {
            "scenario": "replies",
            "workload": {
                "tasks": 4,
                "arrivals": {"every_s": 10},
                "kinds": kinds or [{"input_tokens": 100, "text": '{"n": 1}'}],
            },
            "providers": {"p": provider or {}},
            "models": {
                "m": {
                    "provider": "p",
                    "name": "x",
                    "latency": {"ttft_s": 1.0, "itl_s": 0.01},
                    "prices": PRICES,
                }
            },
            "agents": {
                "writer": {"model": "m", "output_tokens": 100, "accuracy": 1.0},
                "reader": {"model": "m", "output_tokens": 100, **reader},
            },
            "pattern": pattern or {"single": {"agent": "writer"}},
            "faults": list(faults),
        }
    )
    return simulation.run()


def rows(result: RunResult, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == kind]


def test_first_token_comes_late_and_the_rest_as_fast_as_ever() -> None:
    result = run({"slow_first_token": {"call": 2, "by_s": 3.0}})
    assert rows(result, ATTEMPT, "arrival_s", "first_token_s", "end_s")[:2] == [
        (0.0, 1.0, 2.0),
        (10.0, 14.0, 15.0),
    ]


def test_cost_spike_multiplies_the_bill_and_leaves_the_tokens() -> None:
    result = run({"cost_spike": {"call": 1, "factor": 3.0}})
    assert rows(result, ATTEMPT, "cost_usd", "output_tokens")[:2] == [
        (3 * (200 / 1e6), 100),
        (200 / 1e6, 100),
    ]


@pytest.mark.parametrize("name", ["empty", "refusal", "malformed_json", "schema_violation"])
def test_reply_that_is_of_no_use_is_a_wrong_one(name: str) -> None:
    result = run({name: {"call": 2}})
    assert rows(result, CALL, "correct") == [(1,), (0,), (1,), (1,)]
    assert rows(result, ATTEMPT, "fault") == [("",), (name,), ("",), ("",)]


@pytest.mark.parametrize(("name", "tokens"), [("empty", 1), ("oversized", 1000)])
def test_size_of_a_reply_shows_in_its_time_and_its_bill(name: str, tokens: int) -> None:
    result = run({name: {"call": 1}})
    assert rows(result, ATTEMPT, "end_s", "output_tokens", "cost_usd")[0] == (
        1.0 + tokens * 0.01,
        tokens,
        (100 + tokens) / 1e6,
    )


@pytest.mark.parametrize("name", ["malformed_json", "schema_violation"])
def test_reader_that_states_a_schema_does_not_take_the_reply(name: str) -> None:
    chain = {"pipeline": {"stages": ["writer", "reader"]}}
    said = {"type": "string", "pattern": "^[^,\\[]*$"}  # what it usually says has neither
    result = run({name: {"agent": "writer", "call": 3}}, pattern=chain, accepts=said)
    assert rows(result, TASK, "status", "error") == [
        ("ok", ""),
        ("ok", ""),
        ("error", "invalid_message"),
        ("ok", ""),
    ]


def test_starved_attempts_wait_for_as_long_as_any_other_waits() -> None:
    both = {"parallel": {"members": ["reader", "writer", "writer", "writer"]}}
    busy = {"concurrency": 1}
    plain = run(pattern=both, provider=busy)
    starved = run({"starved": {"agent": "writer", "call": 1}}, pattern=both, provider=busy)
    first = [row for row in rows(plain, ATTEMPT, "agent", "start_s") if row[1] < 8]
    assert first == [("reader", 0.0), ("writer", 2.0), ("writer", 4.0), ("writer", 6.0)]
    faults = [
        (start, fault) for start, fault in rows(starved, ATTEMPT, "start_s", "fault") if start < 8
    ]
    assert faults == [(0.0, ""), (2.0, ""), (4.0, ""), (6.0, "starved")]


def test_time_per_token_grows_with_the_attempts_in_service() -> None:
    four = {"parallel": {"members": ["reader", "writer", "writer", "writer"]}}
    load = {"load": {"points": [[1, 1.0], [3, 2.0]]}}
    result = run(pattern=four, provider=load)
    # Each keeps the pace of the moment at which it begins: 1, 1.5, 2 and again 2 times as long a token.
    assert sorted(row for row in rows(result, ATTEMPT, "arrival_s", "end_s") if row[0] == 0) == [
        (0.0, 2.0),
        (0.0, 2.5),
        (0.0, 3.0),
        (0.0, 3.0),
    ]


@pytest.mark.parametrize(
    ("where", "met"),
    [
        ({"task": 3}, [3]),
        ({"customer": "acme", "agents": ["writer"]}, [1, 2, 3, 4]),
        ({"customer": "other"}, []),
        ({"agents": ["reader"]}, []),
        ({"from_s": 10, "until_s": 20.5}, [2, 3]),
    ],
    ids=repr,
)
def test_one_selector_limits_every_fault(where: dict[str, Any], met: list[int]) -> None:
    kinds = [{"kind": "k", "customer": "acme"}]
    for name in ("overloaded", "refused", "empty", "starved"):
        result = run({name: where}, kinds=kinds)
        assert [task for task, fault in rows(result, ATTEMPT, "task", "fault") if fault] == met


@pytest.mark.parametrize("name", ["unknown_tool", "bad_arguments"])
def test_tool_call_that_does_not_fit_fails_and_takes_no_effect(name: str) -> None:
    spec: dict[str, Any] = {
        "scenario": "tools",
        "workload": {"tasks": 1},
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "x", "latency": {"ttft_s": 1.0}}},
        "tools": {
            "library": {
                "parameters": {"type": "object", "required": ["title"]},
                "result": "3 documents",
            },
            "archive": {"result": "none"},
        },
        "agents": {
            "clerk": {"model": "m", "stub": "stubs/react.yaml", "tools": ["library", "archive"]}
        },
        "pattern": {"react": {"agent": "clerk"}},
        "faults": [{name: {"call": 1}}],
    }
    spec["workload"]["kinds"] = [{"text": "What does the library have on tides?"}]
    result = Simulation.from_spec(spec).run()
    assert rows(result, TOOL, "status", "error")[0] == ("error", "tool_error")
    del spec["faults"]
    assert rows(Simulation.from_spec(spec).run(), TOOL, "status")[0] == ("ok",)


def test_measured_curve_of_load_is_the_one_that_was_published() -> None:
    published_ms = {1: 18.58, 5: 21.83, 25: 38.75, 50: 59.73, 100: 92.91}
    curve = Load()
    for in_service, itl_ms in published_ms.items():
        assert curve.factor(in_service) == pytest.approx(itl_ms / published_ms[1], abs=1e-3)
    assert curve.factor(15) == (1.175 + 2.086) / 2
    assert curve.factor(1000) == curve.factor(100)


@pytest.mark.parametrize("points", [[], [[5, 1.0], [5, 2.0]], [[0, 1.0]], [[1, 0.0]], [[1]]])
def test_curve_that_is_none_is_refused(points: list[Any]) -> None:
    with pytest.raises(ScenarioError, match="points"):
        run(provider={"load": {"points": points}})


def test_fault_of_a_pattern_is_refused_in_a_file_of_a_program() -> None:
    spec = {
        "scenario": "program",
        "target": "tests.faults.shop:write_with_retries",
        "workload": {"tasks": 1},
        "faults": [{"partition": {"groups": [["a"], ["b"]]}}],
    }
    with pytest.raises(ScenarioError, match="meets a message of a pattern"):
        Simulation.from_spec(spec)
