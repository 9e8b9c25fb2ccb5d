"""The scenario file: its schema (`schema.py`) and its loader (`load.py`)."""

from __future__ import annotations

from harness.scenario.bounds import Budget, GateLimit
from harness.scenario.load import LoadedScenario, load_scenario, load_spec
from harness.scenario.schema import AnyScenario, Scenario, TargetScenario

__all__ = [
    "AnyScenario",
    "Budget",
    "GateLimit",
    "LoadedScenario",
    "Scenario",
    "TargetScenario",
    "load_scenario",
    "load_spec",
]
