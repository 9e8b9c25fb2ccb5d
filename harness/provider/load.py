"""Load-dependent service: the time per token grows with the number of attempts in service.

Servers generate the tokens of all attempts in service in one batch, and a larger batch takes longer. An attempt keeps the
pace of the moment at which its service begins; it is not slowed down, nor sped up, by those who come and go later.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from annotated_types import Gt, MinLen

from harness.units import Count

Factor = Annotated[float, Gt(0)]
"""How many times as long."""

LLAMA_70B_ON_2_H100 = ((1, 1.0), (5, 1.175), (25, 2.086), (50, 3.215), (100, 5.0))
"""Time per token by the number of requests, as a multiple of that of a single one: 18.58, 21.83, 38.75, 59.73 and 92.91 ms.

Llama 3.3 70B, fp8, on two H100 80G, 5,000 tokens in and 500 out; NVIDIA NIM 1.8.0
(https://docs.nvidia.com/nim/benchmarking/llm/1.0.0/performance). From 100 requests on the time per token stays there, and the
rest waits in a queue: state `concurrency: 100` for that.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How the time per token grows with the number of attempts in service."""

    points: Annotated[tuple[tuple[Count, Factor], ...], MinLen(1)] = LLAMA_70B_ON_2_H100
    """The curve: pairs of a number of attempts in service, and how many times as long as usual a token takes then; straight
    between them, level before the first and after the last. Absent means a measured one: 1, 1.175, 2.086, 3.215 and 5 times at
    1, 5, 25, 50 and 100 (Llama 3.3 70B on two H100, NVIDIA NIM 1.8.0)."""

    def __post_init__(self) -> None:
        numbers = [number for number, _ in self.points]
        if any(left >= right for left, right in pairwise(numbers)):
            raise ValueError("the numbers of attempts of `points` must grow")

    def factor(self, in_service: int) -> float:
        """How many times as long as usual a token takes.

        Args:
            in_service: Number of attempts in service, with the one that begins.
        """
        points = self.points
        place = bisect_right([number for number, _ in points], in_service)
        if place == 0:
            return points[0][1]
        number, factor = points[place - 1]
        if place == len(points):
            return factor
        next_number, next_factor = points[place]
        share = (in_service - number) / (next_number - number)
        return factor + (next_factor - factor) * share
