"""Print a sweep, a capacity or the status of a sweep, as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.text import Text

from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.json_types import JsonObject
from harness.printable import printable
from harness.report.sweep import Page, Row
from harness.sweep.answers import Capacity
from harness.sweep.plan import Plan
from harness.sweep.points import Point
from harness.sweep.results import Swept
from harness.units import render


def print_sweep(
    page: Page, swept: Swept, output: str, *, made: int, store: Path, written: Path
) -> None:
    """Print a sweep.

    Args:
        page: What was worked out.
        swept: What it was made of.
        output: `table` or `json`.
        made: How many runs were made now.
        store: Where the runs are.
        written: The page.
    """
    if output == "json":
        print(json.dumps(_as_json(page, swept, store, written), indent=2, allow_nan=False))  # noqa: T201 - a command prints
        return
    out = console()
    out.print(Text(printable(f"{page.scenario}: {page.title}"), style="bold"))
    _table(page).print(out)
    for _, text in page.answers:
        out.print(Text(printable(text)), soft_wrap=True)
    if any(row.is_optimal for row in page.rows):
        out.print(
            Text("* Pareto-optimal: no other point is better in one objective and worse in none."),
            soft_wrap=True,
        )
    out.print(
        Text(printable(f"{made:,} runs were made now; all are in {store}; drawn in {written}")),
        soft_wrap=True,
    )


def _table(page: Page) -> Grid:
    has_holds = any(row.holds for row in page.rows)
    most_k = max(len(row.reliability) for row in page.rows)
    grid = Grid(
        [
            Column("", "key"),
            *(Column(key.rpartition(".")[2], "name") for key in page.keys),
            Column("runs", optional=True),
            *(Column(metric) for metric in page.metrics),
            *([Column("holds", "key")] if has_holds else []),
            *(Column(f"pass^{k}", optional=True) for k in range(1, 1 + most_k)),
        ]
    )
    for row in page.rows:
        chances = [f"{value:.1%}" for value in row.reliability]
        grid.add(
            "*" if row.is_optimal else "",
            *(printable(row.values[key]) for key in page.keys),
            f"{row.runs:,}",
            *(render(it, row.marks[it].mean) if it in row.marks else "-" for it in page.metrics),
            *([row.holds] if has_holds else []),
            *[*chances, *["-"] * (most_k - len(chances))],
        )
    return grid


def _as_json(page: Page, swept: Swept, store: Path, written: Path) -> JsonObject:
    return {
        "scenario": page.scenario,
        "keys": list(page.keys),
        "store": str(store),
        "page": str(written),
        "answers": [text for _, text in page.answers],
        "points": [
            {**_point(row), "scenario_hash": result.scenario.digest}
            for row, result in zip(page.rows, swept.results, strict=True)
        ],
    }


def _point(row: Row) -> JsonObject:
    return {
        "values": dict(row.values),
        "runs": row.runs,
        "metrics": {
            name: {"mean": mark.mean, "low": mark.low, "high": mark.high}
            for name, mark in row.marks.items()
        },
        "pareto_optimal": row.is_optimal,
        **({"holds": row.holds} if row.holds else {}),
        **({"pass_k": list(row.reliability)} if row.reliability else {}),
    }


def print_status(plan: Plan, there: list[int], output: str) -> None:
    """Print how much of a sweep is stored.

    Args:
        plan: The sweep.
        there: How many runs of each point are stored.
        output: `table` or `json`.
    """
    seeds = len(plan.seeds)
    if output == "json":
        points = [
            {"values": dict(point.values), "done": done, "runs": seeds}
            for point, done in zip(plan.points, there, strict=True)
        ]
        print(json.dumps({"done": sum(there), "runs": plan.runs, "points": points}, indent=2))  # noqa: T201 - a command prints
        return
    out = console()
    out.print(Text(f"{sum(there):,} of {plan.runs:,} runs are stored."))
    grid = Grid([Column("point", "name"), Column("stored"), Column("of")])
    for point, done in zip(plan.points, there, strict=True):
        grid.add(printable(point.name), f"{done:,}", f"{seeds:,}")
    grid.print(out)


def print_capacity(found: Capacity, scenario: str, output: str, notes: Sequence[str]) -> None:
    """Print the value that was looked for, and all that were tried.

    Args:
        found: The answer.
        scenario: The name of the scenario.
        output: `table` or `json`.
        notes: What a reader has to know beside the answer, a sentence each.
    """
    if output == "json":
        told = _capacity_as_json(found, scenario, notes)
        print(json.dumps(told, indent=2, allow_nan=False))  # noqa: T201 - a command prints
        return
    out = console()
    out.print(Text(printable(f"{scenario}: {answer(found)}"), style="bold"), soft_wrap=True)
    metrics = list(dict.fromkeys(it.metric for it in found.conditions))
    grid = Grid(
        [
            Column(found.key.rpartition(".")[2]),
            Column("runs", optional=True),
            *(Column(metric) for metric in metrics),
            Column("holds", "key"),
        ]
    )
    for it in found.tried:
        means = it.result.means
        grid.add(
            f"{it.value:g}",
            f"{len(it.result.seeds):,}",
            *(render(metric, means[metric]) if metric in means else "-" for metric in metrics),
            it.holds,
        )
    grid.print(out)
    for note in (*notes, f"{found.runs:,} runs were made now; it ended because {found.why}."):
        out.print(Text(printable(note)), soft_wrap=True)


def answer(found: Capacity) -> str:
    """The answer in one sentence."""
    said = " and ".join(map(str, found.conditions))
    word = "largest" if found.direction == "max" else "smallest"
    if found.good is None:
        return f"no value of {found.key} was found at which {said} holds"
    if found.bad is None:
        return f"{said} holds at {found.key}={found.good:g}, and no value was found at which it does not"
    low, high = sorted((found.good, found.bad))
    return f"the {word} {found.key} with {said} lies between {low:g} and {high:g}; it holds at {found.good:g}"


def _capacity_as_json(found: Capacity, scenario: str, notes: Sequence[str]) -> JsonObject:
    return {
        "scenario": scenario,
        "key": found.key,
        "direction": found.direction,
        "conditions": list(map(str, found.conditions)),
        "holds_at": found.good,
        "fails_at": found.bad,
        "why": found.why,
        "tried": [
            {
                "value": it.value,
                "holds": it.holds,
                "runs": len(it.result.seeds),
                "metrics": it.result.means,
            }
            for it in found.tried
        ],
        "notes": list(notes),
    }


def given_up(runs: Sequence[tuple[int, int]], points: Iterable[Point]) -> list[str]:
    """What is said of runs, by point and seed, that could not be made."""
    names = {point.number: point.name for point in points}
    return [
        f"Seed {seed} of {names[point]} took its worker with it three times, and was given up."
        for point, seed in runs
    ]
