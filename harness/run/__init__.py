"""One run, and many: the first floor that knows both the simulation and its metrics.

`build.py` puts the parts of a run together, `one.py` executes it, `many.py` does so for many seeds, `outcome.py` says
what came out, and `simulation.py` is all of that for users of Python. `record.py` is what a store keeps of a run; it is
not imported here, so that processes that only simulate do not load a database.
"""

from __future__ import annotations

from harness.run.many import default_jobs, processes, simulate_jobs, simulate_many
from harness.run.one import RunResult, simulate
from harness.run.outcome import BudgetResult, Outcome, Results
from harness.run.simulation import Simulation

__all__ = [
    "BudgetResult",
    "Outcome",
    "Results",
    "RunResult",
    "Simulation",
    "default_jobs",
    "processes",
    "simulate",
    "simulate_jobs",
    "simulate_many",
]
