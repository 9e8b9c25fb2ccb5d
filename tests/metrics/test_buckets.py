"""What rate limits left, worked out again from spans, is what the provider's own buckets held."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.metrics.buckets import Asked, bucket_levels, worth_showing
from harness.provider.limits import Limiter, LimitHit
from harness.report.figures.pressure import buckets_of
from harness.run import Simulation
from harness.run.record import record
from harness.scenario import load_scenario
from harness.store import Store, series

SCENARIO = Path(__file__).parents[2] / "scenarios" / "overload.yaml"
LIMITS = {
    "requests_per_min": 40.0,
    "input_tokens_per_min": 25000.0,
    "output_tokens_per_min": 6000.0,
}
CHANGE = f"providers.anthropic.limits={{{', '.join(f'{k}: {v:.0f}' for k, v in LIMITS.items())}}}"


def test_levels_are_those_of_the_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas: dict[int, list[float]] = {}
    refused: dict[int, int] = {}
    admit = Limiter.admit

    def watched(self: Limiter, input_tokens: int, now_s: float) -> LimitHit | None:
        hit = admit(self, input_tokens, now_s)
        refused[id(self)] = refused.get(id(self), 0) + (hit is not None)
        for number, bucket in enumerate((self._requests, self._input, self._output)):
            assert bucket is not None
            least = quotas.setdefault(id(self), [1e9, 1e9, 1e9])
            least[number] = min(least[number], bucket.tokens(now_s))
        return hit

    monkeypatch.setattr(Limiter, "admit", watched)
    scenario = load_scenario(SCENARIO, overrides=[CHANGE])
    run = Simulation(SCENARIO, overrides=[CHANGE]).run(3)
    store = Store(tmp_path / "runs.duckdb")
    (run_id,) = store.write([record(scenario, run)])
    asked = series.asked(store, run_id)
    edges_s = [0.0, *(it.end_s for it in asked[-1:])]
    edges_s[1] = max(it.end_s for it in asked)
    levels = bucket_levels(asked, LIMITS, edges_s)
    first = [it for it in levels if it.model == asked[0].model]
    (true_requests, true_input, _), *_ = quotas.values()
    least = {it.limit: min(it.least) for it in first}
    assert least["requests_per_min"] == pytest.approx(true_requests, abs=1e-6)
    assert least["input_tokens_per_min"] == pytest.approx(true_input, abs=1e-6)
    assert sum(first[0].refused) == next(iter(refused.values())) > 0


def attempt(at_s: float, model: str = "m", *, refused: bool = False, written: int = 0) -> Asked:
    return Asked(model, at_s, at_s + 1.0, 100, written, refused, not refused)


def test_a_bucket_fills_up_again_and_never_over_its_size() -> None:
    (level,) = bucket_levels(
        [attempt(0.0), attempt(0.5), attempt(50.0)],
        {"requests_per_min": 6.0},
        [0.0, 1.0, 40.0, 60.0],
    )
    assert level.least == pytest.approx([4.05, 4.1, 5.0])
    assert level.least_share == pytest.approx(4.05 / 6)


def test_what_was_refused_is_counted_and_charged_to_nothing() -> None:
    asked = [attempt(0.0), attempt(1.0, refused=True), attempt(11.0, refused=True)]
    (level,) = bucket_levels(asked, {"requests_per_min": 60.0}, [0.0, 10.0, 20.0])
    assert level.refused == [1, 1]
    assert min(level.least) == 59.0


def test_written_tokens_are_charged_at_the_end_and_may_leave_less_than_nothing() -> None:
    (level,) = bucket_levels(
        [attempt(0.0, written=90)], {"output_tokens_per_min": 60.0}, [0.0, 0.5, 2.0]
    )
    assert level.least == [60.0, -30.0]


def test_each_model_has_its_emptiest_bucket_shown_first() -> None:
    asked = [attempt(0.0, "a", written=1), *(attempt(1.0, "b", written=1) for _ in range(9))]
    limits = {"requests_per_min": 10.0, "output_tokens_per_min": 1000.0, "concurrency": 3.0}
    shown = worth_showing(bucket_levels(asked, limits, [0.0, 5.0]), 4)
    assert [(it.model, it.limit) for it in shown] == [
        ("b", "requests_per_min"),
        ("a", "requests_per_min"),
    ]
    assert worth_showing([], 4) == []


def asked(model: str, at_s: float) -> Asked:
    return Asked(model, at_s, at_s + 1.0, 10, 10, is_refused=False, is_charged=True)


def test_models_of_one_pool_empty_one_bucket() -> None:
    attempts = [asked("small", 0.0), asked("large", 0.0), asked("other", 0.0)]
    pools = {"small": "shared", "large": "shared"}
    found = bucket_levels(attempts, {"requests_per_min": 4.0}, [0.0, 1.0], pools)
    assert [(it.model, it.least) for it in found] == [("pool shared", [2.0]), ("other", [3.0])]


TWO_POOLS = """
scenario: pools
workload: {tasks: 4, arrivals: {at_s: [0, 0, 0, 0]}}
providers: {anthropic: {limits: {requests_per_min: 10}}, openai: {limits: {requests_per_min: 20}}}
models:
  a: {provider: anthropic, name: claude-haiku-4-5, pool: both}
  b: {provider: anthropic, name: claude-sonnet-4-6, pool: both}
  c: {provider: openai, name: gpt-5.4}
agents: {one: {model: a}, two: {model: b}, three: {model: c}}
pattern: {pipeline: {stages: [one, two, three]}}
"""


def test_buckets_of_a_stored_run_are_those_of_its_pools_and_of_each_provider(
    tmp_path: Path,
) -> None:
    file = tmp_path / "pools.yaml"
    file.write_text(TWO_POOLS)
    simulation = Simulation(file)
    store = Store(tmp_path / "runs.duckdb")
    store.write([record(simulation.scenario, simulation.run())])
    rows = series.pressure(store, 1, 4)
    found = buckets_of(store, 1, rows, series.bounds(store, [1], "limits"))
    assert {(it.model, it.per_min) for it in found} == {("pool both", 10.0), ("c", 20.0)}
