"""Which metrics are gated, and their limits: defaults, the scenario's `gate:`, the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from harness.errors import HarnessError
from harness.metrics import DEFAULT_LIMITS, METRICS, Limit, no_such_metric
from harness.scenario import GateLimit

_FORM = re.compile(
    r"(?P<sign>[+-]?)(?P<number>\d+(\.\d*)?|\.\d+)\s*(?P<unit>%|pt|points?)(:(?P<level>\w+))?"
)
"""How an allowed change is written: `20%`, `-1pt`, `1%:warn`."""

_HOW = (
    "write it as NAME=CHANGE, such as latency_s_p95=20%, success_rate=1pt or cost_usd_mean=1%:warn; "
    "NAME=ignore leaves a metric out"
)


def limits_of(
    stated: Mapping[str, GateLimit] | None = None, options: Iterable[str] = ()
) -> tuple[Limit, ...]:
    """Put the limits of a gate together.

    Args:
        stated: What the scenario's `gate:` says, by metric.
        options: What the command line says, each as for `parse_limit`, or `NAME=ignore`.

    Returns:
        One limit a metric: the defaults first, over them the scenario's, over these the command line's.

    Raises:
        HarnessError: A limit is written wrongly, or names no metric; or none is left.
    """
    limits = dict(DEFAULT_LIMITS)
    for metric, said in (stated or {}).items():
        if said.level == "ignore":
            limits.pop(metric, None)
            continue
        number = said.points if said.percent is None else said.percent
        change = limits[metric].change if number is None else number / 100
        limits[metric] = Limit(metric, change, said.level)
    for option in options:
        metric, _, word = option.partition("=")
        if word.strip() == "ignore":
            limits.pop(_known(metric.strip(), option), None)
        else:
            limit = parse_limit(option)
            limits[limit.metric] = limit
    if not limits:
        raise HarnessError(
            "no metric is gated, so the gate would compare nothing\n  How to fix: leave one in"
        )
    return tuple(limits.values())


def parse_limit(option: str) -> Limit:
    """Read a limit as the command line has it: `cost_usd_mean=1%`, `success_rate=1pt`, `latency_s_mean=5%:warn`.

    A sign is allowed where it tells the truth: less success is worse, and more latency.

    Raises:
        HarnessError: It is written wrongly, or names no metric.
    """
    metric, equals, text = (part.strip() for part in option.partition("="))
    if not equals:
        raise HarnessError(f"--limit {option}: {_HOW}")
    _known(metric, option)
    said = _FORM.fullmatch(text)
    if said is None or (said["level"] or "error") not in ("error", "warn"):
        raise HarnessError(f"--limit {option}: {text!r} is not a limit; {_HOW}")
    number = float(said["number"])
    if not math.isfinite(number):
        raise HarnessError(f"--limit {option}: {text!r} is too large")
    limit = Limit(metric, number / 100, "warn" if said["level"] == "warn" else "error")
    is_ratio = said["unit"] == "%"
    if is_ratio != (limit.unit == "ratio"):
        right = "percent, such as 5%" if limit.unit == "ratio" else "points, such as 1pt"
        raise HarnessError(f"--limit {option}: changes of {metric} are stated in {right}")
    if said["sign"] == ("-" if limit.better == "lower" else "+"):
        raise HarnessError(
            f"--limit {option}: of {metric} {limit.better} is better; state how much worse it may become"
        )
    return limit


def _known(metric: str, option: str) -> str:
    if metric in METRICS:
        return metric
    raise HarnessError(f"--limit {option}: {no_such_metric(metric)}")
