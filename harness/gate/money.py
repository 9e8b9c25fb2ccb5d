"""A change of cost, split into prompt size, cache share, output size, retries, calls and price, in dollars that add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.gate.requests import RETRIES, of_attempts
from harness.gate.shapley import shapley
from harness.metrics.bills import KINDS, Bill
from harness.metrics.contributions import Key, Pair, Use, uses_of
from harness.metrics.prices import Prices, prices_of_sides, split

CALLS: Final = "calls"
PROMPT: Final = "prompt size"
CACHE: Final = "cache share"
OUTPUT: Final = "output size"
PRICE: Final = "price"

FACTORS: Final = (CALLS, RETRIES, PROMPT, CACHE, OUTPUT, PRICE)
"""What a cost is the product of: calls a task, billed attempts a call, tokens, how many of them are cached, and their prices."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a change of cost, of a task [USD]."""

    kind: str
    """One of `FACTORS`; of attempts a call also why there are more, if not by retries: `requests.of_attempts`."""
    agent: str
    usd: float
    base: float
    """The factor before; of a price that of a token [USD], of the kind whose price moved most."""
    candidate: float
    of: str = ""
    """The kind of token, of a price; the models, where they changed."""


@dataclass(slots=True)
class Money:
    """What a cost of some tasks consists of, on both sides."""

    parts: list[Part] = field(default_factory=list)
    """The change, by agent and factor; without parts that are nothing."""
    models: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The models that each agent is billed for in the candidate."""
    contributions: list[dict[Key, list[float]]] = field(default_factory=list)
    """Of each pair, by kind of token, agent and model, the cost before and after [USD]."""

    def total(self, kind: str) -> float:
        """The part of a factor, of all agents [USD]."""
        return math.fsum(part.usd for part in self.parts if part.kind == kind)


def money(pairs: Sequence[Pair]) -> Money:
    """Split the change of what tasks cost.

    The parts of an agent are Shapley values, so that no order of the factors is preferred, and add up to its change.
    A model's price is taken as changed only if no price explains what was billed on both sides.
    """
    prices = _prices(pairs)
    found = Money(contributions=[_by_kind(pair, prices) for pair in pairs])
    before, after = uses_of(pairs)
    for agent in dict.fromkeys((*before, *after)):
        old, new = before.get(agent, Use()), after.get(agent, Use())
        found.models[agent] = tuple(sorted(new.bills))
        found.parts += _of_agent(agent, old, new, len(pairs), prices)
    found.parts.sort(key=lambda part: (-abs(part.usd), part.agent, part.kind))
    return found


def _prices(pairs: Sequence[Pair]) -> dict[str, tuple[Prices, Prices]]:
    """By model, its prices on both sides."""
    billed: dict[str, tuple[list[Bill], list[Bill]]] = {}
    for pair in pairs:
        for side, work in enumerate(pair):
            for use in work.uses.values():
                for model, bill in use.bills.items():
                    billed.setdefault(model, ([], []))[side].append(bill)
    return {model: prices_of_sides(*sides) for model, sides in billed.items()}


def _by_kind(pair: Pair, prices: dict[str, tuple[Prices, Prices]]) -> dict[Key, list[float]]:
    found: dict[Key, list[float]] = {}
    for side, work in enumerate(pair):
        for agent, use in work.uses.items():
            for model, bill in use.bills.items():
                for kind, usd in zip(KINDS, split(bill, prices[model][side]), strict=True):
                    if usd:
                        found.setdefault(Key(kind, agent, model), [0.0, 0.0])[side] += usd
    return found


def _of_agent(
    agent: str, before: Use, after: Use, tasks: int, prices: dict[str, tuple[Prices, Prices]]
) -> list[Part]:
    """The parts of one agent; all of it are calls if it made none before, or makes none now."""
    sides = [_Side(use, tasks, prices, side) for side, use in enumerate((before, after))]
    old, new = sides
    change = new.usd - old.usd
    if not change:
        return []
    if not (old.attempts and new.attempts):
        return [Part(CALLS, agent, change, old.calls, new.calls)]
    shares = shapley(_cost, old.factors, new.factors)
    told = {
        CALLS: (old.calls, new.calls, ""),
        RETRIES: (old.attempts / old.calls, new.attempts / new.calls, ""),
        PROMPT: (old.prompt, new.prompt, ""),
        CACHE: (old.cached, new.cached, ""),
        OUTPUT: (old.output, new.output, ""),
        PRICE: _price_told(old, new),
    }
    return [
        Part(of_attempts(before, after) if kind == RETRIES else kind, agent, usd, *told[kind])
        for kind, usd in zip(FACTORS, shares, strict=True)
        if abs(usd) > 1e-12 * abs(new.usd)
    ]


class _Side:
    """The factors of an agent's cost on one side.

    Args:
        use: What it used.
        tasks: In how many tasks.
        prices: By model, the prices on both sides.
        side: 0 for the base, 1 for the candidate.
    """

    def __init__(
        self, use: Use, tasks: int, prices: dict[str, tuple[Prices, Prices]], side: int
    ) -> None:
        whole = Bill()
        usd = [0.0] * len(KINDS)
        rates = [0.0] * len(KINDS)
        for model, bill in use.bills.items():
            whole.add(bill)
            for index, part in enumerate(split(bill, prices[model][side])):
                usd[index] += part
                rates[index] += bill.attempts * prices[model][side][index]
        self.models = tuple(sorted(use.bills))
        self.usd = whole.usd / tasks
        self.attempts = whole.attempts / tasks
        self.calls = use.calls / tasks or self.attempts
        read = whole.tokens[:-1]
        self.prompt = math.fsum(read) / whole.attempts if whole.attempts else 0.0
        self.shares = [n / math.fsum(read) if math.fsum(read) else 0.0 for n in read]
        self.cached = self.shares[1]
        self.output = whole.output_tokens / whole.attempts if whole.attempts else 0.0
        self.prices = [
            part / n if n else rate / whole.attempts if whole.attempts else 0.0
            for part, n, rate in zip(usd, whole.tokens, rates, strict=True)
        ]

    @property
    def factors(self) -> list[Any]:
        """In the order of `FACTORS`."""
        retries = self.attempts / self.calls if self.calls else 0.0
        return [self.calls, retries, self.prompt, self.shares, self.output, self.prices]


def _cost(factors: Sequence[Any]) -> float:
    calls, attempts, prompt, shares, output, prices = factors
    read = prompt * math.fsum(share * price for share, price in zip(shares, prices, strict=False))
    return float(calls * attempts * (read + output * prices[-1]))


def _price_told(old: _Side, new: _Side) -> tuple[float, float, str]:
    """The price of the kind of token that changed the cost most, and the models if they changed."""
    sizes = [*(share * new.prompt for share in new.shares), new.output]
    moved = [abs(b - a) * n for a, b, n in zip(old.prices, new.prices, sizes, strict=True)]
    most = moved.index(max(moved))
    what = KINDS[most].replace("_", " ")
    if old.models != new.models:
        what = f"{what}; {', '.join(old.models)} > {', '.join(new.models)}"
    return old.prices[most], new.prices[most], what
