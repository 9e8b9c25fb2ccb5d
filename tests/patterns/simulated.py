"""Runs of the shipped scenarios, and what their spans say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.metrics import Metrics, summarise
from harness.run import RunResult, Simulation

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def simulated(name: str, *overrides: str, seed: int = 1) -> RunResult:
    """One run of a shipped scenario."""
    return Simulation(SCENARIOS / f"{name}.yaml", overrides=overrides).run(seed)


def rows(result: RunResult, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the spans of one kind, in the order in which they ended."""
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == kind]


def metrics_of(result: RunResult) -> Metrics:
    """The metrics of one run."""
    return summarise([result.tally])[0]
