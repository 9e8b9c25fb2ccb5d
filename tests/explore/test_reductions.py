"""A search with reductions finds every class that brute force finds, on small made-up subjects; a wrong reduction loses some."""

from __future__ import annotations

import math
import random  # noqa: TID251 - of a seed, to make up subjects
from itertools import combinations

import pytest

from harness.explore import portfolio
from harness.explore.budget import Budget
from harness.explore.deviation import Deviations, Fault
from harness.explore.exploration import Exploration
from harness.explore.portfolio import Portfolio
from harness.explore.properties import Context, Failure
from harness.explore.reductions import REDUCTIONS
from harness.explore.search import Search
from tests.explore.made_up import AGENTS, MadeUp

SUBJECTS = 30
RUNS = 150


def is_whole(context: Context) -> Failure | None:
    broken = context.now.output["broken"]  # type: ignore[index]  # as made up
    return Failure("check", broken[0], "", broken[0]) if broken else None


def made_up(seed: int) -> MadeUp:
    """A subject with one or two classes of one or two failures each, none within another."""
    chance = random.Random(seed)
    breaks: list[frozenset[str]] = []
    for _ in range(chance.randint(1, 2)):
        wanted = frozenset(chance.sample(AGENTS, chance.randint(1, 2)))
        if not any(one & wanted for one in breaks):
            breaks.append(wanted)
    return MadeUp(breaks, frozenset(chance.sample(AGENTS, chance.randint(0, 3))))


def brute_force(subject: MadeUp) -> set[str]:
    """The classes of all single failures and all pairs."""
    found = set()
    singles = [Fault(f"{agent} call", "overloaded") for agent in AGENTS]
    for size in (1, 2):
        for deviations in combinations(singles, size):
            broken = subject.run(deviations).output["broken"]  # type: ignore[index]  # as made up
            found |= set(broken)
    return found


def searched(subject: MadeUp, reductions: frozenset[str] = REDUCTIONS) -> Exploration:
    search = Search(subject, (is_whole,), Budget(RUNS, math.inf), reductions=reductions)
    return Portfolio(search).run()


@pytest.mark.parametrize("seed", range(SUBJECTS))
def test_reductions_lose_no_class(seed: int) -> None:
    subject = made_up(seed)
    found = searched(subject)
    assert {one.message for one in found.findings} == brute_force(subject)
    assert [len(one.overrides) for one in found.findings] == [
        one.message.count("'") // 2 for one in found.findings
    ]


@pytest.mark.parametrize("left_out", sorted(REDUCTIONS))
def test_each_reduction_can_be_switched_off(left_out: str) -> None:
    for seed in range(5):
        subject = made_up(seed)
        found = searched(subject, REDUCTIONS - {left_out})
        assert {one.message for one in found.findings} == brute_force(subject)


def test_a_wrong_reduction_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def tried_before(search: Search, deviations: Deviations) -> bool:
        """Takes two faults for the same when they are of one kind, at whatever calls."""
        kinds = sorted(getattr(one, "name", one.kind) for one in deviations)
        return any(
            kinds == sorted(getattr(one, "name", one.kind) for one in trial.deviations)
            for trial in search.trials.values()
        )

    monkeypatch.setattr(
        portfolio, "FIRST", ("down",)
    )  # what is drawn by chance finds them all the same
    monkeypatch.setattr(portfolio, "ROUND", ("fail", "pairs"))
    right = [made_up(seed) for seed in range(SUBJECTS)]
    assert all({it.message for it in searched(one).findings} == brute_force(one) for one in right)
    monkeypatch.setattr(Search, "is_spent_on", tried_before)
    lost = [
        seed
        for seed in range(SUBJECTS)
        if {one.message for one in searched(made_up(seed)).findings} != brute_force(made_up(seed))
    ]
    assert lost
