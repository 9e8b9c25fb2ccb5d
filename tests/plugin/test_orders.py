"""Faults that only another order of threads shows are found by some seed, on the marker and on a run, and found again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from harness.errors import Deadlock
from harness.sim import Sim

Project = Callable[..., pytest.RunResult]

APP = """
import threading


def both(work):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lock_order():
    locks = [threading.Lock(), threading.Lock()]

    def work(number):
        with locks[number], locks[1 - number]:
            pass

    both(work)


def lost_update():
    lock, counter = threading.Lock(), [0]

    def work(_):
        with lock:
            read = counter[0]
        with lock:
            counter[0] = read + 1

    both(work)
    assert counter == [2], "an update was lost"


def missed_notify():
    ready = threading.Condition()

    def work(number):
        with ready:
            ready.wait() if number == 0 else ready.notify()

    both(work)
"""

PROGRAMS = ("lock_order", "lost_update", "missed_notify")
SEEDS = range(1, 51)


def program(name: str) -> Callable[[], None]:
    space: dict[str, Callable[[], None]] = {"threading": threading}  # type: ignore[dict-item]
    exec(APP, space)
    return space[name]


def fails(name: str, seed: int) -> str:
    """How a run fails; empty if it does not."""
    try:
        Sim(1).run(program(name), seed=seed, order="random")
    except (Deadlock, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_some_run_of_fifty_finds_the_fault_and_finds_it_again(name: str) -> None:
    Sim(1).run(program(name))  # in the order of arrival it works
    found = {seed: fails(name, seed) for seed in SEEDS}
    broken = [seed for seed, how in found.items() if how]
    assert 0 < len(broken) < len(SEEDS)
    assert {seed: fails(name, seed) for seed in SEEDS} == found


@pytest.mark.parametrize("name", PROGRAMS)
def test_some_seed_of_the_marker_finds_the_fault_and_its_command_finds_it_again(
    project: Project, name: str
) -> None:
    test = f"""
{APP}
@pytest.mark.sim(order="random", runs=50)
def test_it(sim):
    sim.run({name})
"""
    result = project(test)
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] > 0
    assert outcomes["passed"] > 0
    seeds = re.findall(r"^FAILED \S*test_it\[seed=(\d+)\]", result.stdout.str(), re.MULTILINE)
    again = project(test, "--sim-seed", seeds[0])
    again.assert_outcomes(failed=1)


@pytest.mark.parametrize("name", PROGRAMS)
def test_order_of_arrival_passes_on_every_seed(project: Project, name: str) -> None:
    project(
        f"{APP}\n@pytest.mark.sim(runs=5)\ndef test_it(sim):\n    sim.run({name})\n"
    ).assert_outcomes(passed=5)
