"""Each planted bug is what the table says."""

from __future__ import annotations

import functools
import itertools
import logging
import ssl
from collections import Counter
from collections.abc import Iterator

import pytest

from harness.sim import Sim
from tests.zoo.crowd import beside_the_crowd, describe_crowd
from tests.zoo.planted import ZOO, Fault, Late, Planted, Tool
from tests.zoo.running import run
from tests.zoo.singles import breaking, calls_of, single_faults, single_latencies
from tests.zoo.table import HALF_OF, HALVES, TABLE

PAIRS = [bug for bug in TABLE if len(bug.minimum) == 2]

each = pytest.mark.parametrize("bug", TABLE, ids=lambda bug: bug.name)
each_pair = pytest.mark.parametrize("bug", PAIRS, ids=lambda bug: bug.name)


@pytest.fixture(autouse=True, scope="module")
def quick_and_quiet() -> Iterator[None]:
    """All clients share a TLS context, which nobody uses; tasks whose error nobody asks for are not told."""
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield
    logger.setLevel(level)


@each
def test_program_passes_undisturbed_and_so_does_its_twin(bug: Planted) -> None:
    passing, twin = run(bug), run(bug, fixed=True)
    assert passing.wrong is None
    assert twin.wrong is None
    known = {(agent, call) for agent, call, _ in calls_of(passing)}
    deviated = [(it.agent, it.call) for it in bug.minimum if isinstance(it, Fault | Late)]
    used = {use.key for use in passing.choices.uses}
    are_known = known.issuperset(deviated) and used.issuperset(
        it.use for it in bug.minimum if isinstance(it, Tool)
    )
    assert bug.depth == (1 if are_known else 2)


@each
def test_planted_deviations_show_the_bug_and_not_in_the_twin(bug: Planted) -> None:
    shown = run(bug, bug.minimum)
    assert shown.wrong is not None
    assert isinstance(shown.wrong, AssertionError) == bug.by_check
    assert shown.choices.unmet == ()
    assert len(shown.met) == sum(isinstance(it, Fault | Late) for it in bug.minimum)
    assert run(bug, bug.minimum, fixed=True).wrong is None


@each_pair
def test_no_part_of_a_pair_and_no_single_fault_breaks_it(bug: Planted) -> None:
    assert breaking(bug, iter(bug.minimum)) == []
    assert breaking(bug, single_faults(run(bug))) == []


@pytest.mark.slow
@each_pair
def test_no_single_latency_breaks_a_pair(bug: Planted) -> None:
    assert breaking(bug, single_latencies(run(bug))) == []


@pytest.mark.parametrize("name", ["unguarded_answer", "budget_read_before_the_call"])
def test_crowd_beside_a_program_changes_nothing_of_it(name: str) -> None:
    bug = ZOO[name]
    sim = Sim()
    bug.describe(sim)
    describe_crowd(sim)
    crowded = sim.run(beside_the_crowd(bug.program))
    assert crowded.output == run(bug).run.output
    assert len(crowded.all_calls) - len(run(bug).run.all_calls) == 36


def test_halves_alternate_within_each_kind() -> None:
    assert set(HALF_OF) == set(ZOO)
    for kind in {bug.kind for bug in TABLE}:
        halves = [HALVES[bug.name] for bug in TABLE if bug.kind == kind and bug.name in HALVES]
        assert all(one != other for one, other in itertools.pairwise(halves)), kind


def test_zoo_has_enough_of_everything() -> None:
    kinds = Counter(bug.kind for bug in TABLE if bug.name in HALVES)
    assert len(TABLE) >= 28
    assert len(PAIRS) >= 12
    assert min(kinds.values()) >= 2
    assert abs(2 * list(HALVES.values()).count("A") - len(HALVES)) <= 2
