"""Which key moves which metric, and by how much.

Of a grid, the effect of a key is the change of a metric from its first value to each other one, with the same seeds and the
same values of all other keys: differences are paired, and their mean has an interval. Of samples, it is the slope of a least
squares line through all keys, over the range of the key.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from harness.gate.statistics import SAME, mean
from harness.sweep.intervals import Interval, interval_of_mean
from harness.sweep.results import PointResult, Swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change of one key does to a metric."""

    key: str
    before: str
    after: str
    """From which value to which."""
    change: Interval
    """Of the metric, in its own unit."""
    share: float | None
    """Of the metric's mean at the first value; None if that is zero."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out, and the change is more than the end of a sum of floats."""
        is_rounding = self.share is not None and abs(self.share) <= SAME
        return not is_rounding and (self.change.low > 0 or self.change.high < 0)


def effects_of(swept: Swept, metric: str) -> list[Effect]:
    """The effect of every key of a grid on a metric, the largest first.

    Args:
        swept: The points; a key without two points that differ in it alone has no effect here.
        metric: The metric.
    """
    found = [effect for key in swept.keys for effect in _of_key(swept, key, metric)]
    return sorted(found, key=lambda it: (-abs(it.change.mean), it.key, it.after))


def _of_key(swept: Swept, key: str, metric: str) -> list[Effect]:
    groups: dict[tuple[tuple[str, str], ...], dict[str, PointResult]] = defaultdict(dict)
    for result in swept.results:
        others = tuple(it for it in result.point.values if it[0] != key)
        groups[others][dict(result.point.values)[key]] = result
    values = list(dict.fromkeys(swept.column(key)))
    found = []
    for after in values[1:]:
        pairs = [
            (group[values[0]], group[after])
            for group in groups.values()
            if {values[0], after} <= group.keys()
        ]
        effect = _effect(key, values[0], after, pairs, metric)
        if effect is not None:
            found.append(effect)
    return found


def _effect(
    key: str, before: str, after: str, pairs: list[tuple[PointResult, PointResult]], metric: str
) -> Effect | None:
    """The mean change over all settings of the other keys, seed by seed."""
    by_seed: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for base, other in pairs:
        ours, theirs = base.values(metric), other.values(metric)
        for seed in ours.keys() & theirs.keys():
            by_seed[seed].append((ours[seed], theirs[seed]))
    whole = [by_seed[seed] for seed in sorted(by_seed) if len(by_seed[seed]) == len(pairs)]
    if not whole:
        return None
    changes = [mean([theirs - ours for ours, theirs in one]) for one in whole]
    base_mean = mean([ours for one in whole for ours, _ in one])
    change = interval_of_mean(changes)
    return Effect(
        key=key,
        before=before,
        after=after,
        change=change,
        share=change.mean / base_mean if base_mean else None,
    )
