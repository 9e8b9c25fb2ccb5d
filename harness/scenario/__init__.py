"""The scenario file: what it may say (`schema.py`), and how it is read (`load.py`)."""

from __future__ import annotations

from harness.scenario.load import LoadedScenario, load_scenario
from harness.scenario.schema import Budget, Scenario

__all__ = ["Budget", "LoadedScenario", "Scenario", "load_scenario"]
