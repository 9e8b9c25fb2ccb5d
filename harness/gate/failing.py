"""Why a success rate changed: at which agent tasks fail, with what, and how its attempts end."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from harness.gate.causes import of_failures
from harness.gate.ending import ending_told, percent, were
from harness.gate.explanation import Reason, summed
from harness.metrics.contributions import FAILED, Key, Pair, Use, uses_of

_PARTS_MAX: Final = 2
"""More places make a sentence no better; the table has the others."""

_FEWER: Final = 0.05
"""An agent that makes fewer calls by a smaller share is not who was not asked."""

_NOTHING: Final = 1e-9

_LITTLE: Final = 0.1
"""A place with less than this share of the change is left to the table."""


def failing(pairs: Sequence[Pair], keys: Iterable[Key], change: float) -> list[Reason]:
    """Explain a change of the share of tasks that fail, the place that gained most first.

    Args:
        pairs: The tasks.
        keys: Where and how they fail.
        change: By how much more of them fail.
    """
    by_agent: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        by_agent[key.agent].append(key)
    direction = math.copysign(1.0, change)
    gains = [(_shares(pairs, found), agent, found) for agent, found in by_agent.items()]
    gains.sort(key=lambda it: (-(it[0][1] - it[0][0]) * direction, it[1]))
    limit = _LITTLE * abs(change)
    shown = [it for it in gains if (it[0][1] - it[0][0]) * direction > limit][:_PARTS_MAX]
    uses = uses_of(pairs)
    return [_told(pairs, *it, uses) for it in shown or gains[:1]]


def _told(
    pairs: Sequence[Pair],
    shares: tuple[float, float],
    agent: str,
    keys: Sequence[Key],
    uses: tuple[dict[str, Use], dict[str, Use]],
) -> Reason:
    """One place, with the reason that gained most there."""
    before, after = shares
    key = max(keys, key=lambda key: (_gain(pairs, key) * math.copysign(1, after - before), key))
    where = f"fail at {agent}" if agent else "fail outside of any call"
    text = f"{percent(after)} of tasks {where} ({were(before)}), with {key.name}"
    more = ending_told(*(side.get(agent, Use()) for side in uses), direction=after - before)
    cause = of_failures(agent, uses, len(pairs), 1.0) if after > before else None
    if cause is not None:
        text = f"{cause.text}; so {text}"
    missed, fewer = ("", "") if agent or after < before else _not_asked(uses, len(pairs))
    more = "; ".join(it for it in (more, fewer) if it)
    whole = summed(pairs, FAILED, agent, key.name, keys)
    text = f"{text}; {more}." if more else f"{text}."
    kind, who = (FAILED, agent or missed) if cause is None else (cause.kind, cause.agent)
    return Reason(kind, who, key.name, whole.base, whole.candidate, whole.share, text)


def _not_asked(uses: tuple[dict[str, Use], dict[str, Use]], tasks: int) -> tuple[str, str]:
    """Who makes fewer calls by the largest share, the first of several, as where its messages are lost; and that in words.

    Those who would have worked with its reply make fewer calls as well, by as large a share at most.
    """
    before, after = uses
    fell = {
        agent: 1 - after.get(agent, Use()).calls / use.calls
        for agent, use in before.items()
        if use.calls
    }
    most = max(fell.values(), default=0.0)
    if most < _FEWER:
        return "", ""
    agent = next(it for it, share in fell.items() if share > most - _NOTHING)
    old, new = (side.get(agent, Use()).calls / tasks for side in uses)
    return agent, f"{agent} makes {new:.3g} calls a task ({old:.3g} before)"


def _gain(pairs: Sequence[Pair], key: Key) -> float:
    before, after = _shares(pairs, [key])
    return after - before


def _shares(pairs: Sequence[Pair], keys: Sequence[Key]) -> tuple[float, float]:
    """The share of tasks that some contributions stand for, on either side."""
    before, after = (
        math.fsum(pair[side].parts.get(key, 0.0) for pair in pairs for key in keys) / len(pairs)
        for side in (0, 1)
    )
    return before, after
