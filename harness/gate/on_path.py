"""Why latency changed: each cause with what it did to the critical path, the largest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.gate.causes import ITSELF, Cause, Uses, cause_of_effect, gains, is_chance
from harness.gate.changes import factors
from harness.gate.explanation import NOTHING, Reason, Row, extent, mean, summed, time
from harness.gate.reasons import NUMBERS, joined, reasons
from harness.metrics.contributions import Key, Pair, Use, cause_of, uses_of
from harness.metrics.critical_path import (
    BACK_OFF,
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

_REASONS_MAX: Final = 3
"""More causes make a text no better; the table has all parts."""

_LITTLE: Final = 0.04
"""A cause of less than this share of the first, or of the change, is left to the table."""

_LEAST: Final = 0.1
"""What changed about an agent explains no longer stay of the critical path at it that is more than ten times as long."""

_MOST: Final = 0.8
"""Retries take longer because of their waits if these are so much of it."""

_HALF: Final = 0.5
"""Where less than this share of longer stays is left after the shorter ones, the path has only moved."""

_LITTLE_EFFECT: Final = 0.1
"""An effect of less than this share of the cause's first is left to the table."""

_SUBJECTS: Final[dict[str, str]] = {
    WORK: "{agent} takes",
    RETRY: "Failed attempts and retries of {agent} take",
    QUEUE: "Waiting in queues, most of it by {agent}, takes",
    SILENCE: "{agent} waits in silence",
    BACK_OFF: "{agent} waits between its attempts",
    IN_FLIGHT: "{agent} waits for a place in flight",
    STATE_LOCK: "{agent} waits for the lock of shared state",
    PERSON: "{agent} waits for a person",
    OVERHEAD: "{agent} takes, between its calls,",
    HAND_OFF: "Time between the calls, without a request, takes",
}

_EFFECTS: Final[dict[str, str]] = {
    WORK: "the work of {agent} takes",
    RETRY: "failed attempts and retries of {agent} take",
    QUEUE: "all wait in queues, most of it {agent},",
    IN_FLIGHT: "{agent} waits for a place in flight",
}


def on_path(
    pairs: Sequence[Pair], uses: Uses, tasks: int, keys: Iterable[Key], among: str
) -> list[Reason]:
    """The causes of a change of the critical path, by amount; what chance explains is left out, but for the first.

    Args:
        pairs: The tasks that decide the metric.
        uses: What the agents used in all tasks, on both sides.
        tasks: How many those are.
        keys: The contributions.
        among: What a pair is one of, in the plural.
    """
    change = mean(new.whole - old.whole for old, new in pairs)
    direction = math.copysign(1.0, change)
    tools = {tool for pair in pairs for side in pair for tool in side.tools}
    effects: dict[Key, list[Key]] = {}
    for key in keys:
        effects.setdefault(cause_of(key, tools), []).append(key)
    grouped: dict[tuple[str, str], list[tuple[Key, Cause]]] = {}
    moved: dict[tuple[str, str], float] = {}
    for effect, parts in effects.items():
        gain = mean(gains(pairs, parts))
        if abs(gain) <= NOTHING:
            continue
        # The slowest tasks stay longer at everybody than all tasks do, of which the uses are.
        least_s = _LEAST * abs(gain) if tasks == len(pairs) else 0.0
        cause = cause_of_effect(effect, uses, tasks, math.copysign(1.0, gain), least_s=least_s)
        if cause.kind == ITSELF and effect.kind == WORK and not effect.name:
            moved[cause.kind, cause.agent] = gain
        if gain * direction > 0:
            grouped.setdefault((cause.kind, cause.agent), []).append((effect, cause))
    caused = [
        mean(gains(pairs, [key for effect, _ in found for key in effects[effect]]))
        for place, found in grouped.items()
        if place not in moved
    ]
    for place in _only_moved(moved, max((abs(it) for it in caused), default=0.0), direction):
        if len(grouped) > 1:
            del grouped[place]
    told = []
    for found in grouped.values():
        mine = [key for effect, _ in found for key in effects[effect]]
        amounts = gains(pairs, mine)
        told.append((mean(amounts), is_chance(amounts), found, mine))
    told.sort(key=lambda it: (-it[0] * direction, it[2][0][0]))
    first = abs(told[0][0])
    shown = [
        it
        for number, it in enumerate(told)
        if not number
        or (not it[1] and abs(it[0]) >= _LITTLE * first and abs(it[0]) >= _LITTLE * abs(change))
    ]
    return [_reason(pairs, found, effects, among) for _, _, found, _ in shown[:_REASONS_MAX]]


def _only_moved(
    moved: Mapping[tuple[str, str], float], caused_s: float, direction: float
) -> list[tuple[str, str]]:
    """Agents of which nothing changed, and at which the path stays longer only because of what is told of others.

    Either the path is as much shorter at other agents of which nothing changed, or a cause is at least as large.

    Args:
        moved: By agent of which nothing changed, how much longer the path is at it [s].
        caused_s: How much the largest cause makes the path longer [s].
        direction: Whether the whole path is longer or shorter.
    """
    longer = {place: abs(gain) for place, gain in moved.items() if gain * direction > 0}
    net = math.fsum(moved.values()) * direction
    if net >= _HALF * math.fsum(longer.values()) and max(longer.values(), default=0.0) > caused_s:
        return []
    return sorted(longer, key=lambda place: (longer[place], place))


def _reason(
    pairs: Sequence[Pair],
    found: Sequence[tuple[Key, Cause]],
    effects: dict[Key, list[Key]],
    among: str,
) -> Reason:
    """One cause, with all of its effects."""
    mine = [key for effect, _ in found for key in effects[effect]]
    whole = summed(pairs, "", "", "", mine)
    rows = [_effect(pairs, effect, effects[effect]) for effect, _ in found]
    rows.sort(key=lambda it: (-abs(it.change), it.kind, it.agent))
    cause = found[0][1]
    is_direct = len(rows) == 1 and rows[0].kind == WORK and rows[0].agent == cause.agent
    if not cause.text or (is_direct and cause.kind in _DIRECT):
        return _direct(pairs, rows[0], cause, among)
    clauses = [f"{_effect_told(it)} {time(it.change)}" for it in _notable(rows)]
    work = [it.agent for it in _notable(rows) if it.kind == WORK and not it.name]
    if len(work) > 1:
        clauses = [it for it in clauses if not it.startswith("the work of")]
        rest = math.fsum(it.change for it in rows if it.kind == WORK and not it.name)
        clauses.insert(0, f"the work of {joined(work)} takes {time(rest)}")
    text = f"{cause.text}; so {joined(clauses)} on the critical path {extent(whole, among)}."
    return Reason(
        cause.kind, cause.agent, rows[0].name, whole.base, whole.candidate, whole.share, text
    )


_DIRECT: Final = ("calls", "prompt", "first token", "output", "speed", "model")
"""Causes that are told behind their effect, where that is the work of the same agent."""


def _direct(pairs: Sequence[Pair], it: Row, cause: Cause, among: str) -> Reason:
    """An effect, and behind it what changed about its agent."""
    only = _telling(pairs, it) if it.kind == WORK else None
    because = "" if it.name else reasons(pairs, it.agent, it.kind, it.change, only)
    subject = _subject(it)
    kind = it.kind if cause.kind == ITSELF else cause.kind
    if kind == RETRY and not because and backed_off(pairs, it):
        kind, subject = BACK_OFF, f"{it.agent} waits between its attempts (back-off)"
    text = f"{subject} {time(it.change)} on the critical path {extent(it, among)}{because}."
    return Reason(kind, it.agent, it.name, it.base, it.candidate, it.share, text)


def backed_off(pairs: Sequence[Pair], it: Row) -> bool:
    """Whether what retries take longer are the waits before them, and not the attempts."""
    keys = {key for pair in pairs for side in pair for key in side.parts}
    waits = [key for key in keys if key.kind == BACK_OFF and key.agent == it.agent]
    return mean(gains(pairs, waits)) >= _MOST * it.change > 0


def _telling(pairs: Sequence[Pair], it: Row) -> set[str]:
    """The numbers of an agent that moved its work by a tenth of what the largest did."""
    before, after = (uses.get(it.agent, Use()) for uses in uses_of(pairs))
    found = factors(it.agent, before, after, len(pairs))
    least = _LITTLE_EFFECT * max(abs(factor.seconds) for factor in found)
    return {
        name for factor in found if abs(factor.seconds) >= least for name in NUMBERS[factor.kind]
    }


def _effect(pairs: Sequence[Pair], effect: Key, keys: Sequence[Key]) -> Row:
    """An effect with its amount; of queues with who waits longer."""
    agent = effect.agent
    if effect.kind == QUEUE:
        waits = {key.agent: mean(gains(pairs, [key])) for key in keys}
        direction = math.copysign(1.0, math.fsum(waits.values()))
        agent = min(waits, key=lambda it: (-waits[it] * direction, it))
    return summed(pairs, effect.kind, agent, effect.name, keys)


def _notable(rows: Sequence[Row]) -> list[Row]:
    return [it for it in rows if abs(it.change) >= _LITTLE_EFFECT * abs(rows[0].change)]


def _effect_told(it: Row) -> str:
    if it.kind == WORK and it.name:
        return f"the tool {it.name} takes"
    return _EFFECTS.get(it.kind, _SUBJECTS[it.kind]).format(agent=it.agent)


def _subject(it: Row) -> str:
    if it.kind == WORK and it.name:
        return f"The tool {it.name}{it.agent and f' of {it.agent}'} takes"
    return _SUBJECTS[it.kind].format(agent=it.agent)
