"""What changed about an agent: its calls, what it reads and writes, how fast it is served, its model, its failures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from harness.gate.shapley import shapley
from harness.metrics.contributions import Use
from harness.units import render

CALLS: Final = "calls"
PROMPT: Final = "prompt"
FIRST: Final = "first token"
OUTPUT: Final = "output"
SPEED: Final = "speed"

LITTLE: Final = 0.02
"""A smaller relative change of a factor is no cause."""

_ALIKE: Final = 0.25
"""Agents of a model are slower alike if their factors' logarithms differ by a smaller share."""


class Factor(NamedTuple):
    """Something about an agent that takes time."""

    kind: str
    agent: str
    """The agent, or the model that all its agents share it with."""
    before: float
    after: float
    seconds: float
    """By how much more an agent is served for a task because of it [s]."""

    @property
    def times(self) -> float:
        """How many times as much it is."""
        return self.after / self.before if self.before else math.inf


@dataclass(frozen=True, slots=True)
class Phrases:
    """How a factor is told."""

    verb: str
    """What an agent does, so many times as much; `{}` is the number."""
    noun: str
    unit: str


_PHRASES: Final[dict[str, Phrases]] = {
    CALLS: Phrases("makes {} times as many calls", "calls a task", "calls"),
    PROMPT: Phrases("reads {} times as much", "input tokens a reply", "tokens"),
    FIRST: Phrases("takes {} times as long to the first token", "time to it", "s"),
    OUTPUT: Phrases("writes {} times as much", "output tokens a reply", "tokens"),
    SPEED: Phrases("takes {} times as long for a token", "time an output token", "s"),
}


def factors(agent: str, before: Use, after: Use, tasks: int) -> list[Factor]:
    """Split the change of an agent's service time, a task, by what it follows from; the largest part first.

    The parts are Shapley values and add up to the change.

    Args:
        agent: The agent.
        before: What it used in the base.
        after: What it used in the candidate.
        tasks: In how many tasks.
    """
    old, new = _numbers(before, tasks), _numbers(after, tasks)
    if not (before.replies and after.replies):
        seconds = (after.service_s - before.service_s) / tasks if tasks else 0.0
        return [Factor(CALLS, agent, before.calls / tasks, after.calls / tasks, seconds)]
    parts = shapley(lambda it: it[0] * (it[1] + it[2] * it[3]), old, new)
    reads = before.input_tokens / before.replies, after.input_tokens / after.replies
    fresh = [_fresh(use) / use.replies for use in (before, after)]
    prefill: tuple[str, float, float] = (
        (PROMPT, *reads) if _follows(old[1], new[1], *fresh) else (FIRST, old[1], new[1])
    )
    calls: tuple[str, float, float] = (CALLS, before.calls / tasks, after.calls / tasks)
    kinds = [calls, prefill, (OUTPUT, old[2], new[2]), (SPEED, old[3], new[3])]
    found = [
        Factor(kind, agent, was, now, seconds)
        for (kind, was, now), seconds in zip(kinds, parts, strict=True)
    ]
    return sorted(found, key=lambda it: (-abs(it.seconds), it.kind))


def asked_for(agent: str, before: Use, after: Use, tasks: int) -> list[Factor]:
    """What an agent asks for, whether it takes longer for it or not: calls a task, input and output a reply."""
    if not (before.replies and after.replies and tasks):
        return (
            [Factor(CALLS, agent, before.calls / tasks, after.calls / tasks, 0.0)] if tasks else []
        )
    return [
        Factor(CALLS, agent, before.calls / tasks, after.calls / tasks, 0.0),
        Factor(PROMPT, agent, before.input_tokens / before.replies, after.input_tokens / after.replies, 0.0),
        Factor(OUTPUT, agent, before.output_tokens / before.replies, after.output_tokens / after.replies, 0.0),
    ]  # fmt: skip


def leading(found: Sequence[Factor], direction: float) -> Factor | None:
    """The factor that changed most in a direction; None if none changed by more than chance does."""
    right = [it for it in found if it.seconds * direction > 0 and _is_notable(it)]
    return max(right, key=lambda it: abs(it.seconds), default=None)


def shared_by_model(
    factor: Factor, uses: tuple[Mapping[str, Use], Mapping[str, Use]], tasks: int
) -> tuple[str, list[str]]:
    """The model of a factor, and its agents, if all of them became slower alike; otherwise nothing.

    Args:
        factor: A factor of one agent.
        uses: What all agents used, on both sides.
        tasks: In how many tasks.
    """
    if factor.kind not in (SPEED, FIRST):
        return "", []
    before, after = uses
    models = set(before[factor.agent].models) | set(after[factor.agent].models)
    if len(models) != 1:
        return "", []
    (model,) = models
    agents = [
        agent
        for agent in before
        if set(before[agent].models) == {model} and before[agent].replies
        and agent in after and set(after[agent].models) == {model} and after[agent].replies
    ]  # fmt: skip
    if len(agents) < 2:
        return "", []
    for agent in agents:
        theirs = next(
            (
                it
                for it in factors(agent, before[agent], after[agent], tasks)
                if it.kind == factor.kind
            ),
            None,
        )
        if theirs is None or not 0 < theirs.times < math.inf:
            return "", []
        if abs(math.log(theirs.times) - math.log(factor.times)) > _ALIKE * abs(
            math.log(factor.times)
        ):
            return "", []
    return model, agents


def detail(factor: Factor) -> str:
    """A factor with its values, such as `output tokens a reply from 300 to 480`."""
    phrases = _PHRASES[factor.kind]
    return f"{noun(factor.kind)} from {_render(phrases.unit, factor.before)} to {_render(phrases.unit, factor.after)}"


def told(factor: Factor) -> str:
    """What an agent does, such as `bee writes 1.6 times as much (output tokens a reply from 300 to 480)`."""
    if not factor.before:
        return f"{factor.agent} is new"
    if not factor.after:
        return f"{factor.agent} makes no calls"
    verb = _PHRASES[factor.kind].verb.format(f"{factor.times:.2g}")
    return f"{factor.agent} {verb} ({detail(factor)})"


def noun(kind: str) -> str:
    """What a factor is, such as `time an output token`."""
    return "time to the first token" if kind == FIRST else _PHRASES[kind].noun


def _render(unit: str, value: float) -> str:
    if unit == "s" and value < 0.1:
        return f"{1000 * value:.3g} ms"
    return render(unit, value)


def grown(
    uses: tuple[Mapping[str, Use], Mapping[str, Use]],
    amount: Callable[[Use], float],
    *,
    share: float,
) -> str:
    """The agent that asks for more of something shared than before, and for most of what all ask for more.

    Args:
        uses: What all agents used, on both sides.
        amount: What is asked for.
        share: By how much of the whole it must have grown.

    Returns:
        Its name; empty if nobody stands out.
    """
    before, after = uses
    gains = {
        agent: amount(after.get(agent, Use())) - amount(before.get(agent, Use()))
        for agent in dict.fromkeys((*before, *after))
    }
    whole = math.fsum(amount(use) for use in before.values())
    positive = _sum(it for it in gains.values() if it > 0)
    if not gains or not positive:
        return ""
    most = min(gains, key=lambda agent: (-gains[agent], agent))
    return most if gains[most] >= 0.5 * positive and gains[most] >= share * whole else ""


def _sum(values: Iterable[float]) -> float:
    return math.fsum(values)


def _numbers(use: Use, tasks: int) -> list[float]:
    """Replies a task, time to the first token [s], output tokens a reply, time an output token [s]."""
    if not use.replies:
        return [0.0, 0.0, 0.0, 0.0]
    output = use.output_tokens / use.replies
    generated_s = (use.service_s - use.prefill_s) / use.replies
    if not output:
        output = 1.0
    return [use.replies / tasks, use.prefill_s / use.replies, output, generated_s / output]


def _fresh(use: Use) -> float:
    """Input that was not read from a cache [tokens]."""
    return use.input_tokens - use.cache_read_tokens


def _follows(before_s: float, after_s: float, before: float, after: float) -> bool:
    """Whether the time to the first token grew because of the input: the input grew about as much, or more."""
    if not (before_s > 0 and after_s > 0 and before > 0 and after > 0):
        return False
    time, size = math.log(after_s / before_s), math.log(after / before)
    return abs(size) > LITTLE and size * time > 0 and abs(size) >= 0.5 * abs(time)


def _is_notable(factor: Factor) -> bool:
    return abs(factor.after - factor.before) > LITTLE * abs(factor.before)
