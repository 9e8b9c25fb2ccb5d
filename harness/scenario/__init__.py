"""The scenario file: what it may say (`schema.py`), and how it is read (`load.py`)."""

from __future__ import annotations

from harness.scenario.load import LoadedScenario, load_scenario
from harness.scenario.schema import Budget, Scenario, json_schema

__all__ = ["Budget", "LoadedScenario", "Scenario", "json_schema", "load_scenario"]
