"""Sweeps: one scenario at many points of its settings, and the answers that such runs give.

`axes.py` and `points.py` say where to run, `plan.py` checks it, `driver.py` runs what the store does not hold yet on an
engine of `engines.py`, `results.py` reads it back, and `answers/` works on what was read.
"""

from __future__ import annotations

from harness.sweep.axes import Axis
from harness.sweep.driver import Sweeping
from harness.sweep.engines import Engine, engine_of
from harness.sweep.plan import Plan, plan_of
from harness.sweep.points import Point
from harness.sweep.results import PointResult, Swept, read

__all__ = [
    "Axis",
    "Engine",
    "Plan",
    "Point",
    "PointResult",
    "Sweeping",
    "Swept",
    "engine_of",
    "plan_of",
    "read",
]
