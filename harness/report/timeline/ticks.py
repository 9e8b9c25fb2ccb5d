"""Ticks of the time axis."""

from __future__ import annotations

import math
from typing import Final

from harness.units import render

_STEPS_S: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)  # fmt: skip
"""Steps that people count time in, from one second on."""

TICKS: Final = 8
"""On an axis at most: more touch one another where times are written as minutes and seconds."""


def ticks(duration_s: float) -> list[tuple[float, str]]:
    """Round moments from 0 to a duration [s], and what each is called."""
    step_s = _step_s(duration_s / TICKS)
    moments = [number * step_s for number in range(math.floor(duration_s / step_s + 1e-9) + 1)]
    if step_s >= 1:
        return [(at_s, _called(at_s)) for at_s in moments]
    if duration_s < 1:
        return [(at_s, render("at_s", round(at_s, 12))) for at_s in moments]
    decimals = -math.floor(math.log10(step_s) + 1e-9)
    return [(at_s, f"{at_s:.{decimals}f} s" if at_s else "0 s") for at_s in moments]


def _step_s(least_s: float) -> float:
    for step_s in _STEPS_S:
        if 0.5 < least_s <= step_s:
            return float(step_s)
    if least_s <= 0:
        return 1.0
    unit_s = 86400.0 if least_s > 1 else 1.0
    power = 10.0 ** math.floor(math.log10(least_s / unit_s))
    return unit_s * power * next(step for step in (1, 2, 5, 10) if least_s <= unit_s * power * step * (1 + 1e-9))  # fmt: skip


def _called(at_s: float) -> str:
    """A whole number of seconds, without the smaller unit where there is nothing of it."""
    if at_s >= 7200 and at_s % 3600 == 0:
        return f"{at_s / 3600:,.0f} h"
    if 120 <= at_s < 7200 and at_s % 60 == 0:
        return f"{at_s / 60:.0f} min"
    return render("at_s", at_s)
