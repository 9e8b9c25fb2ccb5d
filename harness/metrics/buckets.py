"""Levels of the token buckets of each pool of models over a run, recomputed from its attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

BUCKETS: Final = {
    "requests_per_min": "requests",
    "input_tokens_per_min": "tokens to read",
    "output_tokens_per_min": "tokens to write",
}
"""The limits that are buckets, and what is in each."""

_SECONDS_PER_MINUTE: Final = 60


class Asked(NamedTuple):
    """An attempt, as far as rate limits know it."""

    model: str
    arrival_s: float
    end_s: float
    input_tokens: int
    """Read at full price, or written to a cache."""
    output_tokens: int
    is_refused: bool
    """Whether a rate limit turned it away."""
    is_charged: bool
    """Whether it was admitted: what an outage, an overload, a full queue or a fault turned away is charged to no bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLevel:
    """One bucket of one model, or of a pool of models, over time."""

    model: str
    """The model, or "pool" and its name."""
    limit: str
    """One of `BUCKETS`."""
    per_min: float
    """Its size, and how much comes back in a minute."""
    least: Sequence[float]
    """The least that was left in each part of the time; below zero where more was written than there was."""
    refused: Sequence[int]
    """How many of its attempts were refused in each part."""

    @property
    def least_share(self) -> float:
        """The least that was left of it, as a share of its size."""
        return min(self.least) / self.per_min

    def emptiness(self) -> tuple[float, str, str]:
        """Sorts the emptiest first."""
        return self.least_share, self.model, self.limit


def bucket_levels(
    attempts: Iterable[Asked],
    limits: Mapping[str, float],
    edges_s: Sequence[float],
    pools: Mapping[str, str] | None = None,
) -> list[BucketLevel]:
    """The buckets of each model or pool, the emptiest first.

    Args:
        attempts: The attempts of a run.
        limits: What the provider allows, by the name of the limit; names that are no buckets are left out.
        edges_s: Where the parts of the time begin, and the last one ends [s].
        pools: The pool of each model that shares its limits with others; the rest have limits of their own.
    """
    pool_of = pools or {}
    of_model: dict[str, list[Asked]] = {}
    for it in attempts:
        name = f"pool {pool_of[it.model]}" if it.model in pool_of else it.model
        of_model.setdefault(name, []).append(it)
    found = [
        BucketLevel(
            model=model,
            limit=limit,
            per_min=per_min,
            least=_least(_taken(asked, limit), per_min, edges_s),
            refused=_counted([it.arrival_s for it in asked if it.is_refused], edges_s),
        )
        for model, asked in of_model.items()
        for limit, per_min in limits.items()
        if limit in BUCKETS
    ]
    return sorted(found, key=BucketLevel.emptiness)


def _taken(asked: Iterable[Asked], limit: str) -> list[tuple[float, float]]:
    """When how much was taken out of a bucket, in the order of time."""
    admitted = [it for it in asked if it.is_charged]
    if limit == "output_tokens_per_min":  # charged when they have been written
        return sorted((it.end_s, float(it.output_tokens)) for it in admitted)
    if limit == "input_tokens_per_min":
        return sorted((it.arrival_s, float(it.input_tokens)) for it in admitted)
    return sorted((it.arrival_s, 1.0) for it in admitted)


def _least(
    taken: Sequence[tuple[float, float]], per_min: float, edges_s: Sequence[float]
) -> list[float]:
    least = []
    level, at_s = per_min, edges_s[0]
    position = 0
    for until_s in edges_s[1:]:
        lowest = level
        while position < len(taken) and (taken[position][0] < until_s or until_s == edges_s[-1]):
            moment_s, amount = taken[position]
            level = min(per_min, level + (moment_s - at_s) * per_min / _SECONDS_PER_MINUTE) - amount
            at_s = moment_s
            lowest = min(lowest, level)
            position += 1
        level = min(per_min, level + max(0.0, until_s - at_s) * per_min / _SECONDS_PER_MINUTE)
        at_s = max(at_s, until_s)
        least.append(lowest)
    return least


def _counted(moments_s: Sequence[float], edges_s: Sequence[float]) -> list[int]:
    counts = [0] * (len(edges_s) - 1)
    width_s = (edges_s[-1] - edges_s[0]) / len(counts)
    for at_s in moments_s:
        counts[max(0, min(len(counts) - 1, int((at_s - edges_s[0]) / width_s)))] += 1
    return counts


def worth_showing(levels: Sequence[BucketLevel], most: int) -> list[BucketLevel]:
    """Of each model the emptiest bucket, then others that were empty; no more than so many."""
    first = list({level.model: level for level in reversed(levels)}.values())[::-1]
    empty = [level for level in levels if level not in first and level.least_share <= 0]
    return [*first, *empty][:most]
