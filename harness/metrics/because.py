"""Why a metric has its value, in a sentence: what the deciding tasks consist of, or where they failed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from harness.metrics.cascade import cascades
from harness.metrics.contributions import (
    AMOUNTS,
    PATH_METRICS,
    TAILS,
    Key,
    Work,
    cause_of,
    works_of,
)
from harness.metrics.critical_path import (
    HAND_OFF,
    IN_FLIGHT,
    OVERHEAD,
    PERSON,
    QUEUE,
    RETRY,
    SILENCE,
    STATE_LOCK,
    WORK,
)
from harness.metrics.endings import failed_tasks
from harness.rate_limits import of_reason
from harness.spans import Table
from harness.units import render

_PARTS_MAX: Final = 2
"""More parts of a whole make a sentence no better."""

_LITTLE: Final = 0.1
"""A smaller share of the whole explains nothing."""

_FAILURES: Final = ("success_rate", "pass_k", "throughput_per_s")

_NOUNS: Final[dict[str, str]] = {
    WORK: "the work of {agent}",
    RETRY: "failed attempts and retries of {agent}",
    QUEUE: "waiting in queues, most of it by {agent}",
    SILENCE: "silent waits of {agent}",
    IN_FLIGHT: "waiting of {agent} for a place in flight",
    STATE_LOCK: "waiting of {agent} for the lock of shared state",
    PERSON: "waiting of {agent} for a person",
    OVERHEAD: "{agent} between its calls",
    HAND_OFF: "time between the calls",
}

_AMOUNTS: Final[dict[str, tuple[str, str]]] = {
    "cost_usd_mean": ("A task costs {}", "usd"),
    "cost_usd_total": ("A task costs {}", "usd"),
    "wasted_usd": ("A task wastes {}", "usd"),
    "calls_mean": ("A task makes {} calls", "calls"),
    "attempts_mean": ("A task makes {} attempts", "attempts"),
    "input_tokens_mean": ("A task reads {} tokens", "tokens"),
    "output_tokens_mean": ("A task writes {} tokens", "tokens"),
    "rate_limited": ("A task meets {} rate limits", "limits"),
    "retries": ("A task makes {} retries", "retries"),
}
"""What a task does, and the unit."""

assert set(_AMOUNTS) == set(AMOUNTS), "each amount has its sentence"


def because(runs: Sequence[Table], metric: str, *, warmup_tasks: int = 0) -> str:
    """Explain the value of a metric of some runs.

    Args:
        runs: The spans of each run.
        metric: Its name, such as `latency_s_p95`.
        warmup_tasks: How many of the first tasks of a run are left out.

    Returns:
        A sentence; empty when spans do not explain the metric. Names in it are as the user wrote them, not escaped.
    """
    if metric in _FAILURES:
        return _of_failures(runs, warmup_tasks)
    if metric not in PATH_METRICS and metric not in AMOUNTS:
        return ""
    works = works_of(runs, metric, warmup_tasks)
    whole = math.fsum(work.whole for work in works)
    if not works or not whole > 0:  # not a number, where there is no price
        return ""
    found = [
        (amount / len(works), amount / whole, noun)
        for amount, noun in _parts(works, on_path=metric in PATH_METRICS)
    ]
    shown = [it for it in found if it[1] >= _LITTLE][:_PARTS_MAX] or found[:1]
    if metric in PATH_METRICS:
        who, unit = "The slowest tasks take" if metric in TAILS else "A task takes", "s"
        head = f"{who} {render(unit, whole / len(works))} on average"
    else:
        head, unit = _AMOUNTS[metric]
        head = f"{head.format(render(unit, whole / len(works)))} on average"
    word = "for" if metric in PATH_METRICS else "by"
    parts = [
        f"{render(unit, each)} ({100 * share:.0f} %) {word} {noun}" for each, share, noun in shown
    ]
    return f"{head}: {', '.join(parts)}."


def _parts(works: Sequence[Work], *, on_path: bool) -> list[tuple[float, str]]:
    """What the whole consists of, the largest part first: how much, and what it is called."""
    tools = {tool for work in works for tool in work.tools}
    total: dict[Key, float] = defaultdict(float)
    queued: dict[str, float] = defaultdict(float)
    for work in works:
        for key, amount in work.parts.items():
            total[cause_of(key, tools) if on_path else Key("", key.agent, "")] += amount
            if key.kind == QUEUE:
                queued[key.agent] += amount
    endings = Counter[tuple[str, str]]()
    for work in works:
        for agent, use in work.uses.items():
            endings.update({(agent, reason): count for reason, count in use.endings.items()})
    parts = sorted(((amount, key) for key, amount in total.items()), key=lambda it: (-it[0], it[1]))
    most = min(queued, key=lambda agent: (-queued[agent], agent), default="")
    return [(amount, _noun(key, most, endings)) for amount, key in parts if amount > 0]


def _noun(key: Key, queued_most: str, endings: Counter[tuple[str, str]]) -> str:
    if not key.kind:
        return key.agent
    if key.kind == WORK and key.name:
        return f"the tool {key.name}{key.agent and f' of {key.agent}'}"
    noun = _NOUNS[key.kind].format(agent=queued_most if key.kind == QUEUE else key.agent)
    return noun + _most(key.agent, endings) if key.kind == RETRY else noun


def _most(agent: str, endings: Counter[tuple[str, str]]) -> str:
    """How most of an agent's failed attempts ended, in parentheses."""
    mine = {
        reason: count
        for (who, reason), count in endings.items()
        if who == agent and not reason.startswith("tool ")
    }
    if not mine:
        return ""
    reason = min(mine, key=lambda it: (-mine[it], it))
    limit = of_reason(reason)
    return f" (most: the limit of {limit})" if limit else f" (most: {reason})"


# -- failed tasks -------------------------------------------------------------------------------------------------------


def _of_failures(runs: Sequence[Table], warmup_tasks: int) -> str:
    found = Counter(it for spans in runs for it in _failed(spans, warmup_tasks))
    if not found:
        return ""
    tasks = sum(found.values())
    ranked = sorted(found.items(), key=lambda it: (-it[1], it[0]))
    parts = [f"{count} {where}" for where, count in ranked[:_PARTS_MAX]]
    rest = tasks - sum(count for _, count in ranked[:_PARTS_MAX])
    parts += [f"{rest} otherwise"] if rest else []
    text = f"Of {tasks:,} {'task' if tasks == 1 else 'tasks'} that failed, {', '.join(parts)}."
    told = cascades(runs, warmup_tasks=warmup_tasks)[:_PARTS_MAX]
    return " ".join([text, *(f"{one}." for one in told)])


def _failed(spans: Table, warmup_tasks: int) -> Iterator[str]:
    """How each failed task of a run failed: at which agent, and with what."""
    for task, place in failed_tasks(spans).items():
        if task > warmup_tasks:
            yield (
                f"failed at {place.agent} ({place.reason})"
                if place.agent
                else f"ended with {place.reason}"
            )
