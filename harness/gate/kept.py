"""Composition of a run's tasks, stored with its numbers, so that a change can be explained without the baseline's spans.

Of each metric the mean over the tasks that decide it: what a critical path consists of, or whose attempts an amount is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.gate.why import Explanation, explained
from harness.metrics.contributions import EXPLAINED, Key, Use, Work, works_of
from harness.spans import Table

_FIGURES: Final = 6
"""Significant figures that are kept of a number: more than anybody reads, in a file that is still small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWork:
    """What one metric of a run consists of, a task's share of it."""

    parts: Mapping[Key, float]
    """The contributions, in the unit of the metric."""
    work_s: float
    """Time of all models and tools that worked on a task, side by side or not [s]."""
    uses: Mapping[str, Use]
    """How each agent used its models for a task."""
    tools: frozenset[tuple[str, str]] = field(default=frozenset())
    """Agents and the tools that they used."""

    @property
    def work(self) -> Work:
        """The same as of one task."""
        return Work(dict(self.parts), self.work_s, dict(self.uses), set(self.tools))


Kept = Mapping[str, KeptWork]
"""What each metric of a run consists of, by the metric's name."""


def kept_of(runs: Sequence[Table], metrics: Collection[str], *, warmup_tasks: int = 0) -> Kept:
    """Composition of the metrics of several runs, taken as one; metrics that spans do not explain are left out.

    Args:
        runs: The spans.
        metrics: The metrics.
        warmup_tasks: How many of the first tasks of a run are left out.
    """
    found = {}
    for metric in metrics:
        if metric in EXPLAINED:
            works = works_of(runs, metric, warmup_tasks)
            if works and math.isfinite(sum(work.whole for work in works)):  # none without a price
                found[metric] = _mean(works)
    return found


def why_kept(base: Mapping[int, Kept], candidate: Mapping[int, Kept], metric: str) -> Explanation:
    """Explain the change of a metric by the stored composition of each seed.

    Args:
        base: The base, by seed.
        candidate: The candidate, by seed; seeds that only one side has are left out.
        metric: The metric's name.

    Returns:
        The explanation; without a sentence if one side has kept nothing.
    """
    pairs = [
        (base[seed][metric].work, candidate[seed][metric].work)
        for seed in sorted(base.keys() & candidate.keys())
        if metric in base[seed] and metric in candidate[seed]
    ]
    return explained(pairs, metric, "runs") if pairs else Explanation("")


def _mean(works: Sequence[Work]) -> KeptWork:
    count = len(works)
    parts: dict[Key, float] = {}
    uses: dict[str, Use] = {}
    tools: set[tuple[str, str]] = set()
    for work in works:
        tools |= work.tools
        for key, amount in work.parts.items():
            parts[key] = parts.get(key, 0.0) + amount
        for agent, use in work.uses.items():
            uses.setdefault(agent, Use()).add(use)
    return KeptWork(
        parts={key: _short(amount / count) for key, amount in parts.items()},
        work_s=_short(sum(work.work_s for work in works) / count),
        uses={agent: use.over(count, _short) for agent, use in uses.items()},
        tools=frozenset(tools),
    )


def _short(number: float) -> float:
    return float(f"{number:.{_FIGURES}g}")
