"""Limits of a gate: which direction is worse, percent or points, and how much is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from harness.metrics.summary import METRICS

SHARES: Final = frozenset(
    {"success_rate", "pass_k", "quality_mean", "contaminated_rate", "work_share", "utilisation"}
)
"""Metrics between 0 and 1; their changes are counted in points, those of all others as a ratio."""

HIGHER_IS_BETTER: Final = frozenset(
    {"success_rate", "pass_k", "quality_mean", "work_share", "throughput_per_s"}
)
"""Of all other metrics less is better."""

MONEY: Final = frozenset({"cost_usd_mean", "cost_usd_total", "wasted_usd"})
"""Metrics that mean something else when prices change."""

assert set(METRICS) >= SHARES | HIGHER_IS_BETTER | MONEY, "these are names of metrics"

Level = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How much worse one metric may become."""

    metric: str
    change: float
    """What is allowed, 0 or more: 0.2 is 20 % as a ratio, and 20 points of a share."""
    level: Level = "error"
    """Whether the gate fails, or only says so, when the metric became worse than that."""

    @property
    def unit(self) -> Literal["ratio", "points"]:
        """How changes of the metric are counted."""
        return "points" if self.metric in SHARES else "ratio"

    @property
    def better(self) -> Literal["lower", "higher"]:
        """Which values of the metric are the better ones."""
        return "higher" if self.metric in HIGHER_IS_BETTER else "lower"

    @property
    def worst(self) -> float:
        """The change that is just allowed: candidate / baseline - 1, or candidate - baseline of a share."""
        return -self.change if self.better == "higher" else self.change

    @property
    def best(self) -> float:
        """The change beyond which the metric counts as improved: as far in the other direction.

        Twice as slow and half as slow are equally far, so the mirror of +25 % is -20 %.
        """
        if self.better == "higher":
            return self.change
        return -self.change / (1 + self.change) if self.unit == "ratio" else -self.change

    def __str__(self) -> str:
        number = f"{100 * self.worst:+.6g}" if self.change else "0"
        return f"{number} pt" if self.unit == "points" else f"{number}%"


DEFAULT_LIMITS: Final[dict[str, Limit]] = {
    limit.metric: limit
    for limit in (
        Limit("latency_s_mean", 0.20),
        Limit("latency_s_p95", 0.20),
        Limit("cost_usd_mean", 0.01),
        Limit("success_rate", 0.01),
    )
}
"""The default limits: latency may be noticed by users from about 20 % on; cost has no noise of its own
under keyed draws, so its limit can be tight."""
