"""A second deviation is added to each single one that led to a story, whichever run had that story first."""

from __future__ import annotations

import math
from dataclasses import replace

from harness.explore.budget import Budget
from harness.explore.deviation import Cancel, Deviation, Deviations, Down, Fault, Latency
from harness.explore.observation import Bounds, Observation
from harness.explore.portfolio import Portfolio
from harness.explore.properties import Context, Failure
from harness.explore.search import Search
from harness.explore.shrink import at_same_event
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


def test_moments_of_a_run_are_without_the_agents_that_are_left_out_whatever_was_asked_before() -> (
    None
):
    passing = begun().passing
    assert 2.0 in passing.timeline(()).moments  # the end of the call of agent a
    assert 2.0 not in passing.timeline(("a",)).moments


def test_an_agent_is_not_unrelated_because_all_failures_are_survived() -> None:
    search = Search(MadeUp(breaks=(), changes=frozenset()), (all_is_well,), Budget(40, math.inf))
    Portfolio(search).run()
    assert not search.irrelevant
    some = Search(MadeUp(breaks=(), changes=frozenset("a")), (all_is_well,), Budget(40, math.inf))
    Portfolio(some).run()
    assert set(some.irrelevant) == set("bcde")


def test_a_call_that_seemed_unrelated_is_raced_as_well() -> None:
    search = Search(MadeUp(breaks=(), changes=frozenset("a")), (all_is_well,), Budget(90, math.inf))
    Portfolio(search).run()
    assert any(
        isinstance(one, Latency) and one.call == "b call"
        for trial in search.trials.values()
        if len(trial.deviations) == 1 and trial.strategy == "aside"
        for one in trial.deviations
    )


def test_a_deviation_that_only_moved_an_event_is_left_out_with_it() -> None:
    subject = MadeUp(breaks=(), changes=frozenset())
    passing = subject.run(())
    late = subject.run((Latency("a call", 9.0),))
    (moved,) = at_same_event(Cancel("task", 9.5), late, passing)
    assert moved == Cancel("task", 2.5)  # half a second after the end of the same call


def test_another_time_of_a_late_call_does_not_stand_for_the_longer_ones() -> None:
    search = Search(Late(), (all_is_well,), Budget(20, math.inf))
    search.begin()
    search.trial((Latency("a call", 9.0),), "again")
    assert bases(search) == []
    search.trial((Latency("a call", 45.0),), "race")
    assert bases(search) == [(Latency("a call", 45.0),)]


class Late(MadeUp):
    """The output tells whether a call is late."""

    def __init__(self) -> None:
        super().__init__(breaks=(), changes=frozenset())

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        seen = super().run(deviations, bounds)
        return replace(seen, output=seen.latency_s > 8)
