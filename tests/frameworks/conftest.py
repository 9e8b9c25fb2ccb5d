"""What tests of frameworks have in common: a run that must be the same again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.sim import ProgramRun, Sim
from harness.spans import as_json_lines


@pytest.fixture
def run_alike(sim: Sim) -> Callable[..., ProgramRun]:
    """Runs a program, sees that the same seed gives the same spans again and another does not, and returns the first run."""

    def run(program: Callable[..., object], *args: object) -> ProgramRun:
        first = sim.run(program, *args, seed=1)
        again = sim.run(program, *args, seed=1)
        other = sim.run(program, *args, seed=2)
        spans, *more = (as_json_lines(each.spans_table) for each in (first, again, other))
        assert again.output == first.output
        assert more[0] == spans
        assert more[1] != spans
        return first

    return run
