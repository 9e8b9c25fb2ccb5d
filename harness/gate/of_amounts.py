"""Why an amount changed, such as a cost: whose attempts it is, and what changed about them, the largest first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.gate.causes import Cause, failing_other, failing_tool, gains, is_chance
from harness.gate.explanation import NOTHING, Reason, extent, mean, summed
from harness.gate.money import CACHE, CALLS, OUTPUT, PRICE, PROMPT, Money, Part
from harness.gate.reasons import ATTEMPTS, READ, WRITTEN, joined, reasons
from harness.gate.reasons import CALLS as CALLS_A_TASK
from harness.gate.requests import HEDGES, REPLY_CACHE, RETRIES, SAMPLES, UNMADE, policy_told
from harness.metrics.contributions import Key, Pair, Use, uses_of
from harness.units import render

_REASONS_MAX: Final = 3
_LITTLE: Final = 0.04
"""A cause of less than this share of the first, or of the change, is left to the table."""

_ALL: Final = 1.3
"""A prompt that grew by up to so many times what others write more grew because of them."""

_VERBS: Final[dict[str, tuple[str, str]]] = {
    "cost_usd_mean": ("costs {}", "usd"),
    "cost_usd_total": ("costs {}", "usd"),
    "wasted_usd": ("wastes {}", "usd"),
    "calls_mean": ("makes {} calls", "calls"),
    "attempts_mean": ("makes {} attempts", "attempts"),
    "input_tokens_mean": ("reads {} tokens", "tokens"),
    "output_tokens_mean": ("writes {} tokens", "tokens"),
    "rate_limited": ("meets {} rate limits", "limits"),
    "retries": ("makes {} retries", "retries"),
}
"""What an agent does more of, and the unit."""

_NUMBERS: Final = {CALLS: CALLS_A_TASK, RETRIES: ATTEMPTS, PROMPT: READ, OUTPUT: WRITTEN}
"""How the factors of a cost are told."""


def of_amounts(
    pairs: Sequence[Pair], keys: Iterable[Key], metric: str, among: str, split: Money | None
) -> list[Reason]:
    """The causes of a change of an amount, by amount; what chance explains is left out, but for the first.

    Args:
        pairs: The tasks.
        keys: The contributions.
        metric: The metric's name.
        among: What a pair is one of, in the plural.
        split: Of a cost what it consists of.
    """
    change = mean(new.whole - old.whole for old, new in pairs)
    direction = math.copysign(1.0, change)
    by_agent: dict[str, list[Key]] = {}
    for key in keys:
        by_agent.setdefault(key.agent, []).append(key)
    dearer = {} if split is None else _dearer(split, direction)
    groups: dict[tuple[str, ...], list[str]] = {}
    for agent in by_agent:
        models = next((it for it, agents in dearer.items() if agent in agents), ())
        groups.setdefault(models or ("", agent), []).append(agent)
    told = []
    for agents in groups.values():
        mine = [key for agent in agents for key in by_agent[agent]]
        amounts = gains(pairs, mine)
        if mean(amounts) * direction > NOTHING:
            told.append((mean(amounts), is_chance(amounts), agents, mine))
    told.sort(key=lambda it: (-it[0] * direction, it[2]))
    least = _LITTLE * max(abs(told[0][0]), abs(change)) if told else 0.0
    shown = [it for n, it in enumerate(told) if not n or (not it[1] and abs(it[0]) >= least)]
    writers = {} if split is None else _writers(pairs, [it[2][0] for it in shown], split, direction)
    shown.sort(key=lambda it: it[2][0] in writers)
    return [
        _reason(pairs, agents, mine, metric, among, split, writers.get(agents[0], ""))
        for _, _, agents, mine in shown[:_REASONS_MAX]
    ]


def _writers(
    pairs: Sequence[Pair], agents: Sequence[str], split: Money, direction: float
) -> dict[str, str]:
    """Agents that read more only because others write more, and whose words those are: effects, told behind their causes."""
    before, after = uses_of(pairs)
    written = {
        agent: (_of(after, agent).output_tokens - _of(before, agent).output_tokens) / len(pairs)
        for agent in dict.fromkeys((*before, *after))
    }
    found = {}
    for agent in agents:
        first = _first(split, agent, direction)
        if first is None or first.kind != PROMPT:
            continue
        more = math.fsum(tokens for it, tokens in written.items() if it != agent)
        authors = [
            it
            for it in agents
            if it != agent and written[it] * direction > 0
            and (part := _first(split, it, direction)) is not None and part.kind in (CALLS, OUTPUT)
        ]  # fmt: skip
        if authors and (first.candidate - first.base) * direction <= _ALL * more * direction:
            found[agent] = joined(authors)
    return found


def _of(uses: Mapping[str, Use], agent: str) -> Use:
    return uses.get(agent, Use())


def _dearer(split: Money, direction: float) -> dict[tuple[str, ...], list[str]]:
    """Agents whose cost changed most by the price of the same models, by these, where there are several."""
    found: dict[tuple[str, ...], list[str]] = {}
    for agent in dict.fromkeys(part.agent for part in split.parts):
        first = _first(split, agent, direction)
        if first is not None and first.kind == PRICE and ";" not in first.of:
            found.setdefault(split.models.get(agent, ()), []).append(agent)
    return {models: agents for models, agents in found.items() if len(agents) > 1}


def _first(split: Money, agent: str, direction: float) -> Part | None:
    right = [it for it in split.parts if it.agent == agent and it.usd * direction > 0]
    return max(right, key=lambda it: abs(it.usd), default=None)


def _reason(
    pairs: Sequence[Pair],
    agents: Sequence[str],
    keys: Sequence[Key],
    metric: str,
    among: str,
    split: Money | None,
    writers: str = "",
) -> Reason:
    whole = summed(pairs, "", agents[0], "", keys)
    verb, unit = _VERBS[metric]
    direction = math.copysign(1.0, whole.change)
    more = f"{render(unit, abs(whole.change))} {'more' if direction > 0 else 'less'}"
    does = f"{verb.format(more)} a task {extent(whole, among)}"
    first = None if split is None else _first(split, agents[0], direction)
    if first is not None and split is not None and len(agents) > 1:
        model = ", ".join(split.models[agents[0]])
        word = "dearer" if direction > 0 else "cheaper"
        text = f"Every agent of {model} is {word}: a task {does}; {_price(first)}."
        return Reason(PRICE, f"model {model}", "", whole.base, whole.candidate, whole.share, text)
    uses = uses_of(pairs)
    agent = agents[0]
    cause = _before(agent, uses, first) if direction > 0 else None
    kind = metric if first is None else first.kind
    if cause is not None:
        text = f"{cause.text}{'' if cause.text.endswith(agent) else f'; so {agent}'} {does}."
        return Reason(
            cause.kind, cause.agent, agent, whole.base, whole.candidate, whole.share, text
        )
    details = _details(pairs, agent, metric, whole.change, split)
    if writers:
        details += f": it reads what {writers} {'write' if ' and ' in writers else 'writes'}"
    text = f"{agent} {does}{details}."
    return Reason(kind, agent, "", whole.base, whole.candidate, whole.share, text)


def _before(
    agent: str, uses: tuple[dict[str, Use], dict[str, Use]], first: Part | None
) -> Cause | None:
    """What makes an agent ask more often: a tool of its that fails, or another agent whose fallback it is."""
    if first is not None and first.kind not in (CALLS, PROMPT):
        return None
    before, after = (side.get(agent, Use()) for side in uses)
    return failing_tool(agent, before, after) or failing_other(agent, uses)


def _details(
    pairs: Sequence[Pair], agent: str, metric: str, change: float, split: Money | None
) -> str:
    """What changed about an agent, as the end of a sentence; of a cost what moved it by a tenth of its change."""
    if split is None:
        return reasons(pairs, agent, metric, change)
    mine = [it for it in split.parts if it.agent == agent and it.usd * change > 0]
    mine = [it for it in mine if abs(it.usd) >= _LITTLE * abs(change)]
    only = {_NUMBERS[it.kind] for it in mine if it.kind in _NUMBERS}
    told = reasons(pairs, agent, metric, change, only)
    for it in mine:
        if it.kind in (HEDGES, SAMPLES, REPLY_CACHE, UNMADE):
            uses = (side.get(agent, Use()) for side in uses_of(pairs))
            told += f"; {policy_told(it.kind, agent, *uses)}"
        elif it.kind == CACHE:
            told += f"; share of its input from the cache from {_percent(it.base)} to {_percent(it.candidate)}"
        elif it.kind == PRICE:
            told += f"; {_price(it)}"
    return told


def _price(part: Part) -> str:
    kind = part.of.partition(";")[0]
    old, new = (render("usd", 1e6 * it) for it in (part.base, part.candidate))
    return f"price of a million tokens of {kind} from {old} to {new}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def split_told(split: Money) -> str:
    """The change of a cost by what it follows from, in a sentence."""
    kinds = dict.fromkeys(part.kind for part in split.parts)
    totals = sorted(((split.total(kind), kind) for kind in kinds), key=lambda it: -abs(it[0]))
    whole = math.fsum(usd for usd, _ in totals)
    shown = [it for it in totals if abs(it[0]) >= 0.01 * abs(whole)] or totals[:1]
    parts = [f"{_signed(usd)} {kind}" for usd, kind in shown]
    rest = whole - math.fsum(usd for usd, _ in shown)
    if len(shown) < len(totals):
        parts.append(f"{_signed(rest)} others")
    return f"Split of {_signed(whole)} a task: {', '.join(parts)}."


def _signed(usd: float) -> str:
    return f"{'+' if usd >= 0 else '-'}{render('usd', abs(usd))}"
