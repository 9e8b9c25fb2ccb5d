"""A second deviation is added to each single one that led to a story, whichever run had that story first."""

from __future__ import annotations

import math

from harness.explore.deviation import Deviation, Down, Fault, Latency
from harness.explore.properties import Context, Failure
from harness.explore.search import Budget, Search
from tests.explore.made_up import MadeUp

A, B = Fault("a call", "overloaded"), Latency("b call", 9.0)


def all_is_well(context: Context) -> Failure | None:
    return None


def begun() -> Search:
    search = Search(MadeUp(breaks=(), changes=frozenset("a")), (all_is_well,), Budget(20, math.inf))
    search.begin()
    return search


def bases(search: Search) -> list[tuple[Deviation, ...]]:
    return [trial.deviations for trial in search.followups]


def test_a_story_that_several_deviations_led_to_first_is_a_base_of_the_single_one() -> None:
    search = begun()
    search.trial((A, B), "dense")
    assert bases(search) == []
    search.trial((A,), "fail")
    assert bases(search) == [(A,)]
    assert search.changing() == [(A,)]


def test_a_story_that_an_agent_that_is_down_led_to_is_followed_once_and_paired_by_its_call() -> (
    None
):
    search = begun()
    search.trial((Down("a"),), "down")
    search.trial((A,), "fail")
    assert bases(search) == [(Down("a"),)]
    assert search.changing() == [(A,)]
