"""`harness sweep --find`: the largest or smallest value of a key at which conditions hold."""

from __future__ import annotations

from pathlib import Path

from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.cli.sweep_asked import Asked
from harness.cli.sweep_output import given_up, print_capacity
from harness.cli.sweep_progress import SweepProgress
from harness.errors import HarnessError
from harness.run import default_jobs
from harness.run.keep import write
from harness.scenario import LoadedScenario
from harness.store import Store
from harness.sweep.answers import Capacity, Condition, condition_of, find_capacity
from harness.sweep.answers.capacity import PRECISION
from harness.sweep.answers.decide import FIRST_SEEDS
from harness.sweep.axes import axis
from harness.sweep.driver import Sweeping
from harness.sweep.engines import engine_of, lasting


def search(
    asked: Asked,
    base: LoadedScenario,
    *,
    engine: str,
    jobs: int | None,
    shards: Path | None,
    store: Path,
    output: str,
) -> int:
    """Run what the search needs, keep it, and print what was found; see `harness.cli.sweep.sweep_file`."""
    conditions = tuple(condition_of(text) for text in asked.conditions)
    kept = Store(store)
    workers = engine_of(engine, jobs, default_jobs(base, FIRST_SEEDS))
    write(kept, [])  # tells now, and not after the work, when it cannot be written
    with SweepProgress() as progress, lasting(workers) as engine_kept:
        sweeping = Sweeping(kept, engine_kept, shards, progress)
        found = _found(asked, base, conditions, sweeping)
    notes = given_up(sweeping.given_up, (it.result.point for it in found.tried))
    print_capacity(found, base.spec.scenario, output, notes)
    return EXIT_PASS if found.good is not None and not sweeping.given_up else EXIT_FAILED


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
