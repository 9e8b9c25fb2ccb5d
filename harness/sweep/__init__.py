"""Sweeps: one scenario at many points of its settings, and the answers that such runs give.

`axes.py` and `points.py` say where to run, `plan.py` checks it, `driver.py` runs what the store does not hold yet on an
engine of `engines.py`, `results.py` reads it back, and `answers/` works on what was read. A worker imports `work.py`, so each
name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.sweep.axes import Axis
    from harness.sweep.driver import Sweeping
    from harness.sweep.engines import Engine, engine_of
    from harness.sweep.plan import Plan, plan_of
    from harness.sweep.points import Point
    from harness.sweep.results import PointResult, Swept, read

_HOMES = {
    "Axis": "harness.sweep.axes",
    "Engine": "harness.sweep.engines",
    "Plan": "harness.sweep.plan",
    "Point": "harness.sweep.points",
    "PointResult": "harness.sweep.results",
    "Sweeping": "harness.sweep.driver",
    "Swept": "harness.sweep.results",
    "engine_of": "harness.sweep.engines",
    "plan_of": "harness.sweep.plan",
    "read": "harness.sweep.results",
}

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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'harness.sweep' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
