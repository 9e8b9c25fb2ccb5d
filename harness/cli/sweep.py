"""`harness sweep`: one scenario at many points, and the answers that they give."""

from __future__ import annotations

from pathlib import Path

from harness.cli.sweep_asked import (
    Asked,
    check_find,
    check_grid,
    check_metrics,
    points,
    with_section,
)
from harness.run import default_jobs
from harness.run.pool import copied
from harness.scenario import load_scenario
from harness.sweep.engines import engine_of, lasting

# What needs the store or the report is imported when the workers are there: they need neither, and are copied before.


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
    check_metrics(asked.metrics)
    if asked.find is not None:
        check_find(asked, only_status=only_status)
        from harness.cli.sweep_search import search

        return search(
            asked, base, engine=engine, jobs=jobs, shards=shards, store=store, output=output
        )
    check_grid(asked)
    where = points(asked)
    if only_status:
        from harness.cli.sweep_grid import tell_status

        return tell_status(asked, where, store, output)
    runs = len(where) * len(base.spec.seeds(first=asked.seed, runs=asked.runs))
    workers = engine_of(engine, jobs, default_jobs(base, runs), copied)
    with lasting(workers) as kept:
        from harness.cli.sweep_grid import sweep_grid

        return sweep_grid(asked, where, kept, shards=shards, store=store, output=output)
