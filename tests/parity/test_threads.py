"""Thread programs drawn at random have one log wherever they run, and it is one that real threads write, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import pytest

from harness import wall
from tests.parity.drawn_threads import (
    BRANCHES,
    LEAVES,
    Line,
    Log,
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
LONGEST_S = 20.0
"""How long the real runs of one program may take together; a run that keeps time shows within one or two what it has to show."""
PUNCTUAL = 5
"""How many runs that kept time are enough to say that a log never occurs."""
CHOICES = 200
SWITCH_INTERVALS_S = (5e-3, 1e-4, 1e-6)
"""How long a real thread runs before another may go on: the default, and less, for other orders."""
SHORTEST_UNIT_S, LONGEST_UNIT_S, LONGER = 0.003, 0.05, 1.25
"""What a duration of 1 is in real runs: first short, then longer and longer, for a busy machine."""


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def digests_of_another_process(python: str, programs: list[list[Step]], seed: str) -> list[str]:
    done = subprocess.run(
        [python, "-m", "tests.parity.drawn_threads"],
        cwd=HOUSE,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HOUSE)},
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def check_one_log(numbers: range) -> None:
    programs = [drawn(number) for number in numbers]
    first = [digest(program) for program in programs]
    assert len(set(first)) == len(numbers)
    assert [digest(program) for program in reversed(programs)] == first[::-1]
    for python, hash_seed in [
        (sys.executable, "0"),
        (sys.executable, "4711"),
        *((python, "1") for python in OTHER_PYTHONS),
    ]:
        assert digests_of_another_process(python, programs, hash_seed) == first, python


def is_in_step(real_log: list[Line], expected: Log) -> bool:
    """Whether a log is the expected one, but for the order of what different threads do at one instant."""
    left = iter(real_log)
    for _, instant in groupby(expected, key=itemgetter(0)):
        wanted = lines(list(instant))
        if sorted(map(repr, wanted)) != sorted(map(repr, islice(left, len(wanted)))):
            return False
    return next(left, None) is None


def check_real_runs(number: int) -> None:
    """The log occurs among real runs, or one does in which other threads got the contended locks.

    Real threads run side by side, so that the order at one instant is theirs.

    A busy machine does not keep the time: what happened there and did not happen in virtual time says nothing.
    """
    expected, seen, punctual = simulated(number), list[list[Line]](), 0
    began_s = wall.elapsed_s()
    for attempt in range(REAL_RUNS):
        sys.setswitchinterval(SWITCH_INTERVALS_S[attempt % len(SWITCH_INTERVALS_S)])
        log, was_punctual = real(number, min(SHORTEST_UNIT_S * LONGER**attempt, LONGEST_UNIT_S))
        seen.append(log)
        punctual += was_punctual
        if is_in_step(log, expected):
            return
        if wall.elapsed_s() - began_s > LONGEST_S:
            break
    if any(lines(simulated(number, order=order)) in seen for order in range(CHOICES)):
        return
    if punctual < PUNCTUAL:
        pytest.skip(f"the machine is busy: {punctual} of {len(seen)} real runs kept the time")
    pytest.fail(
        f"program {number} has in virtual time, in any order, a log that it never has in reality:\n{lines(expected)}\n"
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
