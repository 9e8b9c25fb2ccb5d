"""One run, and many: the layer that uses both the simulation and the results.

`build.py` assembles the parts of a run, `one.py` executes it, `many.py` does so for many seeds, `outcome.py` holds
the results, and `simulation.py` is the Python interface. `record.py` is what a store keeps of a run; it is
not imported here, so that processes that only simulate do not load a database.
"""

from __future__ import annotations

from harness.run.many import default_jobs, simulate_each, simulate_many
from harness.run.one import RunResult, simulate
from harness.run.outcome import BudgetResult, Outcome, Results
from harness.run.pool import processes
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
    "simulate_each",
    "simulate_many",
]
