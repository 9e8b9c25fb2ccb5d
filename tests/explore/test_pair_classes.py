"""One pair of each class finds every class of failure that all pairs find; a wrong reduction loses some."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import combinations

import pytest

from harness.explore import portfolio
from harness.explore.budget import Budget
from harness.explore.deviation import Fault
from harness.explore.exploration import Exploration
from harness.explore.pair_classes import PairClasses, outcomes, siblings
from harness.explore.portfolio import Portfolio
from harness.explore.properties import Context, Failure, Property
from harness.explore.reductions import OUTCOMES, REDUCTIONS, SIBLINGS, SUPPORTS
from harness.explore.search import Search
from tests.explore.made_up_team import FAULTS, Team, team

TEAMS = 30
RUNS = 3000
SINGLES = 80
"""More single faults than a team has."""
NEW = (OUTCOMES, SIBLINGS, SUPPORTS)


@pytest.fixture(autouse=True)
def singles_then_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn by chance finds much all the same, and so does what follows first deviations."""
    monkeypatch.setattr(portfolio, "FIRST", ("fail",) * SINGLES + ("other",) * SINGLES)
    monkeypatch.setattr(portfolio, "ROUND", ("pairs",))


def is_whole(context: Context) -> Failure | None:
    broken = context.now.output["broken"]  # type: ignore[index]  # as made up
    return Failure("check", broken, "", broken) if broken else None


def searched(it: Team, reductions: frozenset[str] = REDUCTIONS) -> Exploration:
    search = Search(it, (is_whole,), Budget(RUNS, math.inf), FAULTS, reductions=reductions)
    return Portfolio(search).run()


def brute_force(it: Team) -> set[str]:
    """The classes of all pairs of faults at different calls."""
    faults = [Fault(f"{path} {role}", name) for path, role in it.calls() for name in FAULTS]
    pairs = [pair for pair in combinations(faults, 2) if pair[0].call != pair[1].call]
    return {it.run(pair).output["broken"] for pair in pairs} - {""}  # type: ignore[index]  # as made up


def classes(found: Exploration) -> set[str]:
    return {one.message for one in found.findings}


@pytest.mark.parametrize("seed", range(TEAMS))
def test_one_pair_of_each_class_finds_what_all_pairs_find(seed: int) -> None:
    it = team(seed)
    found = searched(it)
    assert classes(found) == brute_force(it)
    assert found.coverage.pair_classes_tried == found.coverage.pair_classes
    assert found.runs < found.coverage.pairs_in_all / 5


@pytest.mark.parametrize("left_out", NEW)
def test_each_reduction_can_be_switched_off_and_saves_pairs(left_out: str) -> None:
    base = frozenset(NEW)
    for seed in range(2):
        it = team(seed)
        with_, without = searched(it, base), searched(it, base - {left_out})
        assert classes(without) == brute_force(it)
        assert with_.coverage.pair_classes <= without.coverage.pair_classes
        assert with_.runs <= without.runs


def test_every_pair_is_tried_without_reductions() -> None:
    found = searched(team(0), frozenset())
    assert classes(found) == brute_force(team(0))
    assert found.coverage.pair_classes == found.coverage.pairs_in_all
    assert (
        found.coverage.pairs > found.coverage.pairs_in_all / 2
    )  # what is known to fail is not tried again


def test_coverage_states_both_numbers() -> None:
    coverage = searched(team(0)).coverage
    told = f"{coverage.pair_classes} of {coverage.pair_classes} classes of pairs of faults ({coverage.pairs_in_all} without reduction)"
    assert told in str(coverage)


def test_a_symmetry_that_forgets_which_call_of_a_sibling_fails_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def renamed(self: siblings.Siblings, faults: Sequence[Fault]) -> Hashable:
        """Takes the two calls of one sibling for calls of two."""
        return tuple(
            sorted((self._place.get(fault.call, (fault.call,))[0], fault.name) for fault in faults)
        )

    monkeypatch.setattr(siblings.Siblings, "renamed", renamed)
    assert [seed for seed in range(12) if classes(searched(team(seed))) != brute_force(team(seed))]


def test_outcomes_that_are_told_apart_too_little_are_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outcomes, "_what_came_of", lambda fault, trial: fault.call)
    only = frozenset({OUTCOMES})
    assert [
        seed for seed in range(4) if classes(searched(team(seed), only)) != brute_force(team(seed))
    ]


def test_siblings_of_which_a_single_fault_breaks_one_are_told_apart() -> None:
    def second_is_there(context: Context) -> Failure | None:
        calls = [call for call, _ in context.now.output["seen"]]  # type: ignore[index]  # as made up
        return Failure("check", "the second draft") if "main/work#2 draft" in calls else None

    def is_one_class(*properties: Property) -> bool:
        search = Search(team(0), properties, Budget(200, math.inf), FAULTS)
        Portfolio(search).run()
        clerk = Fault("main clerk", "overloaded")
        drafts = [Fault(f"{path} draft", "overloaded") for path in ("main/work", "main/work#2")]
        one, other = (PairClasses(search).of((clerk, draft)) for draft in drafts)
        return one == other

    assert is_one_class(is_whole)
    assert not is_one_class(is_whole, second_is_there)
