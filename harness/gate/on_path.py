"""Why latency changed: each cause with what it did to the critical path, the largest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from harness.gate.causes import ITSELF, Cause, Uses, cause_of_effect, gains, is_chance
from harness.gate.explanation import NOTHING, Reason, Row, extent, mean, summed, time
from harness.gate.reasons import joined, reasons
from harness.metrics.contributions import Key, Pair, cause_of
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

_REASONS_MAX: Final = 3
"""More causes make a text no better; the table has all parts."""

_LITTLE: Final = 0.04
"""A cause of less than this share of the first, or of the change, is left to the table."""

_LITTLE_EFFECT: Final = 0.1
"""An effect of less than this share of the cause's first is left to the table."""

_SUBJECTS: Final[dict[str, str]] = {
    WORK: "{agent} takes",
    RETRY: "Failed attempts and retries of {agent} take",
    QUEUE: "Waiting in queues, most of it by {agent}, takes",
    SILENCE: "{agent} waits in silence",
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
    for effect, parts in effects.items():
        if mean(gains(pairs, parts)) * direction > NOTHING:
            cause = cause_of_effect(effect, uses, tasks, direction)
            grouped.setdefault((cause.kind, cause.agent), []).append((effect, cause))
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
    clauses = [
        f"{_EFFECTS.get(it.kind, _SUBJECTS[it.kind]).format(agent=it.agent)} {time(it.change)}"
        for it in _notable(rows)
    ]
    work = [it.agent for it in _notable(rows) if it.kind == WORK]
    if len(work) > 1:
        clauses = [it for it in clauses if not it.startswith("the work of")]
        rest = math.fsum(it.change for it in rows if it.kind == WORK)
        clauses.insert(0, f"the work of {joined(work)} takes {time(rest)}")
    text = f"{cause.text}; so {joined(clauses)} on the critical path {extent(whole, among)}."
    return Reason(
        cause.kind, cause.agent, rows[0].name, whole.base, whole.candidate, whole.share, text
    )


_DIRECT: Final = ("calls", "prompt", "first token", "output", "speed", "model")
"""Causes that are told behind their effect, where that is the work of the same agent."""


def _direct(pairs: Sequence[Pair], it: Row, cause: Cause, among: str) -> Reason:
    """An effect, and behind it what changed about its agent."""
    because = "" if it.name else reasons(pairs, it.agent, it.kind, it.change)
    text = f"{_subject(it)} {time(it.change)} on the critical path {extent(it, among)}{because}."
    kind = it.kind if cause.kind == ITSELF else cause.kind
    return Reason(kind, it.agent, it.name, it.base, it.candidate, it.share, text)


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


def _subject(it: Row) -> str:
    if it.kind == WORK and it.name:
        return f"The tool {it.name}{it.agent and f' of {it.agent}'} takes"
    return _SUBJECTS[it.kind].format(agent=it.agent)
