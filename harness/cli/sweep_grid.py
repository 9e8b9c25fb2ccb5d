"""`harness sweep --grid`: the points that are asked for are run, printed and drawn."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.cli.sweep_asked import Asked
from harness.cli.sweep_output import given_up, print_status, print_sweep
from harness.cli.sweep_page import page_of, shown_metrics
from harness.cli.sweep_progress import SweepProgress
from harness.report import drawing
from harness.report.index import write_index
from harness.report.sweep import write_sweep
from harness.run.keep import write
from harness.store import Store
from harness.sweep.answers import Condition, condition_of, decide
from harness.sweep.driver import Sweeping, seeds_there
from harness.sweep.engines import HERE, Engine
from harness.sweep.plan import Plan, plan_of
from harness.sweep.points import Point
from harness.sweep.results import Swept, read

_PAGES: Final = Path("reports")
"""Where the page is written, if nothing is said."""


def sweep_grid(
    asked: Asked,
    points: tuple[Point, ...],
    engine: Engine,
    *,
    shards: Path | None,
    store: Path,
    output: str,
) -> int:
    """Run what is missing, keep it, and print and draw what came out; see `harness.cli.sweep.sweep_file`."""
    conditions = tuple(condition_of(text) for text in asked.conditions)
    plan, kept = _plan(asked, points), Store(store)
    there = _there(plan, kept)
    write(kept, [])  # tells now, and not after the work, when it cannot be written
    with SweepProgress() as progress:
        probe_s = _probe_s(plan, kept)
        progress.begin(len(plan.points), len(plan.seeds), sum(there), engine.jobs, probe_s)
        sweeping = Sweeping(kept, engine, shards, progress)
        if (
            engine != HERE
        ):  # this process waits for its workers; beside runs of its own there must be no thread that imports
            threading.Thread(target=drawing.load, daemon=True).start()
        swept, notes = _swept(plan, conditions, sweeping, asked)
    notes += given_up(sweeping.given_up, plan.points)
    metrics = shown_metrics(asked.metrics, conditions)
    folder = asked.folder or _PAGES
    page = page_of(swept, metrics, conditions, asked.pass_k, notes)
    written = write_sweep(page, folder)[0]
    write_index(kept, folder)
    print_sweep(
        page,
        swept,
        output,
        made=sweeping.made + (probe_s is not None),
        store=store,
        written=written,
    )
    worked = any(result.means.get("success_rate", 0) > 0 for result in swept.results)
    return EXIT_PASS if worked and not sweeping.given_up else EXIT_FAILED


def tell_status(asked: Asked, points: tuple[Point, ...], store: Path, output: str) -> int:
    """Print how much of a sweep is stored."""
    plan = _plan(asked, points)
    print_status(plan, _there(plan, Store(store)), output)
    return EXIT_PASS


def _plan(asked: Asked, points: tuple[Point, ...]) -> Plan:
    return plan_of(asked.file, points, overrides=asked.overrides, runs=asked.runs, seed=asked.seed)


def _swept(
    plan: Plan, conditions: tuple[Condition, ...], sweeping: Sweeping, asked: Asked
) -> tuple[Swept, list[str]]:
    """Run all points; with conditions, with more seeds where they are unclear."""
    both = list(zip(plan.points, plan.scenarios, strict=True))
    if not conditions:
        sweeping.ensure([(point.number, scenario, plan.seeds) for point, scenario in both])
        return read(sweeping.store, [(*one, plan.seeds) for one in both]), []
    found = decide(
        sweeping,
        both,
        conditions,
        first_seed=plan.seeds[0],
        seeds=len(plan.seeds),
        budget=asked.budget,
    )
    swept = Swept(
        scenario=plan.scenarios[0].spec.scenario,
        keys=tuple(key for key, _ in plan.points[0].values),
        results=found.results,
    )
    return swept, [f"It ended early: {found.spent}."] if found.spent else []


def _probe_s(plan: Plan, store: Store) -> float | None:
    """What a first run takes here, so that the rest can be estimated [real s]; None if the first point is done."""
    first = (plan.points[0].number, plan.scenarios[0], plan.seeds[:1])
    probe = Sweeping(store, HERE)
    return probe.cpu_s if probe.ensure([first]) else None


def _there(plan: Plan, store: Store) -> list[int]:
    """How many runs of each point are stored."""
    there = seeds_there(store, [scenario.digest for scenario in plan.scenarios])
    return [len(there.get(it.digest, set()) & set(plan.seeds)) for it in plan.scenarios]
