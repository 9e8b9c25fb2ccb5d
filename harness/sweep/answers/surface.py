"""How reliable k independent runs of a task are, under faults and under load: R(k, fault rate, load).

The surface is that of ReliabilityBench (arXiv 2601.06112): the probability that all of k runs succeed, for each setting of
the other keys. Its estimator is that of tau-bench (`harness.metrics.reliability`).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.metrics.reliability import pass_k, successes_of
from harness.sweep.results import PointResult, Swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The reliability at one point."""

    result: PointResult
    by_k: tuple[float, ...]
    """The probability that 1, 2, 3, ... independent runs of a task all succeed."""


def reliability_of(swept: Swept, k_max: int) -> list[Reliability]:
    """The reliability at every point that measured a task in every run.

    Args:
        swept: The points; the runs of a point are its seeds, and task 3 of one seed is task 3 of another.
        k_max: The largest k; fewer where there are fewer seeds.
    """
    return [
        Reliability(result=it, by_k=tuple(_by_k(it, k_max)))
        for it in swept.results
        if it.tasks and all(it.tasks.values())
    ]


def _by_k(result: PointResult, k_max: int) -> list[float]:
    tasks = min(result.tasks.values())
    first = result.scenario.spec.workload.warmup_tasks + 1
    failed = [
        [task for task in result.failed[seed] if first <= task < first + tasks]
        for seed in result.seeds
    ]
    hits, runs = successes_of(tasks, failed), len(result.seeds)
    return [pass_k(hits, runs, k) for k in range(1, min(k_max, runs) + 1)]
