"""Prices of tokens, from what tasks read, wrote and cost: spans hold tokens and costs, not prices.

The price of a token of each kind is the one that explains all costs best; where the sizes do not tell two prices apart, these
have the usual ratio to each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from harness.metrics.bills import KINDS, Bill

_USUAL: Final = (1.0, 0.1, 1.25, 5.0)
"""Prices of a token of each kind, for one of input (Anthropic, "Pricing": https://docs.claude.com/en/docs/about-claude/pricing)."""

_RIDGE: Final = 1e-9
"""Weight of the usual ratio against the costs: it decides only what they leave open."""

_ROUNDS: Final = 3
"""Of refinement, after which the usual ratio has no effect on what costs decide."""

_SAME: Final = 1e-4
"""Costs that differ by a smaller share are the same: a baseline file keeps six figures."""

Prices = tuple[float, ...]
"""Price of a token of each kind [USD]."""


def prices_of_sides(before: Sequence[Bill], after: Sequence[Bill]) -> tuple[Prices, Prices]:
    """The prices of one model on both sides: the same ones, if these explain the costs of both.

    Args:
        before: What was billed in the base.
        after: What was billed in the candidate.
    """
    both = prices_of([(it.usd, it.tokens) for it in (*before, *after)])
    if all(abs(priced(it, both) - it.usd) <= _SAME * it.usd for it in (*before, *after)):
        return both, both
    old, new = (prices_of([(it.usd, it.tokens) for it in side]) for side in (before, after))
    return old, new


def priced(bill: Bill, prices: Sequence[float]) -> float:
    """What a bill would cost at some prices [USD]."""
    return math.fsum(map(_times, bill.tokens, prices))


def split(bill: Bill, prices: Sequence[float]) -> list[float]:
    """The cost of a bill by kind of token [USD]; the parts add up to it, whatever the prices miss."""
    whole = priced(bill, prices)
    if whole <= 0:
        return [bill.usd, *[0.0] * (len(KINDS) - 1)]
    return [bill.usd * n * price / whole for n, price in zip(bill.tokens, prices, strict=True)]


def prices_of(costs: Sequence[tuple[float, Sequence[float]]]) -> tuple[float, ...]:
    """The prices of a token of each kind that explain some costs best [USD].

    Args:
        costs: Of each attempt its cost [USD] and its tokens by kind.
    """
    distinct = sorted({(cost, tuple(tokens)) for cost, tokens in costs})
    usual = [(cost, [n * price for n, price in zip(tokens, _USUAL, strict=True)]) for cost, tokens in distinct]  # fmt: skip
    norm = math.fsum(sum(row) for _, row in usual)
    if norm <= 0:
        return (0.0,) * len(KINDS)
    level = math.fsum(cost for cost, _ in usual) / norm
    found = [level] * len(KINDS)
    size = max(math.fsum(row[i] ** 2 for _, row in usual) for i in range(len(KINDS)))
    matrix = [
        [
            math.fsum(row[i] * row[j] for _, row in usual) + (i == j) * _RIDGE * size
            for j in range(len(KINDS))
        ]
        for i in range(len(KINDS))
    ]
    for _ in range(_ROUNDS):
        rests = [cost - math.fsum(map(_times, row, found)) for cost, row in usual]
        right = [
            math.fsum(row[i] * rest for (_, row), rest in zip(usual, rests, strict=True))
            for i in range(len(KINDS))
        ]
        found = [it + more for it, more in zip(found, _solved(matrix, right), strict=True)]
    return tuple(max(it, 0.0) * price for it, price in zip(found, _USUAL, strict=True))


def _times(one: float, other: float) -> float:
    return one * other


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solve a positive definite system of equations (Gauss)."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    count = len(rows)
    for pivot in range(count):
        best = max(range(pivot, count), key=lambda row: abs(rows[row][pivot]))
        rows[pivot], rows[best] = rows[best], rows[pivot]
        for row in range(pivot + 1, count):
            factor = rows[row][pivot] / rows[pivot][pivot]
            rows[row] = [a - factor * b for a, b in zip(rows[row], rows[pivot], strict=True)]
    solution = [0.0] * count
    for row in range(count - 1, -1, -1):
        known = math.fsum(rows[row][i] * solution[i] for i in range(row + 1, count))
        solution[row] = (rows[row][count] - known) / rows[row][row]
    return solution
