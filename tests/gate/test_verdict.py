"""Every status of a metric, every verdict, every exit code; and which sides are comparable at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.gate import EXIT_CODES, GateResult, Samples, gate
from harness.gate.why import Explanation
from harness.metrics import Limit
from harness.run import BudgetResult
from harness.scenario import Budget

MakeSide = Callable[..., Samples]

P95 = "latency_s_p95"
COST = "cost_usd_mean"
BASE = [10.0, 12.0, 9.0, 11.0, 10.5, 13.0, 8.0, 10.0]
NOISE = [1.001, 0.999, 1.002, 0.998, 1.0, 1.001, 0.999, 1.0]
LIMIT = Limit(P95, 0.2)
WARN = Limit(P95, 0.2, "warn")
HOLDS = BudgetResult(P95, 11.0, Budget(below=60), passed=True)
BROKEN = BudgetResult(COST, 1.0, Budget(below=0.1), passed=False)


def changed(factor: float, noise: list[float] = NOISE) -> list[float]:
    return [factor * base * wobble for base, wobble in zip(BASE, noise, strict=True)]


NOISY = [2.0, 0.5, 1.0, 2.0, 0.5, 1.0, 2.0, 0.5]


@pytest.mark.parametrize(
    ("candidate", "status", "verdict"),
    [
        (BASE, "identical", "pass"),
        (changed(1.1), "within limit", "pass"),
        (changed(0.9), "within limit", "pass"),
        (changed(0.7), "improved", "pass"),
        (changed(1.3), "regressed", "fail"),
        (changed(1.0, NOISY), "inconclusive", "inconclusive"),
        (changed(1.2), "inconclusive", "inconclusive"),
        (changed(1.2, [1.0] * 8), "within limit", "pass"),
        (changed(1.2000001, [1.0] * 8), "regressed", "fail"),
    ],
)
def test_metric_has_the_status_that_its_interval_gives(
    side: MakeSide, candidate: list[float], status: str, verdict: str
) -> None:
    result = gate(side({P95: BASE}), side({P95: candidate}), [LIMIT])
    assert (result.metrics[0].status, result.verdict) == (status, verdict)
    assert result.exit_code == EXIT_CODES[result.verdict]


def test_exit_codes_are_those_of_the_house() -> None:
    assert EXIT_CODES == {
        "pass": 0, "fail": 1, "nothing to compare with": 3, "inconclusive": 4,
    }  # fmt: skip


def test_of_a_metric_where_more_is_better_less_is_a_regression(side: MakeSide) -> None:
    limit = [Limit("throughput_per_s", 0.2)]
    for factor, status in ((0.7, "regressed"), (1.3, "improved"), (0.9, "within limit")):
        result = gate(
            side({"throughput_per_s": BASE}), side({"throughput_per_s": changed(factor)}), limit
        )
        assert result.metrics[0].status == status


def test_success_has_its_limit_in_points(side: MakeSide) -> None:
    limit = [Limit("success_rate", 0.01)]
    good, bad = side(failed=[[]] * 8), side(failed=[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] * 8)
    assert gate(good, good, limit).metrics[0].status == "identical"
    assert gate(good, bad, limit).metrics[0].status == "regressed"
    assert gate(bad, good, limit).metrics[0].status == "improved"
    one_more = side(failed=[[1], *([[]] * 7)])
    assert gate(good, one_more, limit).metrics[0].status == "inconclusive"
    rare = gate(side(failed=[[]] * 64), side(failed=[[1], *([[]] * 63)]), limit)
    assert rare.metrics[0].status == "within limit"


def test_metric_that_the_candidate_lost_is_missing_and_fails(side: MakeSide) -> None:
    result = gate(side({P95: BASE}), side({COST: BASE}), [LIMIT])
    assert (result.metrics[0].status, result.verdict) == ("missing", "fail")
    part = side({COST: BASE}).joined(side({P95: BASE}, seeds=range(9, 17)))
    base = side({P95: BASE + BASE})
    assert gate(base, part, [LIMIT]).metrics[0].status == "missing"


def test_metric_that_only_the_candidate_has_is_new_and_no_pass(side: MakeSide) -> None:
    result = gate(side({COST: BASE}), side({P95: BASE, COST: BASE}), [LIMIT])
    assert (result.metrics[0].status, result.verdict) == ("new", "nothing to compare with")
    both = gate(side({COST: BASE}), side({P95: BASE, COST: BASE}), [LIMIT, Limit(COST, 0.01)])
    assert both.verdict == "pass"


def test_metric_that_nobody_measured_is_left_to_the_others(side: MakeSide) -> None:
    limits = [LIMIT, Limit(COST, 0.01)]
    result = gate(side({P95: BASE}), side({P95: BASE}), limits)
    assert [it.status for it in result.metrics] == ["identical", "not comparable"]
    assert result.metrics[1].reason == "no run measured it"
    assert result.verdict == "pass"
    alone = gate(side({P95: BASE}), side({P95: BASE}), [Limit(COST, 0.01)])
    assert alone.verdict == "nothing to compare with"


@pytest.mark.parametrize(
    ("base", "candidate", "reason"),
    [
        ({"scenario": "other"}, {}, "other scenario: other against review"),
        ({"engine": "wall clock"}, {}, "other engine: wall clock against simulated"),
        ({"workload": "a"}, {"workload": "b"}, "other workload"),
    ],
)
def test_sides_of_other_things_are_not_comparable(
    side: MakeSide, base: dict[str, str], candidate: dict[str, str], reason: str
) -> None:
    result = gate(side({P95: BASE}, **base), side({P95: BASE}, **candidate), [LIMIT])
    assert result.metrics[0].status == "not comparable"
    assert reason in result.metrics[0].reason
    assert (result.verdict, result.exit_code) == ("nothing to compare with", 3)


def test_other_prices_bar_money_alone_and_the_gate_does_not_pass(side: MakeSide) -> None:
    values = {P95: BASE, COST: BASE}
    sides = side(values, prices_as_of="2026-10-01"), side(values, prices_as_of="2026-11-01")
    result = gate(*sides, [LIMIT, Limit(COST, 0.01)])
    assert [it.status for it in result.metrics] == ["identical", "not comparable"]
    assert "other prices: of 2026-10-01 against those of 2026-11-01" in result.metrics[1].reason
    assert result.verdict == "nothing to compare with"
    assert gate(*sides, [LIMIT, Limit(COST, 0.01, "warn")]).verdict == "pass"


def test_what_is_not_known_bars_nothing(side: MakeSide) -> None:
    result = gate(
        side({COST: BASE}), side({COST: BASE}, prices_as_of="2026-11-01", workload="a"),
        [Limit(COST, 0.01)],
    )  # fmt: skip
    assert result.verdict == "pass"


def test_another_version_of_the_scenario_is_what_is_compared(side: MakeSide) -> None:
    result = gate(side({P95: BASE}, scenario_hash="old"), side({P95: BASE}), [LIMIT])
    assert result.verdict == "pass"


def test_another_harness_is_noted(side: MakeSide) -> None:
    result = gate(side({P95: BASE}, harness_version="0.9"), side({P95: BASE}), [LIMIT])
    assert "of harness 0.9, the candidate of 1.0" in result.notes[0]


def test_other_seeds_are_compared_without_pairs_and_it_is_noted(side: MakeSide) -> None:
    result = gate(side({P95: BASE}), side({P95: BASE}, seeds=range(101, 109)), [LIMIT])
    (only,) = result.metrics
    assert only.comparison.change is not None
    assert (only.comparison.change.method, only.status) == ("unpaired", "inconclusive")
    assert "the sides share no seed" in result.notes[0]


def test_runs_in_real_time_are_never_pairs(side: MakeSide) -> None:
    sides = [side({P95: BASE}, engine="wall clock") for _ in range(2)]
    result = gate(sides[0], sides[1], [LIMIT])
    assert result.metrics[0].status == "inconclusive"
    assert "real time" in result.notes[0]


def test_unpaired_success_is_compared_by_exact_intervals(side: MakeSide) -> None:
    base = side(failed=[[]] * 32)
    bad = side(failed=[list(range(1, 26))] * 32, seeds=range(101, 133))
    result = gate(base, bad, [Limit("success_rate", 0.01), LIMIT])
    assert result.metrics[0].status == "regressed"


def test_seeds_of_one_side_are_left_out_and_it_is_noted(side: MakeSide) -> None:
    result = gate(side({P95: BASE}), side({P95: BASE[:6]}), [LIMIT])
    assert result.metrics[0].comparison.seeds == 6
    assert result.metrics[0].status == "identical"
    assert result.notes == ("Left out, as only one side has them: 2 runs.",)


def test_one_run_is_inconclusive_however_large_the_change(side: MakeSide) -> None:
    result = gate(side({P95: [10.0]}), side({P95: [100.0]}), [LIMIT])
    assert (result.metrics[0].status, result.exit_code) == ("inconclusive", 4)
    assert result.metrics[0].reason == "one run is not enough; run more seeds"


@pytest.mark.parametrize("candidate", [changed(1.3), changed(1.0, NOISY)])
def test_warnings_never_fail(side: MakeSide, candidate: list[float]) -> None:
    values = {P95: candidate, COST: BASE}
    result = gate(side({P95: BASE, COST: BASE}), side(values), [WARN, Limit(COST, 0.01)])
    assert (result.verdict, result.exit_code) == ("pass", 0)


def test_missing_metric_at_level_warn_does_not_fail(side: MakeSide) -> None:
    result = gate(side({P95: BASE, COST: BASE}), side({COST: BASE}), [WARN, Limit(COST, 0.01)])
    assert result.metrics[0].status == "missing"
    assert result.verdict == "pass"


def test_broken_budget_fails_whatever_else_holds(side: MakeSide) -> None:
    same = side({P95: BASE})
    assert gate(same, same, [LIMIT], budgets=lambda: [HOLDS]).verdict == "pass"
    assert gate(same, same, [LIMIT], budgets=lambda: [HOLDS, BROKEN]).verdict == "fail"
    assert gate(None, same, [LIMIT], budgets=lambda: [BROKEN]).exit_code == 1


def test_first_run_has_nothing_to_compare_with_and_says_so(side: MakeSide) -> None:
    result = gate(None, side({P95: BASE}), [LIMIT], budgets=lambda: [HOLDS])
    assert (result.verdict, result.exit_code, result.is_first) == (
        "nothing to compare with", 3, True,
    )  # fmt: skip
    assert result.metrics[0].status == "new"
    assert not gate(None, side({P95: BASE}), [LIMIT], budgets=lambda: [BROKEN]).is_first


def test_fail_outranks_not_comparable_and_that_outranks_inconclusive(side: MakeSide) -> None:
    def verdict(candidate: list[float], **fields: str) -> str:
        base = side({P95: BASE, COST: BASE}, prices_as_of="2026-10-01")
        other = side({P95: candidate, COST: BASE}, **fields)
        return gate(base, other, [LIMIT, Limit(COST, 0.01)]).verdict

    assert verdict(changed(1.3), prices_as_of="2026-11-01") == "fail"
    assert verdict(changed(1.0, NOISY), prices_as_of="2026-11-01") == "nothing to compare with"
    assert verdict(changed(1.0, NOISY)) == "inconclusive"


def test_reason_of_the_baseline_is_shown(side: MakeSide) -> None:
    result = gate(side({P95: BASE}, reason="bigger model"), side({P95: BASE}), [LIMIT])
    assert result.notes == ("Reason given for the baseline: bigger model",)


def test_explanations_stand_beside_their_metric(side: MakeSide) -> None:
    result = gate(side({P95: BASE}), side({P95: changed(1.3)}), [LIMIT])
    assert result.regressed == (P95,)
    slower = Explanation("security is slower")
    explained = result.explained({P95: slower, "other": Explanation("nothing")})
    assert explained.metrics[0].why == slower
    assert explained.verdict == result.verdict


def test_metrics_that_nobody_gates_are_listed_with_what_changed(side: MakeSide) -> None:
    base = side({P95: BASE, "retries": [0.0] * 8, "calls_mean": [6.0] * 8, "makespan_s_mean": BASE})
    candidate = side(
        {P95: BASE, "retries": [3.0] * 8, "calls_mean": [6.0] * 8, "makespan_s_mean": changed(1, NOISY)}
    )  # fmt: skip
    result: GateResult = gate(base, candidate, [LIMIT])
    assert {it.comparison.metric: it.changed for it in result.explored} == {
        "calls_mean": False,
        "makespan_s_mean": False,
        "retries": True,
    }
    assert result.verdict == "pass"
