"""The Shapley value: a change of a product or a sum, split among the factors that changed, in parts that add up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

T = TypeVar("T")


def shapley(
    value: Callable[[Sequence[T]], float], before: Sequence[T], after: Sequence[T]
) -> list[float]:
    """What each factor contributed to the change of a value.

    A factor's part is the mean, over all orders in which the factors may have changed, of what its change did to the value
    (Shapley, "A value for n-person games", 1953). The parts add up to the whole change, but for the rounding of floats.

    Args:
        value: The value of given factors.
        before: The factors before.
        after: The factors after; as many.
    """
    count = len(before)
    known = {
        chosen: value([new if it else old for it, old, new in zip(chosen, before, after, strict=True)])
        for chosen in product((0, 1), repeat=count)
    }  # fmt: skip
    parts = []
    for factor in range(count):
        gains = []
        for chosen, without in known.items():
            if chosen[factor]:
                continue
            size = sum(chosen)
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            with_it = known[(*chosen[:factor], 1, *chosen[factor + 1 :])]
            gains.append(weight * (with_it - without))
        parts.append(math.fsum(gains))
    return parts
