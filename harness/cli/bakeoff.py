"""`harness bakeoff`: the same tasks through several patterns, side by side."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.text import Text

from harness.cli.duration import Announcement
from harness.cli.exit_codes import EXIT_PASS
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.errors import HarnessError
from harness.gate.bakeoff import Bakeoff, Contestant, bake_off, contestants_of
from harness.gate.comparison import Comparison
from harness.gate.output.words import change_text, interval_text, measured
from harness.json_types import JsonObject
from harness.printable import printable
from harness.report.bakeoff import COLUMNS, Difference, Page, Row, write_bakeoff
from harness.report.index import write_index
from harness.run import RunResult, default_jobs
from harness.run.keep import Keeping, write
from harness.run.record import record
from harness.scenario import LoadedScenario
from harness.store import Store


def bake_off_file(
    file: Path,
    *,
    patterns: str | None,
    targets: Sequence[str],
    overrides: Sequence[str],
    runs: int | None,
    seed: int | None,
    target_folder: Path,
    store: Path,
    output: str,
) -> int:
    """Simulate several ways to do the tasks of a scenario, keep the runs, and print and draw how they compare.

    Args:
        file: The scenario.
        patterns: Names of entries under `bakeoff`, with commas between them; None means all.
        targets: Programs beside them, each as `module:function`.
        overrides: Changes to the scenario of all ways, each as `path=value`.
        runs: How many seeds; None means as many as the scenario says.
        seed: The first seed; None means the scenario's.
        target_folder: Where the page is written.
        store: Where the runs are kept.
        output: `table` or `json`.

    Returns:
        The exit code.

    Raises:
        HarnessError: The scenario is wrong, or there are not two ways to compare.
    """
    ways = contestants_of(file, patterns=_names(patterns), targets=targets, overrides=overrides)
    first = next(iter(ways.values()))
    seeds = first.spec.seeds(first=seed, runs=runs)
    announce = Announcement(len(ways) * len(seeds), default_jobs(first, len(seeds)))
    kept = Store(store)
    write(kept, [])  # tells now, and not after the work, when it cannot be written
    keeping = Keeping(kept)

    def keep(scenario: LoadedScenario, run: RunResult) -> None:
        announce(run)
        keeping.add(record(scenario, run))

    with keeping:
        found = bake_off(ways, seeds, keep)
    ids = _ids_by_name(found, keeping.run_ids)
    page = write_bakeoff(_page(found, ids), target_folder)[0]
    write_index(kept, target_folder)
    if output == "json":
        print(json.dumps(_as_json(found, ids, store, page), indent=2, allow_nan=False))  # noqa: T201 - a command prints
    else:
        _print(found, store, keeping.run_ids, page)
    return EXIT_PASS


def _names(patterns: str | None) -> list[str] | None:
    if patterns is None:
        return None
    names = [name.strip() for name in patterns.split(",")]
    if not all(names):
        raise HarnessError(
            f"--patterns {patterns!r}: a name is empty\n"
            "  How to fix: write names with commas between them, such as --patterns single,debate"
        )
    return names


def _ids_by_name(found: Bakeoff, run_ids: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The runs of each way; they were written way by way."""
    many = len(found.seeds)
    return {
        it.name: tuple(run_ids[number * many : (number + 1) * many])
        for number, it in enumerate(found.contestants)
    }


def _notes(way: Contestant) -> tuple[str, ...]:
    return (*way.outcome.problems, *way.outcome.notes)


def _page(found: Bakeoff, ids: Mapping[str, tuple[int, ...]]) -> Page:
    return Page(
        scenario=found.scenario,
        description=found.contestants[0].scenario.spec.description,
        seeds=len(found.seeds),
        better=found.better,
        rows=tuple(
            Row(
                name=it.name,
                metrics=it.metrics,
                is_optimal=it.name in found.optimal,
                run_ids=ids[it.name],
                differences=tuple(map(_difference, it.differences)),
                notes=_notes(it),
            )
            for it in found.contestants
        ),
    )


def _difference(it: Comparison) -> Difference:
    return Difference(
        metric=it.metric,
        change=None if it.change is None else _finite(it.change.value),
        change_text=change_text(it),
        interval_text=interval_text(it),
    )


def _print(found: Bakeoff, store: Path, run_ids: Sequence[int], page: Path) -> None:
    out = console()
    seeds = found.seeds
    span = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    out.print(
        Text(printable(f"{found.scenario}: {len(found.contestants)} ways, {span}"), style="bold")
    )
    _numbers(found).print(out)
    _differences(found).print(out)
    out.print(
        Text(
            f"* Pareto-optimal: no other way is better in one objective and worse in none. Better is {found.better}."
        )
    )
    for it in found.contestants:
        for note in _notes(it):
            out.print(Text(printable(f"note: {it.name}: {note}")))
    where = f"stored as runs {run_ids[0]}-{run_ids[-1]} in {store}; drawn in {page}"
    out.print(Text(printable(where)), soft_wrap=True)


def _numbers(found: Bakeoff) -> Grid:
    shown = [name for name in COLUMNS if any(name in it.metrics for it in found.contestants)]
    made = Grid(
        [Column("", "key"), Column("way", "name"), *(Column(COLUMNS[name]) for name in shown)]
    )
    for it in found.contestants:
        numbers = (measured(name, it.metrics.get(name)) for name in shown)
        made.add("*" if it.name in found.optimal else "", printable(it.name), *numbers)
    return made


def _differences(found: Bakeoff) -> Grid:
    """The changes of time, money and success; the page has the others."""
    first, *others = found.contestants
    shown = [
        it.metric
        for it in others[0].differences
        if it.metric in ("latency_s_mean", "cost_usd_mean", "success_rate", "quality_mean")
    ]
    titles = [title for metric in shown for title in (metric, "interval")]
    made = Grid([Column(f"against {printable(first.name)}", "name"), *map(Column, titles)])
    for it in others:
        by_metric = {one.metric: one for one in it.differences}
        cells = [
            text(by_metric[metric]) if metric in by_metric else "-"
            for metric in shown
            for text in (change_text, interval_text)
        ]
        made.add(printable(it.name), *cells)
    return made


def _as_json(
    found: Bakeoff, ids: Mapping[str, tuple[int, ...]], store: Path, page: Path
) -> JsonObject:
    return {
        "scenario": found.scenario,
        "seed": found.seeds[0],
        "runs": len(found.seeds),
        "store": str(store),
        "page": str(page),
        "base": found.contestants[0].name,
        "objectives": list(found.objectives),
        "pareto_optimal": list(found.optimal),
        "patterns": [_way(it, found, ids[it.name]) for it in found.contestants],
    }


def _way(it: Contestant, found: Bakeoff, run_ids: Sequence[int]) -> JsonObject:
    failures = [dataclasses.asdict(failure) for failure in it.outcome.failures]
    return {
        "name": it.name,
        "run_ids": list(run_ids),
        "pareto_optimal": it.name in found.optimal,
        "metrics": dict(it.metrics),
        "agents": it.outcome.agents,
        "differences": {one.metric: _change(one) for one in it.differences},
        "notes": list(_notes(it)),
        **({"failures": failures} if failures else {}),
    }


def _change(it: Comparison) -> dict[str, float | str | None]:
    change = it.change
    bounds = None if change is None or change.method == "none" else change
    return {
        "base": it.base,
        "value": it.candidate,
        "change": None if change is None else _finite(change.value),
        "low": None if bounds is None else _finite(bounds.low),
        "high": None if bounds is None else _finite(bounds.high),
        "method": None if change is None else change.method,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
