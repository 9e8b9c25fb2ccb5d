"""What a call of a pattern costs, beside the same thing in bare SimPy.

Counted and not timed, as in `tests/kernel/test_cost_of_a_step.py`: instructions of Python, which are the same on every day. The
benchmarks of calls and of policies measure time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from benchmarks.bare import CALLS_PER_TASK, Bare, BareWithPolicies
from benchmarks.policies import stubs, with_policies
from benchmarks.workload import scenario
from harness.run.build import PatternRun

FEW, MANY = 4, 12
"""Tasks; their difference is without what a run costs at its beginning."""


def per_call(run: Callable[[int], object]) -> float:
    """Instructions of Python for each call."""
    run(FEW)  # what is imported or read once
    return (_counted(run, MANY) - _counted(run, FEW)) / (MANY - FEW) / CALLS_PER_TASK


def _counted(run: Callable[[int], object], tasks: int) -> int:
    count = 0

    def step(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - itself
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return step

    outer = sys.gettrace()
    sys.settrace(step)
    try:
        run(tasks)
    finally:
        sys.settrace(outer)
    return count


def bare(tasks: int) -> object:
    return Bare(tasks).cpu_s()


def simulated(*changes: str) -> Callable[[int], object]:
    loaded = {tasks: scenario(tasks, *changes) for tasks in (FEW, MANY)}

    def run(tasks: int) -> object:
        world = PatternRun(loaded[tasks], 1)
        world.execute()
        assert set(world.log.spans.values("status")) == {"ok"}
        return world.log.events

    return run


def test_call_without_policies() -> None:
    assert per_call(simulated()) < 3.0 * per_call(bare)


def test_call_with_every_policy(tmp_path: Path) -> None:
    ours = per_call(simulated(with_policies(), *stubs(tmp_path)))
    assert ours < 5.4 * per_call(bare)
    assert ours < 1.4 * per_call(lambda tasks: BareWithPolicies(tasks).cpu_s())


@pytest.mark.parametrize("program", [Bare, BareWithPolicies])
def test_bare_program_records_each_call_and_each_task(program: type[Bare]) -> None:
    world = program(5)
    world.cpu_s()
    assert len(world.rows) == 5 * (CALLS_PER_TASK + 1)
