"""Answers: conditions, knees, effects, reliability, capacities."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest

from harness.chance import Draws
from harness.errors import HarnessError
from harness.store import Store, queries
from harness.sweep import Sweeping, plan_of, read
from harness.sweep.answers import (
    condition_of,
    effects_of,
    find_capacity,
    knee_of,
    pass_k,
    reliability_of,
)
from harness.sweep.answers.decide import Decisions
from harness.sweep.axes import axis, axis_of
from harness.sweep.budget import Budget
from harness.sweep.engines import Processes
from harness.sweep.points import Point, points_of

DATA = Path(os.environ.get("HARNESS_DATA", "nowhere")) / "tau_bench" / "gpt-4o-airline.csv"


def test_pass_k_is_that_of_the_published_table() -> None:
    """Yao et al., "tau-bench" (arXiv 2406.12045): gpt-4o, airline, 50 tasks in 4 trials: .420 .273 .220 .200."""
    if not DATA.is_file():
        pytest.skip("HARNESS_DATA names no folder with the trajectories' rewards")
    hits = Counter[str]()
    with DATA.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            hits[row["task_id"]] += float(row["reward"]) == 1
    found = [pass_k(list(hits.values()), 4, k) for k in (1, 2, 3, 4)]
    assert [round(value, 3) for value in found] == [0.420, 0.273, 0.220, 0.200]


def test_pass_k_of_sure_and_of_hopeless_tasks() -> None:
    assert pass_k([4, 4], 4, 3) == 1
    assert pass_k([0, 1], 4, 2) == 0
    assert pass_k([2], 4, 2) == pytest.approx(1 / 6)
    with pytest.raises(HarnessError, match="k is 5"):
        pass_k([4], 4, 5)
    with pytest.raises(HarnessError, match="no task"):
        pass_k([], 4, 1)


def test_knee_of_a_published_curve() -> None:
    """Satopää et al. (2011), figure 2: y = -1 / (x + 0.1) + 5 over ten values of 0..1 turns at 0.22."""
    knee = knee_of({step / 9: [-1 / (step / 9 + 0.1) + 5] for step in range(10)})
    assert knee is not None
    assert knee.at == pytest.approx(2 / 9)


def test_knee_of_a_curve_that_rises_late_and_of_a_falling_one() -> None:
    late = knee_of({float(x): [1.0 if x < 8 else 1.0 + 5 * (x - 7)] for x in range(11)})
    assert late is not None
    assert late.at == 7
    falling = knee_of({float(x): [10 / (x + 1)] for x in range(11)})
    assert falling is not None
    assert falling.at in (2, 3)


def test_straight_and_short_curves_have_no_knee() -> None:
    assert knee_of({float(x): [2.0 * x + 1] for x in range(10)}) is None
    assert knee_of({0.0: [1.0], 1.0: [9.0], 2.0: [9.5]}) is None
    assert knee_of({float(x): [3.0] for x in range(10)}) is None


def test_interval_of_a_knee_holds_it_and_is_the_same_every_time() -> None:
    curve = {
        float(x): [x / (10 - x) + 0.02 * ((7 * seed + x) % 5) for seed in range(8)]
        for x in range(10)
    }
    knee = knee_of(curve)
    assert knee is not None
    assert knee.low <= knee.at <= knee.high
    assert knee_of(curve) == knee


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("latency_s_p95", "no condition"),
        ("latency_s_p95=3", "no condition"),
        ("latency_s_p95<", "no condition"),
        ("latency_p95<3", "did you mean"),
        ("a b<3", "no condition"),
    ],
)
def test_what_is_wrong_with_a_condition_is_said(text: str, word: str) -> None:
    with pytest.raises(HarnessError, match=word):
        condition_of(text)


def test_condition_is_unclear_when_its_bound_lies_in_the_interval(file: Path, store: Store) -> None:
    plan = plan_of(file, points_of([axis_of("workload.tasks=6")]), runs=5)
    Sweeping(store, Processes(1)).ensure([(1, plan.scenarios[0], plan.seeds)])
    (result,) = read(store, [(plan.points[0], plan.scenarios[0], plan.seeds)]).results
    mean = result.means["latency_s_mean"]
    assert condition_of(f"latency_s_mean<{100 * mean}").holds(result) == "yes"
    assert condition_of(f"latency_s_mean>{100 * mean}").holds(result) == "no"
    assert condition_of(f"latency_s_mean<{mean}").holds(result) == "unclear"
    assert condition_of("quality_mean>0.5").holds(result) == "not measured"
    assert condition_of("success_rate>=1").holds(result) == "yes"


def test_effect_of_a_key_is_paired_and_one_of_nothing_is_not_clear(
    file: Path, store: Store
) -> None:
    axes = [axis_of("agents.writer.output_tokens=100,400"), axis_of("horizon_s=900000,950000")]
    plan = plan_of(file, points_of(axes), runs=3)
    both = list(zip(plan.points, plan.scenarios, strict=True))
    Sweeping(store, Processes(1)).ensure([(p.number, s, plan.seeds) for p, s in both])
    found = effects_of(read(store, [(p, s, plan.seeds) for p, s in both]), "output_tokens_mean")
    first, second = found
    assert (first.key, first.before, first.after) == ("agents.writer.output_tokens", "100", "400")
    assert first.change.mean == pytest.approx(300)
    assert first.share == pytest.approx(3)
    assert first.is_clear
    assert not second.is_clear


def test_reliability_falls_with_the_fault_rate_and_with_k(file: Path, store: Store) -> None:
    axes = [
        axis_of(
            "faults=[],[{status: {status: 500, probability: 0.2}}],[{status: {status: 500, probability: 0.6}}]"
        )
    ]
    plan = plan_of(file, points_of(axes), runs=6)
    both = list(zip(plan.points, plan.scenarios, strict=True))
    Sweeping(store, Processes(1)).ensure([(p.number, s, plan.seeds) for p, s in both])
    never, seldom, often = reliability_of(read(store, [(p, s, plan.seeds) for p, s in both]), 3)
    assert never.by_k == (1, 1, 1)
    assert 1 > seldom.by_k[0] > seldom.by_k[1] > seldom.by_k[2] > often.by_k[2]
    successes = [1 - len(seldom.result.failed[seed]) / 6 for seed in plan.seeds]
    assert seldom.by_k[0] == pytest.approx(sum(successes) / 6)


def test_capacity_that_is_known_exactly(file: Path, store: Store) -> None:
    """With constant service of 2 s and an arrival every second, the last of n tasks takes 2 n - (n - 1) seconds."""
    text = file.read_text(encoding="utf-8")
    text = text.replace("{poisson: {rate_per_s: 0.5}}", "{every_s: 1}")
    text = text.replace("claude-haiku-4-5}", "claude-haiku-4-5, latency: {ttft_s: 2, itl_s: 0}}")
    file.write_text(text, encoding="utf-8")
    conditions = (condition_of("latency_s_mean<=8"),)
    found = find_capacity(
        Sweeping(store, Processes(1)), file, "workload.tasks", conditions, seeds=2
    )
    assert (found.good, found.bad) == (13, 14)  # the mean of n tasks is (n + 3) / 2 seconds
    again = find_capacity(
        Sweeping(store, Processes(1)), file, "workload.tasks", conditions, seeds=2,
        between=axis("workload.tasks", "2..40", ""),
    )  # fmt: skip
    assert (again.good, again.bad) == (13, 14)


def test_good_end_is_found_although_the_end_of_the_range_is_unclear(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided(
        _: Sweeping, points: list[tuple[Point, object]], *__: object, **___: object
    ) -> Decisions:
        value = int(points[0][0].values[0][1])
        return Decisions(results=(None,), holds=("yes" if value <= 13 else "unclear",))  # type: ignore[arg-type]

    monkeypatch.setattr("harness.sweep.answers.capacity.decide", decided)
    found = find_capacity(
        Sweeping(store, Processes(1)), file, "workload.tasks", (condition_of("latency_s_mean<8"),),
        between=axis("workload.tasks", "2..40", ""),
    )  # fmt: skip
    assert (found.good, found.bad) == (13, None)
    assert found.why == "at 40 it is unclear with 64 seeds"


def test_search_that_begins_at_an_unclear_value_goes_on_to_both_sides(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided(
        _: Sweeping, points: list[tuple[Point, object]], *__: object, **___: object
    ) -> Decisions:
        value = int(points[0][0].values[0][1])
        holds = "yes" if value <= 1 else "no" if value >= 20 else "unclear"
        return Decisions(results=(None,), holds=(holds,))  # type: ignore[arg-type]

    monkeypatch.setattr("harness.sweep.answers.capacity.decide", decided)
    found = find_capacity(
        Sweeping(store, Processes(1)), file, "workload.tasks", (condition_of("latency_s_mean<8"),)
    )
    assert [it.value for it in found.tried if it.value in (1, 3, 6, 12, 24)] == [1, 3, 6, 12, 24]
    assert (found.good, found.bad) == (1, 20)


def test_search_ends_with_its_budget_and_without_an_answer_it_says_so(
    file: Path, store: Store
) -> None:
    sweeping = Sweeping(store, Processes(1))
    conditions = (condition_of("latency_s_mean<0.000001"),)
    none = find_capacity(sweeping, file, "workload.tasks", conditions, seeds=2)
    assert none.good is None
    assert "smallest" in none.why
    always = find_capacity(
        sweeping,
        file,
        "workload.tasks",
        (condition_of("success_rate>=0"),),
        seeds=2,
        budget=Budget(runs=8),
    )
    assert always.bad is None
    assert always.runs < 200


def test_key_without_a_number_is_refused(file: Path, store: Store) -> None:
    with pytest.raises(HarnessError, match="no number above 0"):
        find_capacity(
            Sweeping(store, Processes(1)),
            file,
            "agents.writer.model",
            (condition_of("success_rate>0"),),
        )


def test_knee_of_thousands_of_seeds_takes_no_more_draws_than_that_of_hundreds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And its interval is about as narrow as there are seeds."""
    drawn = Counter[str]()
    uniform = Draws.uniform

    def counted(draws: Draws, *key: object) -> float:
        drawn["all"] += 1
        return uniform(draws, *key)

    monkeypatch.setattr(Draws, "uniform", counted)
    noise = [((7919 * seed) % 1000) / 1000 for seed in range(5_000)]
    knee = knee_of({float(x): [-1 / (x / 9 + 0.1) + 5 + 4 * it for it in noise] for x in range(10)})
    assert drawn["all"] <= 256_000
    assert knee is not None
    assert (knee.at, knee.low, knee.high) == (2, 2, 2)


def test_what_is_read_is_what_the_runs_measured_by_seed(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans are not looked at where every task ended well."""
    plan = plan_of(file, points_of([axis_of("workload.tasks=2..5:4")]), runs=2)
    both = list(zip(plan.points, plan.scenarios, strict=True))
    Sweeping(store, Processes(1)).ensure([(p.number, s, plan.seeds) for p, s in both])
    monkeypatch.setattr("harness.store.queries.failed_tasks", lambda *_: pytest.fail("was asked"))
    found = read(store, [(p, s, plan.seeds) for p, s in both])
    for result in found.results:
        for seed, run_id in zip(result.seeds, result.run_ids, strict=True):
            run = queries.run(store, run_id)
            values = {name: result.values(name).get(seed) for name in result.columns}
            assert {name: it for name, it in values.items() if it is not None} == run["metrics"]
            assert result.tasks[seed] == run["tasks"]
