"""Causes of a change of latency, before their effects: who changed, and what all others wait longer for because of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from harness.gate.changes import (
    CALLS,
    OUTPUT,
    PROMPT,
    Factor,
    asked_for,
    factors,
    grown,
    leading,
    noun,
    shared_by_model,
    told,
)
from harness.gate.ending import ending_told
from harness.gate.requests import fewer_spared, waited_for
from harness.metrics.contributions import Key, Pair, Use
from harness.metrics.critical_path import IN_FLIGHT, QUEUE, RETRY, SILENCE, WORK
from harness.metrics.endings import TIMEOUT
from harness.rate_limits import of_reason

_FALSE_ALARMS: Final = 0.001
"""How often chance alone may give a further reason."""

_NOTHING: Final = 1e-9
_MANY: Final = 1_000
"""Beyond so many tasks that changed, the standard error decides alone."""

_SIZEABLE: Final = 0.1
"""An agent whose own work grew by less is not the cause of longer waits or of timeouts."""

Uses = tuple[Mapping[str, Use], Mapping[str, Use]]

TOOL: Final = "failing tool"
FALLBACK: Final = "fallback"
MODEL: Final = "model"
WAITED_FOR: Final = "waited for"
ITSELF: Final = "itself"
"""Kinds of causes beside those of `changes`."""

_ASKED: Final[dict[str, Callable[[Use], float]]] = {
    OUTPUT: lambda use: use.output_tokens,
    PROMPT: lambda use: use.input_tokens,
    CALLS: lambda use: use.calls,
}
"""What agents ask for of a provider."""

_LIMITED: Final = (("output tokens", OUTPUT), ("input tokens", PROMPT), ("requests", CALLS))
"""What each rate limit counts, by the words of its name."""

_DEMAND_MIN: Final = 0.03
"""Of what all ask for of a shared resource, a smaller growth explains no longer waits."""


class Cause(NamedTuple):
    """Who changed, and what about it."""

    kind: str
    """A kind of `changes.Factor`, or one of the above."""
    agent: str
    """The agent, or the model whose agents all changed."""
    text: str
    """As the first clause of a sentence; empty where the effect tells it."""


def cause_of_effect(
    effect: Key, uses: Uses, tasks: int, direction: float, *, least_s: float = 0.0
) -> Cause:
    """Look for what changed about an agent that explains time on the critical path.

    Args:
        effect: What took longer.
        uses: What all agents used, on both sides.
        tasks: In how many tasks.
        direction: Whether it took longer or less.
        least_s: By how much the agent's own work, a task, must have changed to explain it [s].
    """
    alone = Cause(ITSELF, f"{effect.kind} {effect.agent} {effect.name}", "")
    if effect.kind in (WORK, RETRY, SILENCE) and not effect.name and direction > 0:
        spared = _of_policy(effect, uses)
        if spared is not None:
            return spared
    if effect.kind == WORK and not effect.name:
        return _of_agent(effect.agent, uses, tasks, direction, least_s=least_s) or alone
    if effect.kind == WORK and direction > 0:
        sides = (side.get(effect.agent, Use()) for side in uses)
        return failing_tool(effect.agent, *sides, tool=effect.name) or alone
    if effect.kind == IN_FLIGHT:
        mine = _of_agent(effect.agent, uses, tasks, direction, least=_SIZEABLE)
        return mine or _of_demand(uses, tasks, direction) or alone
    if effect.kind == QUEUE:
        return _of_demand(uses, tasks, direction) or alone
    if effect.kind == RETRY:
        return of_failures(effect.agent, uses, tasks, direction) or alone
    return alone


def _of_policy(effect: Key, uses: Uses) -> Cause | None:
    """What no longer spares an agent requests, slow ones, or the wait for its replies."""
    before, after = (side.get(effect.agent, Use()) for side in uses)
    spared = fewer_spared(effect.agent, before, after)
    if spared is not None:
        return Cause(spared[0], effect.agent, spared[1])
    text = waited_for(effect.agent, before, after) if effect.kind != RETRY else ""
    return Cause(WAITED_FOR, effect.agent, text) if text else None


def _of_agent(
    agent: str,
    uses: Uses,
    tasks: int,
    direction: float,
    *,
    least: float = 0.0,
    least_s: float = 0.0,
) -> Cause | None:
    """What changed most about an agent, that makes its work take longer; by a share of its work, and by a time a task, at least."""
    before, after = (side.get(agent, Use()) for side in uses)
    if not tasks:
        return None
    factor = leading(factors(agent, before, after, tasks), direction)
    if factor is None or abs(factor.seconds) * tasks < least * before.service_s:
        return None
    if abs(factor.seconds) < least_s:
        return None
    if factor.kind == CALLS and direction > 0:
        failing = failing_tool(agent, before, after) or failing_other(agent, uses)
        if failing is not None:
            return failing
    if factor.kind == PROMPT and direction > 0:
        failing = failing_tool(agent, before, after)
        if failing is not None:
            return failing
    if before.models.keys() != after.models.keys() and before.calls and factor.kind not in (CALLS, OUTPUT):  # fmt: skip
        return Cause(
            MODEL, agent, f"{agent} asks {_named(after.models)}, not {_named(before.models)}"
        )
    return _shared(factor, uses, tasks)


def _shared(factor: Factor, uses: Uses, tasks: int) -> Cause:
    model, agents = shared_by_model(factor, uses, tasks)
    if not model:
        return Cause(factor.kind, factor.agent, told(factor))
    slower = "slower" if factor.times > 1 else "faster"
    much = f"{100 * abs(factor.times - 1):.0f} %"
    return Cause(
        factor.kind,
        f"model {model}",
        f"Every agent of {model} ({', '.join(agents)}) is {much} {slower} ({noun(factor.kind)})",
    )


def _of_demand(uses: Uses, tasks: int, direction: float) -> Cause | None:
    """Who asks for more of the provider's slots."""
    agent = grown(
        uses if direction > 0 else (uses[1], uses[0]), lambda use: use.service_s, share=_DEMAND_MIN
    )
    found = _of_agent(agent, uses, tasks, direction) if agent else None
    return found or _of_model(uses, tasks, direction)


def _of_model(uses: Uses, tasks: int, direction: float) -> Cause | None:
    """A model whose agents are all slower; the demand of each grew, and none stands out."""
    before, after = uses
    for agent, use in before.items():
        if use.replies and agent in after:
            factor = leading(factors(agent, use, after[agent], tasks), direction)
            if factor is not None and shared_by_model(factor, uses, tasks)[0]:
                return _shared(factor, uses, tasks)
    return None


def of_failures(agent: str, uses: Uses, tasks: int, direction: float) -> Cause | None:
    """Why an agent's attempts fail more often: its own slowness, or what others ask for; None if nobody's demand explains it.

    Args:
        agent: The agent.
        uses: What all agents used, on both sides.
        tasks: In how many tasks.
        direction: Whether they fail more often or less.
    """
    if direction < 0:
        return None
    before, after = (side.get(agent, Use()) for side in uses)
    gains = {
        it: after.endings[it] - before.endings[it]
        for it in after.endings
        if after.endings[it] > before.endings[it]
    }
    if not gains:
        return None
    reason = min(gains, key=lambda it: (-gains[it], it))
    if after.injected - before.injected >= 0.5 * math.fsum(gains.values()):
        return None  # nobody's demand: a fault was injected
    if reason == TIMEOUT:
        # The replies that are left are the fast ones, so that only what is plain to see in them is a cause.
        found = _of_agent(agent, uses, tasks, direction, least=_SIZEABLE)
        return found if found is not None and found.kind != CALLS else None
    if not reason.startswith(("429", "rate_limit", "529", "overloaded")):
        return None
    limit = of_reason(reason)
    of_limit = next((kind for words, kind in _LIMITED if words in limit), None)
    rates = []
    for kind, amount in _ASKED.items():
        if of_limit not in (None, kind):
            continue  # nobody is refused for what another limit counts
        whole = [math.fsum(amount(use) for use in side.values()) for side in uses]
        rates.append((whole[1] / whole[0] if whole[0] else 0.0, kind))
    for growth, kind in sorted(rates, reverse=True):
        who = grown(uses, _ASKED[kind], share=_DEMAND_MIN)
        if growth > 1 + _DEMAND_MIN and who:
            old, new = (side.get(who, Use()) for side in uses)
            right = [it for it in asked_for(who, old, new, tasks) if it.kind in (kind, CALLS)]
            most = max(right, key=lambda it: it.times, default=None)
            if most is not None and most.times > 1:
                return Cause(most.kind, who, told(most))
    return None


def failing_tool(agent: str, before: Use, after: Use, *, tool: str = "") -> Cause | None:
    """A tool of an agent, or this one, that fails more often, so that it is asked again; None if there is none."""
    gains = {
        it: after.endings[it] - before.endings[it]
        for it in after.endings
        if it.startswith(f"tool {tool}: " if tool else "tool ")
        and after.endings[it] > before.endings[it]
    }
    if not gains:
        return None
    reason = min(gains, key=lambda it: (-gains[it], it))
    tool = reason.removeprefix("tool ").partition(": ")[0]
    how = ending_told(_only(before, reason), _only(after, reason)).removeprefix("its tool ")
    how = how.removeprefix(tool).strip()
    return Cause(TOOL, agent, f"The tool {tool} of {agent} {how}")


def failing_other(agent: str, uses: Uses) -> Cause | None:
    """An agent that fails more often, and that this one stands in for; None if there is none."""
    before, after = (side.get(agent, Use()) for side in uses)
    gains = {
        it: after.stands_in[it] - before.stands_in[it]
        for it in after.stands_in
        if after.stands_in[it] > before.stands_in[it]
    }
    if not gains:
        return None
    other = min(gains, key=lambda it: (-gains[it], it))
    old, new = (side.get(other, Use()) for side in uses)
    if new.failed_calls <= old.failed_calls:
        return None
    how = ending_told(old, new)
    return Cause(
        FALLBACK, other, f"{other} fails{f' ({how})' if how else ''}; its fallback {agent}"
    )


def _only(use: Use, reason: str) -> Use:
    return Use(calls=use.calls, attempts=use.attempts, endings=use.endings.__class__({reason: use.endings[reason]}))  # fmt: skip


def _named(models: Iterable[str]) -> str:
    return " and ".join(sorted(models))


def is_chance(amounts: Sequence[float]) -> bool:
    """Whether chance may explain the mean change of paired tasks.

    It does not if the mean is three standard errors from nothing, or if so many of the tasks that changed at all did so in
    the same direction (sign test): an effect on few tasks is as plain in that as it is spread in size.
    """
    count = len(amounts)
    mean = math.fsum(amounts) / count
    if count < 2 or not mean:
        return not mean
    variance = math.fsum((it - mean) ** 2 for it in amounts) / (count - 1)
    if abs(mean) >= 3 * math.sqrt(variance / count):
        return False
    moved = [it for it in amounts if abs(it) > _NOTHING]
    same = sum(it * mean > 0 for it in moved)
    tail = math.fsum(math.comb(len(moved), it) for it in range(same, len(moved) + 1))
    return tail > _FALSE_ALARMS * 2.0 ** len(moved) if len(moved) < _MANY else True


def gains(pairs: Sequence[Pair], keys: Sequence[Key]) -> list[float]:
    """By how much some contributions grew in each pair."""
    return [
        math.fsum(new.parts.get(key, 0.0) - old.parts.get(key, 0.0) for key in keys)
        for old, new in pairs
    ]
