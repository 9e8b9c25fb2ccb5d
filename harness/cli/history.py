"""`harness history`: one metric over all stored runs, and the commit at which it changed.

Runs of one seed are compared with the last run of that seed before them: a simulated run depends on nothing else, so any
difference is a change of the scenario, the program, the prices or harness.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import click
from rich.console import Console
from rich.text import Text

from harness.cli.exit_codes import EXIT_PASS
from harness.cli.run_ids import id_ranges
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.errors import HarnessError
from harness.json_types import JsonObject
from harness.metrics import METRICS, no_such_metric
from harness.printable import printable
from harness.store import Store, queries
from harness.units import render

_VERSION: Final = ("scenario", "scenario_hash", "harness_version", "commit_id")
"""What runs of one version have in common."""

_HASH_SHOWN: Final = 8

Status = Literal["first", "identical", "changed", "no common seed", "not measured"]

_STYLES: Final[dict[Status, str]] = {"changed": "bold yellow", "no common seed": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs of one version, written one after the other."""

    scenario: str
    scenario_hash: str
    harness_version: str
    commit_id: str | None
    written_at: datetime
    """When the first of them was written [UTC]."""
    run_ids: tuple[int, ...]
    values: Mapping[int, float]
    """By seed; runs that did not measure the metric are left out."""
    status: Status
    """The comparison with earlier runs of the same seeds."""
    common: int = 0
    """How many of its seeds ran before."""
    changed: tuple[int, ...] = ()
    """Those of them whose value changed."""
    is_first_change: bool = field(default=False)
    """Whether no value of its scenario had changed before."""

    @property
    def mean(self) -> float:
        """Mean over its runs; each has one value."""
        return math.fsum(self.values.values()) / len(self.values) if self.values else math.nan


def print_history(
    path: Path, *, metric: str, scenario: str | None, last: int | None, output: str
) -> int:
    """Print a metric over the stored runs and versions, in the order in which they were written.

    Args:
        path: The store.
        metric: The metric's name.
        scenario: Only runs of the scenario of this name.
        last: Only so many groups of each scenario, the latest.
        output: `table` or `json`.

    Returns:
        The exit code.

    Raises:
        HarnessError: There is no such metric, or no such store.
    """
    _check(metric)
    rows = queries.values(Store(path), metric, scenario=scenario)
    of_scenario: dict[str, list[JsonObject]] = {}
    for row in rows:
        of_scenario.setdefault(row["scenario"], []).append(row)
    histories = {name: _history(found) for name, found in of_scenario.items()}
    shown = {name: groups[-last:] if last else groups for name, groups in histories.items()}
    if output == "json":
        found = [_as_json(group) for groups in shown.values() for group in groups]
        click.echo(json.dumps({"metric": metric, "store": str(path), "groups": found}, indent=2))
        return EXIT_PASS
    out = console()
    if not rows:
        of = f" of {scenario}" if scenario else ""
        out.print(printable(f"no runs{of} in {path}"))
    for name, groups in shown.items():
        _print(metric, name, groups, histories[name], out)
    return EXIT_PASS


def _check(metric: str) -> None:
    if metric not in METRICS:
        raise HarnessError(f"--metric {metric}: {no_such_metric(metric)}")


def _history(rows: Iterable[JsonObject]) -> list[Group]:
    """The groups of one scenario, each held against the last value of each seed before it."""
    known: dict[int, float] = {}
    groups: list[Group] = []
    for runs in _grouped(rows):
        values = {row["seed"]: row["value"] for row in runs if row["value"] is not None}
        common = [seed for seed in values if seed in known]
        changed = tuple(seed for seed in common if values[seed] != known[seed])
        groups.append(
            Group(
                **{name: runs[0][name] for name in _VERSION},
                written_at=runs[0]["written_at"],
                run_ids=tuple(row["run_id"] for row in runs),
                values=values,
                status=_status(values, known, common, changed),
                common=len(common),
                changed=changed,
                is_first_change=bool(changed) and not any(it.changed for it in groups),
            )
        )
        known.update(values)
    return groups


def _grouped(rows: Iterable[JsonObject]) -> Iterator[list[JsonObject]]:
    """Successive runs of one version: where files are not committed, that ends when a seed gets another value."""
    group: list[JsonObject] = []
    values: dict[int, float | None] = {}
    for row in rows:
        seed, value = row["seed"], row["value"]
        same = all(row[name] == before[name] for before in group[-1:] for name in _VERSION)
        if group and not (same and values.get(seed, value) == value):
            yield group
            group, values = [], {}
        group.append(row)
        values[seed] = value
    if group:
        yield group


def _status(
    values: Mapping[int, float],
    known: Mapping[int, float],
    common: list[int],
    changed: tuple[int, ...],
) -> Status:
    if not values:
        return "not measured"
    if not common:
        return "no common seed" if known else "first"
    return "changed" if changed else "identical"


# -- output -----------------------------------------------------------------------------------------


def _print(
    metric: str, scenario: str, groups: list[Group], history: list[Group], out: Console
) -> None:
    mean = "mean of seeds" if any(len(group.values) > 1 for group in groups) else "value"
    made = Grid([
        Column("made", "key", optional=True), Column("commit", "key"), Column("scenario", "key", optional=True),
        Column("harness", "key", optional=True), Column("runs", "name"), Column("seeds"), Column(mean), Column("least"),
        Column("most"), Column("seed for seed", "words"),
    ])  # fmt: skip
    for group in groups:
        values = group.values.values()
        least, most = (render(metric, end(values)) if values else "-" for end in (min, max))
        made.add(
            f"{group.written_at:%Y-%m-%d %H:%M}", _commit(group), printable(group.scenario_hash[:_HASH_SHOWN]),
            printable(group.harness_version), id_ranges(group.run_ids), str(len(values)),
            render(metric, group.mean) if values else "-", least, most,
            Text(_said(group), style=_STYLES.get(group.status, "")),
        )  # fmt: skip
    out.print(Text.assemble((printable(scenario), "bold"), f": {metric}"))
    made.print(out)
    for before, group in pairwise(history):
        if group.is_first_change:
            out.print(_first_change(before, group))


def _first_change(before: Group, group: Group) -> str:
    names = {
        "commit_id": "the commit",
        "scenario_hash": "the scenario",
        "harness_version": "harness",
    }
    other = [said for name, said in names.items() if getattr(group, name) != getattr(before, name)]
    runs = f"run{'s' if len(group.run_ids) > 1 else ''} {id_ranges(group.run_ids)}"
    commit = f", commit {_commit(group)}" if group.commit_id else ""
    cause = " and ".join(other) or "nothing that is kept of a run, such as a file not committed"
    return (
        f"First changed in {runs}{commit}: {len(group.changed)} of {group.common} seeds. "
        f"What else is new there: {cause}."
    )


def _said(group: Group) -> str:
    if group.status != "changed":
        return group.status
    mark = ", first change" if group.is_first_change else ""
    return f"changed ({len(group.changed)} of {group.common}{mark})"


def _commit(group: Group) -> str:
    """The commit as git shortens it, with the sign that files differed from it."""
    if group.commit_id is None:
        return "-"
    commit_id = printable(group.commit_id)
    return commit_id[:_HASH_SHOWN] + ("+" if commit_id.endswith("+") else "")


def _as_json(group: Group) -> JsonObject:
    values = group.values.values()
    return {
        "scenario": group.scenario,
        "scenario_hash": group.scenario_hash,
        "harness_version": group.harness_version,
        "commit_id": group.commit_id,
        "written_at": str(group.written_at),
        "run_ids": list(group.run_ids),
        "seeds": list(group.values),
        "mean": group.mean if values else None,
        "min": min(values, default=None),
        "max": max(values, default=None),
        "status": group.status,
        "common_seeds": group.common,
        "changed_seeds": list(group.changed),
        "is_first_change": group.is_first_change,
    }
