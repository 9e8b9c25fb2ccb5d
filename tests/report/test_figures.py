"""Figures that people call themselves: of runs that have much to show, and of runs that have nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

from harness.errors import StoreError
from harness.report import figures
from harness.report.drawing import as_png
from harness.report.figures.axes import short_count
from harness.run import Simulation
from harness.run.record import record
from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, Table
from harness.store import RunRecord, Store

SCENARIO = Path(__file__).parents[2] / "scenarios" / "code_review.yaml"

Draw = Callable[[Store, list[int]], Figure]

ALL: dict[str, Draw] = {
    "latency_ecdf": figures.latency_ecdf,
    "cost_ecdf": figures.cost_ecdf,
    "critical_path": figures.critical_path,
    "failures": figures.failures,
    "flow": figures.flow,
    "waiting": figures.waiting,
    "seeds": figures.seeds,
    "pressure": lambda store, run_ids: figures.pressure(store, run_ids[0]),
    "timeline": lambda store, run_ids: figures.timeline(store, run_ids[0]),
    "timeline of a task": lambda store, run_ids: figures.timeline(store, run_ids[0], 1),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Store:
    simulation = Simulation(SCENARIO, overrides=["workload.tasks=6"])
    store = Store(tmp_path_factory.mktemp("figures") / "runs.duckdb")
    store.write([record(simulation.scenario, simulation.run(seed)) for seed in (1, 2, 3)])
    return store


@pytest.fixture
def nothing(tmp_path: Path) -> Store:
    fields: dict[str, Any] = {
        "scenario": "empty", "scenario_hash": "0", "status": "done", "tasks": 0, "warmup_tasks": 0, "makespan_s": 0.0,
        "wall_s": 0.0, "harness_version": "0", "commit_id": "", "source": "", "command": "", "metrics": {},
        "agent_metrics": {}, "spans": Table(SPAN_COLUMNS), "events": Table(EVENT_COLUMNS),
    }  # fmt: skip
    store = Store(tmp_path / "empty.duckdb")
    store.write([RunRecord(seed=seed, **fields) for seed in (1, 2)])
    return store


def test_every_exported_figure_is_tried_here() -> None:
    assert {name.partition(" ")[0] for name in ALL} == set(figures.__all__)


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_figure_is_the_same_picture_every_time(draw: Draw, runs: Store) -> None:
    before = dict(rcParams)
    first, second = (as_png(draw(runs, [1, 2])) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")
    assert dict(rcParams) == before, "nobody's own settings are touched"


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_run_that_did_nothing_gives_an_empty_figure(draw: Draw, nothing: Store) -> None:
    assert as_png(draw(nothing, [1, 2])).startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_run_that_is_not_there_is_named(draw: Draw, runs: Store) -> None:
    with pytest.raises(StoreError, match="there is no run 9"):
        draw(runs, [9])


def test_base_stands_beside_the_candidate(runs: Store) -> None:
    alone = figures.latency_ecdf(runs, [1])
    both = figures.latency_ecdf(runs, [1], [2, 3])
    assert [len(figure.axes[0].lines) for figure in (alone, both)] == [1, 2]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (4, "4"), (0.05, "0.05"), (300, "300"), (2500, "2,500"), (40_000, "40 k"), (1_500_000, "1.5 M")],
)  # fmt: skip
def test_counts_beside_an_axis_are_short(value: float, text: str) -> None:
    assert short_count(value) == text
