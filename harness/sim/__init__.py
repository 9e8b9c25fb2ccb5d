"""A user's program in virtual time: the `sim` fixture of a test, and its run results.

`sim.py` is the fixture; `program_run.py` the result of a run with its assertions,
`explain.py` a description of the run in words.
"""

from __future__ import annotations

from harness.sim.program_run import ProgramRun
from harness.sim.sim import Sim

__all__ = ["ProgramRun", "Sim"]
