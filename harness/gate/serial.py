"""Calls that ran side by side and now follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from harness.gate.explanation import Reason, extent, mean, spaced, summed, time
from harness.gate.reasons import SAME_SHARE, joined
from harness.metrics.contributions import Key, Pair, uses_of
from harness.metrics.critical_path import WORK

SERIAL: Final = "serial"
"""The kind of the reason."""

_SERIAL_SHARE = 0.5
"""How much of a change must be lost overlap for it to be what a sentence is about: most of it."""


def serial(pairs: Sequence[Pair], keys: Iterable[Key], change: float, among: str) -> Reason | None:
    """Tell that calls which ran side by side follow one another; None if that is not what happened.

    It is when the same calls were made, and the work on the critical path grew while all work together did not.

    Args:
        pairs: The tasks.
        keys: The contributions.
        change: By how much the tasks take longer [s].
        among: What a pair is one of, in the plural.
    """
    work = [key for key in keys if key.kind == WORK]
    whole = summed(pairs, WORK, "", "", work)
    total_s = [mean(pair[side].work_s for pair in pairs) for side in (0, 1)]
    lost_s = whole.change - max(0.0, total_s[1] - total_s[0])
    if change < 0 or lost_s <= 0 or lost_s < _SERIAL_SHARE * change or not _same_calls(pairs):
        return None
    agents = dict.fromkeys(key.agent for key in work)
    gains = [
        summed(pairs, WORK, agent, "", [key for key in work if key.agent == agent])
        for agent in agents
    ]
    gains.sort(key=lambda gain: (-gain.change, gain.agent))
    slower = [gain.agent for gain in gains if gain.change > SAME_SHARE * whole.change]
    latency_s = [mean(pair[side].whole for pair in pairs) for side in (0, 1)]
    text = (
        f"Calls became serial: the work of {joined(slower)} takes {time(whole.change)} on the critical path "
        f"{extent(whole, among)}, while all work together takes {_relative(*total_s)}; on average "
        f"{total_s[0] / latency_s[0]:.1f} ran at a time, now {total_s[1] / latency_s[1]:.1f}."
    )
    who = slower[0] if slower else ""
    return Reason(SERIAL, who, "", whole.base, whole.candidate, whole.share, text)


def _same_calls(pairs: Sequence[Pair]) -> bool:
    before, after = uses_of(pairs)
    return before.keys() == after.keys() and all(
        abs(after[agent].calls - use.calls) <= SAME_SHARE * use.calls
        for agent, use in before.items()
    )


def _relative(before: float, after: float) -> str:
    if before <= 0 or abs(after / before - 1) < SAME_SHARE:
        return "as long as before"
    return f"{spaced(f'{abs(after / before - 1):.0%}')} {'longer' if after > before else 'less'}"
