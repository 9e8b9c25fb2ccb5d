"""`harness sweep`: one scenario at many points, and the answers that they give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.cli.sweep_asked import (
    Asked,
    check_find,
    check_grid,
    check_metrics,
    points,
    with_section,
)
from harness.cli.sweep_output import print_capacity, print_status, print_sweep
from harness.cli.sweep_page import page_of, shown_metrics
from harness.cli.sweep_progress import SweepProgress
from harness.errors import HarnessError
from harness.report.index import write_index
from harness.report.sweep import write_sweep
from harness.run import default_jobs
from harness.run.keep import write
from harness.scenario import LoadedScenario, load_scenario
from harness.store import Store
from harness.sweep.answers import Capacity, Condition, condition_of, decide, find_capacity
from harness.sweep.answers.capacity import PRECISION
from harness.sweep.answers.decide import FIRST_SEEDS
from harness.sweep.axes import axis
from harness.sweep.driver import Sweeping, seeds_there
from harness.sweep.engines import HERE, engine_of, lasting
from harness.sweep.plan import Plan, plan_of
from harness.sweep.points import Point
from harness.sweep.results import Swept, read

_PAGES: Final = Path("reports")
"""Where the page is written, if nothing is said."""


def sweep_file(
    asked: Asked,
    *,
    engine: str,
    jobs: int | None,
    shards: Path | None,
    only_status: bool,
    store: Path,
    output: str,
) -> int:
    """Run what is missing, keep it, and print and draw what came out.

    Args:
        asked: What is asked.
        engine: Where runs are executed; see `harness.sweep.engines`.
        jobs: How many at once; None for what is worth it.
        shards: Where workers leave runs; None if they send them back.
        only_status: Whether only what is done is told.
        store: Where the runs are kept.
        output: `table` or `json`.

    Returns:
        The exit code.

    Raises:
        HarnessError: The question or the scenario is wrong, or a run cannot continue.
    """
    base = load_scenario(asked.file, overrides=asked.overrides)
    asked = with_section(asked, base.spec.sweep)
    conditions = tuple(condition_of(text) for text in asked.conditions)
    check_metrics(asked.metrics)
    kept = Store(store)
    if asked.find is not None:
        check_find(asked, conditions, only_status=only_status)
        workers = engine_of(engine, jobs, default_jobs(base, FIRST_SEEDS))
        write(kept, [])  # tells now, and not after the work, when it cannot be written
        with SweepProgress() as progress, lasting(workers) as engine_kept:
            sweeping = Sweeping(kept, engine_kept, shards, progress)
            found = _found(asked, base, conditions, sweeping)
        notes = _given_up(sweeping, (it.result.point for it in found.tried))
        print_capacity(found, base.spec.scenario, output, notes)
        return EXIT_PASS if found.good is not None and not sweeping.given_up else EXIT_FAILED
    check_grid(asked, conditions)
    plan = plan_of(
        asked.file, points(asked), overrides=asked.overrides, runs=asked.runs, seed=asked.seed
    )
    there = _there(plan, kept)
    if only_status:
        print_status(plan, there, output)
        return EXIT_PASS
    workers = engine_of(engine, jobs, default_jobs(base, plan.runs))
    write(kept, [])
    with SweepProgress() as progress, lasting(workers) as engine_kept:
        probe_s = _probe_s(plan, kept)
        progress.begin(len(plan.points), len(plan.seeds), sum(there), workers.jobs, probe_s)
        sweeping = Sweeping(kept, engine_kept, shards, progress)
        swept, notes = _swept(plan, conditions, sweeping, asked)
    notes += _given_up(sweeping, plan.points)
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


def _found(
    asked: Asked, base: LoadedScenario, conditions: tuple[Condition, ...], sweeping: Sweeping
) -> Capacity:
    assert asked.find is not None, "asked before"
    direction, key = asked.find
    between = None
    if asked.between is not None:
        between = axis(key, asked.between, f"--between {asked.between}")
        if not between.is_range:
            raise HarnessError(
                f"--between {asked.between}: this is no range\n  How to fix: write LOW..HIGH, such as --between 0.1..2.0"
            )
    return find_capacity(
        sweeping,
        asked.file,
        key,
        conditions,
        direction=direction,
        between=between,
        precision=asked.precision or PRECISION,
        overrides=asked.overrides,
        first_seed=base.spec.seed if asked.seed is None else asked.seed,
        seeds=asked.runs or FIRST_SEEDS,
        budget=asked.budget,
    )


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


def _given_up(sweeping: Sweeping, points: Iterable[Point]) -> list[str]:
    names = {point.number: point.name for point in points}
    return [
        f"Seed {seed} of {names[point]} took its worker with it three times, and was given up."
        for point, seed in sweeping.given_up
    ]


def _there(plan: Plan, store: Store) -> list[int]:
    """How many runs of each point are stored."""
    there = seeds_there(store, [scenario.digest for scenario in plan.scenarios])
    return [len(there.get(it.digest, set()) & set(plan.seeds)) for it in plan.scenarios]
