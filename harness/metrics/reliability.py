"""How reliable a task is over independent runs: the probability that all of k runs succeed.

The estimator is that of tau-bench (Yao et al., arXiv 2406.12045, section 3): of a task that succeeded in c of n runs
C(c, k) / C(n, k), and the mean of that over the tasks. It has no bias, other than (c / n) to the power of k.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.errors import HarnessError

PASS_K: Final = "pass_k"  # noqa: S105 - no password
"""Name of the metric."""

K_MAX: Final = 4
"""The k of the metric, as in tau-bench's tables; of fewer runs their number."""

_K_MIN: Final = 2
"""With k = 1 it would be the success rate."""


def pass_k(successes: Sequence[int], runs: int, k: int) -> float:
    """The probability that k independent runs of a task all succeed, without bias (tau-bench, arXiv 2406.12045).

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
    return _share(Counter(successes), len(successes), runs, k)


def _share(tasks_by_hits: Mapping[int, int], tasks: int, runs: int, k: int) -> float:
    """The same from how many tasks have each number of successes."""
    shares = (
        count * math.comb(hits, k) / math.comb(runs, k)
        for hits, count in sorted(tasks_by_hits.items())
        if count
    )
    return math.fsum(shares) / tasks


def successes_of(tasks: int, failed: Sequence[Iterable[int]]) -> list[int]:
    """For each task, in how many runs it succeeded.

    Args:
        tasks: How many tasks each run measured; task 3 of one run is task 3 of another.
        failed: For each run, the numbers of the tasks that did not end well.
    """
    lost = Counter(task for one in failed for task in set(one))
    return [len(failed) - times for times in lost.values()] + [len(failed)] * (tasks - len(lost))


def pass_k_of(tasks: Sequence[int], failed: Sequence[Sequence[int]], k: int = K_MAX) -> float:
    """The metric of some runs; not a number where it was not measured: of one run, and of runs with other tasks.

    Args:
        tasks: For each run, how many tasks it measured.
        failed: For each run, the numbers of those that did not end well.
        k: How many runs must all succeed; of fewer runs their number.
    """
    runs = len(tasks)
    if runs < _K_MIN or len(set(tasks)) != 1 or not tasks[0]:
        return math.nan
    return pass_k(successes_of(tasks[0], failed), runs, min(k, runs))


def pass_k_by_run(tasks: Sequence[int], failed: Sequence[Sequence[int]]) -> list[float]:
    """What each run contributes to the metric: values whose mean is the metric, and whose spread is its standard error.

    They are the pseudo-values of the jackknife (Efron and Stein, Annals of Statistics 9, 1981): the estimate is a
    U-statistic of the runs, so that the mean of its pseudo-values is the estimate itself. One run is left out of each, so k
    is `K_MAX`, or one less than the number of runs; empty where that is less than 2, or runs have other tasks.
    """
    runs = len(tasks)
    k = min(K_MAX, runs - 1)
    if k < _K_MIN or len(set(tasks)) != 1 or not tasks[0]:
        return []
    lost = Counter(task for one in failed for task in set(one))
    tasks_by_hits = Counter(successes_of(tasks[0], failed))
    whole = _share(tasks_by_hits, tasks[0], runs, k)

    def contribution(failures: frozenset[int]) -> float:
        """Of a run in which these tasks failed; without it, all others have one success less."""
        others = Counter({hits - 1: count for hits, count in tasks_by_hits.items()})
        for task in failures:
            hits = runs - lost[task]
            others[hits - 1] -= 1
            others[hits] += 1
        return runs * whole - (runs - 1) * _share(others, tasks[0], runs - 1, k)

    each = [frozenset(one) for one in failed]
    known = {failures: contribution(failures) for failures in dict.fromkeys(each)}
    return [known[failures] for failures in each]
