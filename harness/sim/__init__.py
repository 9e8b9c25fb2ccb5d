"""A user's own program in simulated time: the `sim` of a test, and what it says of a run.

`sim.py` is what a test speaks to; `observed_run.py` is what was observed of a run, `program_run.py` what can be asserted
of it, `explain.py` how it is told in words.
"""

from __future__ import annotations

from harness.sim.program_run import ProgramRun
from harness.sim.sim import Sim

__all__ = ["ProgramRun", "Sim"]
