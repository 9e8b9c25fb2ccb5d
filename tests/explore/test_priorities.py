"""Orders by priority (PCT) hit a fault of depth d at least as often as their bound 1 / (n k^(d-1)) says."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

import pytest

from harness.explore.apply import DeviatedChoices
from harness.explore.deviation import Priorities
from harness.sim import Sim

RUNS = {1: 200, 2: 200, 3: 400}
"""By depth."""
THREADS = {1: 3, 2: 3, 3: 2}
"""By depth, the main thread among them."""


def in_threads(*work: Callable[[], None], meanwhile: Callable[[], None] | None = None) -> None:
    errors: list[AssertionError] = []

    def run(each: Callable[[], None]) -> None:
        try:
            each()
        except AssertionError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,), name=each.__name__) for each in work]
    for thread in threads:
        thread.start()
    if meanwhile is not None:
        meanwhile()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def used_before_made() -> None:
    """Depth 1: one thread has to run before the other."""
    lock, things = threading.Lock(), list[str]()

    def maker() -> None:
        with lock:
            things.append("made")

    def user() -> None:
        with lock:
            assert things, "used before it was made"

    in_threads(maker, user)


def lost_update() -> None:
    """Depth 2: one thread has to run between two steps of the other."""
    lock, count = threading.Lock(), [0]

    def add() -> None:
        with lock:
            read = count[0]
        with lock:
            count[0] = read + 1

    in_threads(add, add)
    assert count == [2], "an update was lost"


def seen_halfway() -> None:
    """Depth 3: a reader between two writes, and another write between two reads."""
    lock, pair = threading.Lock(), {"a": 0, "b": 0}

    def write() -> None:
        with lock:
            pair["a"] = 1
        with lock:
            pair["b"] = 1

    def read() -> None:
        with lock:
            a = pair["a"]
        with lock:
            b = pair["b"]
        with lock:
            again = pair["b"]
        assert not (a == 1 and b == 0 and again == 1), "seen halfway"

    in_threads(read, meanwhile=write)


PROGRAMS: Sequence[tuple[Callable[[], None], int]] = (
    (used_before_made, 1),
    (lost_update, 2),
    (seen_halfway, 3),
)


@pytest.mark.parametrize(("program", "depth"), PROGRAMS)
def test_priorities_hit_at_least_as_often_as_their_bound(
    program: Callable[[], None], depth: int
) -> None:
    sim = Sim(1)
    seen = DeviatedChoices(())
    sim.run(program, choices=seen)
    hits = 0
    for seed in range(RUNS[depth]):
        try:
            sim.run(program, choices=DeviatedChoices((Priorities(seed, depth, seen.orders),)))
        except AssertionError:
            hits += 1
    bound = 1 / (THREADS[depth] * seen.orders ** (depth - 1))
    spread = math.sqrt(bound * (1 - bound) / RUNS[depth])
    assert hits > 0
    assert hits / RUNS[depth] >= bound - 2 * spread, (hits, seen.orders)


@pytest.mark.parametrize(("program", "depth"), PROGRAMS)
def test_a_search_finds_and_shrinks_an_order_of_threads(
    program: Callable[[], None], depth: int
) -> None:
    found = Sim(1).explore(program, runs=300, at_most=1)
    (finding,) = found.findings
    assert finding.kind == "AssertionError"
    assert len(finding.overrides) <= depth
