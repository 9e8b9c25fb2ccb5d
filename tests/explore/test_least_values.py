"""A time that is reported is the least that fails, and a fault the plainest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.explore.deviation import Deviation, Deviations, Fault, Latency, SlowAgent
from harness.explore.latencies import plainest
from harness.explore.observation import Observation
from harness.explore.properties import Failure
from harness.explore.shrink import Shrinker, Shrunk
from tests.explore.made_up import MadeUp

SUBJECT = MadeUp(breaks=(), changes=frozenset())
"""Agent a takes 2 s, b 3 s, and so on."""

Fails = Callable[[dict[str, float]], bool]


def shrunk(fails: Fails, *deviations: Deviation) -> Shrunk:
    """What is left of deviations when whether a run fails depends on how long each agent takes."""

    def look(tried: Deviations) -> tuple[Observation, Failure | None]:
        seen = SUBJECT.run(tried)
        failed = fails({site.agent: site.end_s for site in seen.sites})
        return seen, Failure("check", "late") if failed else None

    seen, failure = look(deviations)
    assert failure is not None
    return Shrinker(look, deviations, seen, failure, SUBJECT.run(()), 60).shrink()


@pytest.mark.parametrize("limit_s", [2.05, 4.2, 17.3, 44.0])
def test_a_call_is_as_late_as_it_must_be(limit_s: float) -> None:
    found = shrunk(lambda took: took["a"] > limit_s, Latency("a call", 150.0))
    (late,) = found.deviations
    assert isinstance(late, Latency)
    assert limit_s < late.takes_s <= limit_s * 1.06
    assert len(str(late.takes_s)) <= 6
    assert found.runs <= 12


def test_a_call_is_as_early_as_it_must_be() -> None:
    (early,) = shrunk(lambda took: took["e"] < 1.7, Latency("e call", 0.02)).deviations
    assert isinstance(early, Latency)
    assert 1.4 <= early.takes_s < 1.7


def test_two_calls_are_both_as_late_as_they_must_be() -> None:
    found = shrunk(
        lambda took: took["a"] > 9 and took["b"] > 12,
        Latency("a call", 45.0),
        Latency("b call", 150.0),
    )
    first, second = sorted(one.takes_s for one in found.deviations if isinstance(one, Latency))
    assert 9 < first < 9.6
    assert 12 < second < 12.7
    assert found.runs <= 20


def test_an_agent_as_a_whole_is_as_late_as_it_must_be() -> None:
    (late,) = shrunk(lambda took: took["a"] > 20, SlowAgent("a", 45.0)).deviations
    assert isinstance(late, SlowAgent)
    assert 20 < late.takes_s < 21.1


def test_a_call_that_fails_stands_for_one_that_is_damaged() -> None:
    def look(tried: Deviations) -> tuple[Observation, Failure | None]:
        return SUBJECT.run(tried), Failure("check", "wrong") if tried else None

    damaged = Fault("a call", "truncated", (("keep", 0.0),))
    seen, failure = look((damaged,))
    assert failure is not None
    found = Shrinker(look, (damaged,), seen, failure, SUBJECT.run(()), 60).shrink()
    assert found.deviations == (Fault("a call", "overloaded"),)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [(0, 100, 10), (3, 45, 10), (17.2, 17.9, 17.5), (9, 2, 4), (0, 0.1, 0.01)],
)
def test_the_middle_is_a_round_number(one: float, other: float, wanted: float) -> None:
    assert plainest(one, other) == wanted
