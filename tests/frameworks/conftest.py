"""What tests of frameworks have in common: a run that must be the same again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.sim import ProgramRun, Sim
from harness.spans import as_json_lines


@pytest.fixture
def run_twice(sim: Sim) -> Callable[..., ProgramRun]:
    """Runs a program twice with one seed, sees that the spans and what it returns are the same, and returns the first run."""

    def run(program: Callable[..., object], *args: object) -> ProgramRun:
        first, again = (sim.run(program, *args, seed=1) for _ in range(2))
        assert again.output == first.output
        assert as_json_lines(again.spans_table) == as_json_lines(first.spans_table)
        return first

    return run


@pytest.fixture
def run_alike(sim: Sim, run_twice: Callable[..., ProgramRun]) -> Callable[..., ProgramRun]:
    """Runs a program, sees that the same seed gives the same spans again and another does not, and returns the first run."""

    def run(program: Callable[..., object], *args: object) -> ProgramRun:
        first = run_twice(program, *args)
        other = sim.run(program, *args, seed=2)
        assert as_json_lines(other.spans_table) != as_json_lines(first.spans_table)
        return first

    return run
