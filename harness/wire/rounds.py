"""Repeating sequences of calls, to describe a program that never ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.wire.call import Call

_ROUND_MAX = 8
"""The longest round that is looked for [calls]."""

_ROUNDS_MIN = 3
"""Fewer rounds are no repetition."""

_AGENTS_SHOWN_MAX = 8


def report_of_calls(calls: Sequence[Call], task: int | None = None) -> str:
    """Say how many calls a task made, and which of them repeat; empty if there was no call.

    Args:
        calls: All calls of a run.
        task: The task; None means the one with the most calls.
    """
    if not calls:
        return ""
    if task is None:
        task = Counter(call.scope.span.task for call in calls).most_common(1)[0][0]
    agents = [call.agent for call in calls if call.scope.span.task == task]
    made = f"{len(agents):,} call{'s' if len(agents) > 1 else ''}"
    return f"  task {task} made {made}: {_rounds(agents) or _counts(agents)}"


def _rounds(agents: Sequence[str]) -> str:
    """The round with which a row of calls ends, and how often it was gone through."""
    best_length, best_calls = 0, 0
    for length in range(1, _ROUND_MAX + 1):
        calls = _calls_in_rounds(agents, length)
        if (
            calls // length >= _ROUNDS_MIN and calls > best_calls + length
        ):  # else the shorter one says it
            best_length, best_calls = length, calls
    if not best_length:
        return ""
    begin = len(agents) - best_calls
    names = " -> ".join(agents[begin : begin + best_length])
    return f"{names} repeated {best_calls // best_length:,} times"


def _calls_in_rounds(agents: Sequence[str], length: int) -> int:
    """How many calls at the end of a row are those of one round after the other."""
    calls = min(length, len(agents))
    while calls < len(agents) and agents[-1 - calls] == agents[-1 - calls + length]:
        calls += 1
    return calls


def _counts(agents: Sequence[str]) -> str:
    counts = Counter(agents).most_common()
    shown = [f"{agent} {times:,}" for agent, times in counts[:_AGENTS_SHOWN_MAX]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"{more} more agents"] if more else [])])
