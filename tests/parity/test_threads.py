"""Thread programs drawn at random have one log wherever they run, and it is one that real threads write, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parity.drawn_threads import (
    BRANCHES,
    LEAVES,
    Line,
    Step,
    digest,
    drawn,
    lines,
    real,
    simulated,
)
from tests.run.test_same_bytes import OTHER_PYTHONS

HOUSE = Path(__file__).parents[2]

FEW, MANY = range(15), range(200)

REAL_RUNS = 50
CHOICES = 200
SWITCH_INTERVALS_S = (5e-3, 1e-4, 1e-6)
"""How long a real thread runs before another may go on: the default, and less, for other orders."""
UNITS_S = (0.003, 0.006, 0.012, 0.025, 0.05)
"""What a duration of 1 is in real runs: first short, then longer and longer, for a busy machine."""


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def digests_of_another_process(python: str, numbers: range, hash_seed: str) -> list[str]:
    done = subprocess.run(
        [python, "-m", "tests.parity.drawn_threads", str(numbers.start), str(numbers.stop)],
        cwd=HOUSE,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def check_one_log(numbers: range) -> None:
    first = [digest(number) for number in numbers]
    assert len(set(first)) == len(numbers)
    assert [digest(number) for number in reversed(numbers)] == first[::-1]
    for python, hash_seed in [
        (sys.executable, "0"),
        (sys.executable, "4711"),
        *((python, "1") for python in OTHER_PYTHONS),
    ]:
        assert digests_of_another_process(python, numbers, hash_seed) == first, python


def check_real_runs(number: int) -> None:
    """The log occurs among real runs, or one does in which other threads got the contended locks."""
    expected, seen = lines(simulated(number)), list[list[Line]]()
    for attempt in range(REAL_RUNS):
        sys.setswitchinterval(SWITCH_INTERVALS_S[attempt % len(SWITCH_INTERVALS_S)])
        seen.append(real(number, UNITS_S[attempt * len(UNITS_S) // REAL_RUNS]))
        if seen[-1] == expected:
            return
    assert any(lines(simulated(number, order=order)) in seen for order in range(CHOICES)), (
        f"program {number} has in virtual time, in any order, a log that it never has in reality:\n{expected}\n"
        f"in reality, for example:\n{seen[0]}"
    )


def test_log_is_the_same_in_every_process() -> None:
    check_one_log(FEW)


@pytest.mark.parametrize("number", FEW)
def test_log_occurs_among_real_runs(number: int) -> None:
    check_real_runs(number)


@pytest.mark.slow
def test_logs_of_two_hundred_programs_are_the_same_in_every_process() -> None:
    check_one_log(MANY)


@pytest.mark.slow
@pytest.mark.parametrize("number", MANY[len(FEW) :])
def test_logs_of_two_hundred_programs_occur_among_real_runs(number: int) -> None:
    check_real_runs(number)


def test_programs_do_everything_that_threads_can() -> None:
    def kinds(steps: list[Step]) -> Iterator[str]:
        for kind, *said in steps:
            yield kind
            for part in said:
                if isinstance(part, list) and part and isinstance(part[0], list):
                    for job in part:
                        yield from kinds(job)
                elif isinstance(part, list) and part and isinstance(part[0], tuple):
                    yield from kinds(part)

    found = {kind for number in range(60) for kind in kinds(drawn(number))}
    assert found == {*LEAVES, *BRANCHES}
