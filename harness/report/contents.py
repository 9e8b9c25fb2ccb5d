"""The data of a report: runs of a store, optional runs to compare with, and each query once."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from harness.errors import HarnessError
from harness.metrics import Finding, findings
from harness.metrics.critical_path import Segment, critical_paths
from harness.metrics.flow import Edge, flow
from harness.metrics.waiting import Waited, waited
from harness.report.judgement import Judgement
from harness.spans import Table
from harness.store import Store, aggregates, queries, series
from harness.store.asking import Row

SPANS_READ: Final = 60_000
"""Up to so many spans are read whole, about a second's work; of more, those of every n-th task. Numbers in tables and cards
come from all spans in any case; this is for paths, findings and flows, and the page says so."""

PathShare = tuple[str, str, str]
"""A kind of segment, an agent, and a model or tool."""


@dataclass(frozen=True)
class Side:
    """Some runs of one scenario in a store.

    Args:
        store: Where they are.
        run_ids: Which; ascending.
    """

    store: Store
    run_ids: tuple[int, ...]
    label: str = ""

    @cached_property
    def runs(self) -> list[Row]:
        """Each run, with its metrics."""
        return queries.runs(self.store, run_ids=self.run_ids)

    @cached_property
    def totals(self) -> dict[str, float]:
        """The metrics of all runs over all their tasks."""
        return aggregates.totals(self.store, self.run_ids)

    @cached_property
    def agents(self) -> list[Row]:
        """What each agent did."""
        return aggregates.agents(self.store, self.run_ids)

    @cached_property
    def sizes(self) -> dict[int, Row]:
        """How much each run holds."""
        nothing = {"spans": 0, "calls": 0, "tasks": 0}
        found = {row["run_id"]: row for row in series.sizes(self.store, self.run_ids)}
        return {run_id: found.get(run_id, nothing) for run_id in self.run_ids}

    @cached_property
    def every(self) -> int:
        """Of how many tasks one is looked at whole."""
        spans: int = sum(row["spans"] for row in self.sizes.values())
        return max(1, math.ceil(spans / SPANS_READ))

    @cached_property
    def spans(self) -> dict[int, Table]:
        """The spans of those tasks, by run."""
        return queries.span_tables(self.store, self.run_ids, every=self.every)

    @cached_property
    def events(self) -> dict[int, Table]:
        """Their events, by run."""
        return queries.event_tables(self.store, self.run_ids, every=self.every)

    @cached_property
    def paths(self) -> list[list[Segment]]:
        """The critical paths of those of them that are measured."""
        warmup_tasks = {row["run_id"]: row["warmup_tasks"] for row in self.runs}
        return [
            path
            for run_id, spans in self.spans.items()
            for task, path in critical_paths(spans).items()
            if task > warmup_tasks[run_id]
        ]

    @cached_property
    def path_s(self) -> dict[PathShare, float]:
        """Of what a task's latency is made, mean over the tasks [s]."""
        total: dict[PathShare, float] = defaultdict(float)
        for path in self.paths:
            for it in path:
                total[it.kind, it.agent, it.name] += it.duration_s
        return {key: value / len(self.paths) for key, value in total.items()}

    @cached_property
    def waited(self) -> list[Waited]:
        """Waits between agents, over the critical paths."""
        return waited(self.paths)

    @cached_property
    def flow(self) -> list[Edge]:
        """Flow of replies between agents, over all runs."""
        return _added(flow(self.spans[it], self.events[it]) for it in self.run_ids)

    @cached_property
    def findings(self) -> list[tuple[Finding, int]]:
        """Findings about the program: the first of each kind and agent, and the number of runs that have it."""
        found: dict[tuple[str, str], tuple[Finding, int]] = {}
        for run_id in self.run_ids:
            seen = {
                (it.kind, it.agent): it for it in findings(self.spans[run_id], self.events[run_id])
            }
            for key, finding in seen.items():
                first, runs = found.get(key, (finding, 0))
                found[key] = (first, runs + 1)
        return list(found.values())

    @property
    def measured_tasks(self) -> int:
        """How many tasks the numbers are of."""
        return sum(max(0, row["tasks"] - row["warmup_tasks"]) for row in self.runs)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The data of one report."""

    side: Side
    """The runs; the candidate, when there are two sides."""
    base: Side | None = None
    """What they are compared with, if its spans are there."""
    judgement: Judgement | None = None
    trace: str = ""
    """The file beside the report that holds the trace of the run whose course is drawn; empty if there is none."""

    def __post_init__(self) -> None:
        for _, side in self.sides:
            _check_one_version(side)

    @property
    def scenario(self) -> str:
        """The name of the scenario."""
        return str(self.side.runs[0]["scenario"])

    @cached_property
    def shown(self) -> Row:
        """The run whose course is drawn: of several, the one with the slowest tasks."""
        return max(
            self.side.runs,
            key=lambda row: (row["metrics"].get("latency_s_p95", -1.0), -row["run_id"]),
        )

    @property
    def sides(self) -> Sequence[tuple[str, Side]]:
        """The sides by what they are called, the base first."""
        if self.base is None:
            return [("", self.side)]
        return [("base", self.base), ("candidate", self.side)]


def _added(flows: Iterable[Iterable[Edge]]) -> list[Edge]:
    counted: Counter[tuple[str, str]] = Counter()
    for edges in flows:
        for edge in edges:
            counted[edge.source_agent, edge.agent] += edge.calls
    return [Edge(source_agent, agent, calls) for (source_agent, agent), calls in counted.items()]


def _check_one_version(side: Side) -> None:
    versions: dict[tuple[str, str], list[int]] = {}
    for row in side.runs:
        versions.setdefault((row["scenario"], row["scenario_hash"]), []).append(row["run_id"])
    if not versions:
        raise HarnessError(f"there are no runs to report on in {side.store.path}")
    if len(versions) > 1:
        held = ", ".join(
            f"{scenario} ({digest[:8]}): runs {', '.join(map(str, run_ids[:8]))}{', ...' if run_ids[8:] else ''}"
            for (scenario, digest), run_ids in versions.items()
        )
        raise HarnessError(
            f"a report is about one version of one scenario, and these are several: {held}\n"
            "  How to fix: name the runs of one of them, such as `harness report "
            f"{list(versions.values())[-1][-1]}`; two sides are compared with --base"
        )
