"""More seeds are run only while a metric is undecided, and each is run once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.errors import HarnessError
from harness.gate import Samples, gate
from harness.metrics import Limit

MakeSide = Callable[..., Samples]

P95 = "latency_s_p95"
LIMIT = Limit(P95, 0.2)


class Runs:
    """A side that is run on demand, and notes what it was asked for."""

    def __init__(self, side: MakeSide, value: Callable[[int], float]) -> None:
        self.side, self.value = side, value
        self.asked: list[list[int]] = []
        self.scenario_hash = "a"

    def __call__(self, seeds: Sequence[int]) -> Samples:
        self.asked.append(list(seeds))
        values = {P95: [self.value(seed) for seed in seeds]}
        return self.side(values, seeds=seeds, scenario_hash=self.scenario_hash)


def noisy(seed: int) -> float:
    return 2.0 if seed % 2 else 0.5


def test_clear_case_ends_at_the_first_look(side: MakeSide) -> None:
    base, candidate = Runs(side, lambda _: 1.0), Runs(side, lambda seed: 1.0 + seed / 1000)
    result = gate(base, candidate, [LIMIT])
    assert base.asked == candidate.asked == [list(range(1, 9))]
    assert result.verdict == "pass"


def test_unclear_case_is_looked_at_four_times_and_no_seed_is_run_twice(side: MakeSide) -> None:
    base, candidate = Runs(side, lambda _: 1.0), Runs(side, noisy)
    result = gate(base, candidate, [LIMIT], seeds=range(5, 200))
    looks = [range(5, 13), range(13, 21), range(21, 37), range(37, 69)]
    assert base.asked == candidate.asked == [list(look) for look in looks]
    assert result.verdict == "inconclusive"
    assert result.candidate.seeds == tuple(range(5, 69))


def test_case_that_becomes_clear_ends_where_it_does(side: MakeSide) -> None:
    candidate = Runs(side, lambda seed: 1.5 if seed <= 8 and seed % 2 else 1.01)
    result = gate(Runs(side, lambda _: 1.0), candidate, [LIMIT])
    assert [len(it) for it in candidate.asked] == [8, 8, 16]
    assert result.verdict == "pass"


def test_warning_is_not_worth_more_runs(side: MakeSide) -> None:
    candidate = Runs(side, noisy)
    gate(Runs(side, lambda _: 1.0), candidate, [Limit(P95, 0.2, "warn")])
    assert len(candidate.asked) == 1


def test_stored_baseline_decides_which_seeds_are_run_and_how_many(side: MakeSide) -> None:
    base = side({P95: [1.0] * 20}, seeds=range(101, 121))
    candidate = Runs(side, noisy)
    result = gate(base, candidate, [LIMIT])
    assert candidate.asked == [
        list(range(101, 109)), list(range(109, 117)), list(range(117, 121)),
    ]  # fmt: skip
    assert result.notes == ()
    assert result.base is not None
    assert result.base.seeds == result.candidate.seeds


def test_part_of_a_stored_baseline_that_was_not_needed_is_not_noted(side: MakeSide) -> None:
    result = gate(side({P95: [1.0] * 32}), Runs(side, lambda _: 1.0), [LIMIT])
    assert (result.verdict, result.notes) == ("pass", ())
    assert result.metrics[0].comparison.seeds == 8


def test_sides_that_are_there_are_compared_once_with_all_their_runs(side: MakeSide) -> None:
    result = gate(side({P95: [1.0] * 100}), side({P95: [1.0] * 100}), [LIMIT])
    assert result.metrics[0].comparison.seeds == 100


def test_first_run_makes_the_first_look_alone(side: MakeSide) -> None:
    candidate = Runs(side, noisy)
    assert gate(None, candidate, [LIMIT]).is_first
    assert candidate.asked == [list(range(1, 9))]


def test_not_comparable_sides_are_not_run_on(side: MakeSide) -> None:
    candidate = Runs(side, noisy)
    result = gate(side({P95: [1.0] * 64}, scenario="other"), candidate, [LIMIT])
    assert len(candidate.asked) == 1
    assert result.exit_code == 3


def test_budgets_are_asked_for_once_after_the_last_run(side: MakeSide) -> None:
    candidate, asked = Runs(side, noisy), []

    def budgets() -> list[object]:
        asked.append(len(candidate.asked))
        return []

    gate(Runs(side, lambda _: 1.0), candidate, [LIMIT], budgets=budgets)  # type: ignore[arg-type]
    assert asked == [4]


def test_scenario_that_changes_while_it_runs_is_an_error(side: MakeSide) -> None:
    candidate = Runs(side, noisy)

    def changing(seeds: Sequence[int]) -> Samples:
        candidate.scenario_hash += "x"
        return candidate(seeds)

    with pytest.raises(HarnessError, match="changed while its runs were made"):
        gate(Runs(side, lambda _: 1.0), changing, [LIMIT])


def test_gate_without_limits_or_seeds_is_an_error(side: MakeSide) -> None:
    with pytest.raises(HarnessError, match="would compare nothing"):
        gate(None, side({P95: [1.0]}), [])
    with pytest.raises(HarnessError, match="no seeds to run"):
        gate(Runs(side, noisy), Runs(side, noisy), [LIMIT], seeds=[])
