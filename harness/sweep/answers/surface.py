"""How reliable k independent runs of a task are, under faults and under load: R(k, fault rate, load).

The surface is that of ReliabilityBench (arXiv 2601.06112): the probability that all of k runs succeed, for each setting of
the other keys. Its estimator is that of tau-bench (arXiv 2406.12045, section 3): of a task that succeeded in c of n runs,
C(c, k) / C(n, k), and the mean of that over the tasks. It has no bias, other than (c / n) to the power of k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.gate.statistics import mean
from harness.sweep.results import PointResult, Swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The reliability at one point."""

    result: PointResult
    by_k: tuple[float, ...]
    """The probability that 1, 2, 3, ... independent runs of a task all succeed."""


def pass_k(successes: Sequence[int], runs: int, k: int) -> float:
    """The probability that k independent runs of a task all succeed, without bias.

    Args:
        successes: For each task, in how many of its runs it succeeded.
        runs: How many runs each task had.
        k: How many runs must all succeed.

    Raises:
        HarnessError: There are fewer runs than k, or no task.
    """
    if not successes:
        raise HarnessError(
            "pass_k: there is no task\n  How to fix: give the number of successes of each task"
        )
    if not 1 <= k <= runs:
        raise HarnessError(
            f"pass_k: k is {k}, and each task has {runs} runs\n  How to fix: choose k from 1 to {runs}, or make more runs"
        )
    return mean([math.comb(hits, k) / math.comb(runs, k) for hits in successes])


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
    hits = [
        sum(task not in result.failed[seed] for seed in result.runs)
        for task in range(first, first + tasks)
    ]
    runs = len(result.runs)
    return [pass_k(hits, runs, k) for k in range(1, min(k_max, runs) + 1)]
