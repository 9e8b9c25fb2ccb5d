"""Fit half of the measured calls of an endpoint, and compare what the profile gives with the other half.

`python -m benchmarks.calibration FILE...` prints the tables of docs/calibration.md, from tables of calls.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.goodness import Interval, quantities
from harness.calibrate.model import calibrate
from harness.calibrate.plot import simulated_s
from harness.calibrate.sources import calls_of_file

SPLITS = 10
DRAWS_OF_EACH = 40


class Compared(NamedTuple):
    """One quantity of one half."""

    quantity: str
    real: Interval
    """Of the half that was held out, with its bootstrap interval [s]."""
    simulated: float
    """Of the profile that was fitted to the other half [s]."""
    other_half: float
    """Of the other half itself, which no model can be expected to beat [s]."""
    tolerance: tuple[float, float]
    """Where the simulated value lies with a probability of 95 % if both halves are of one kind [s]."""


def compared(calls: list[MeasuredCall], seed: int) -> Iterator[Compared]:
    """Split calls into two halves, fit one, and compare with the other."""
    timed = [call for call in calls if call.is_timed]
    order = np.random.default_rng(seed).permutation(len(timed))
    fitted = [timed[at] for at in order[::2]]
    held_out = np.array([timed[at].total_s or 0.0 for at in order[1::2]])
    ((one, *_), _) = calibrate(fitted)
    sizes = np.tile(one.measured.tokens, DRAWS_OF_EACH)
    simulated = quantities(simulated_s(one.latency, sizes, seed))
    other = quantities(one.measured.total_s)
    for name, real in quantities(held_out).items():
        # Both halves are samples, so that their errors add up.
        below = np.hypot(real.value - real.low, other[name].high - other[name].value)
        above = np.hypot(real.high - real.value, other[name].value - other[name].low)
        tolerance = (float(real.value - below), float(real.value + above))
        yield Compared(name, real, simulated[name].value, other[name].value, tolerance)


def main(files: list[Path]) -> None:
    """Print the tables."""
    print("| endpoint | calls | draws | mean | p50 | p95 | p99 |")
    print("|---|---|---|---|---|---|---|")
    within = dict.fromkeys(("simulated", "other half", "tolerance"), 0)
    total = 0
    for file in files:
        calls = calls_of_file(file)
        cells = []
        for one in compared(calls, 1):
            mark = "" if one.real.low <= one.simulated <= one.real.high else " *"
            cells.append(f"{one.simulated:.2f}{mark} / {one.real.value:.2f} ({one.real.low:.2f}-{one.real.high:.2f})")  # fmt: skip
        ((whole, *_), _) = calibrate(calls)
        draws = "whole calls" if whole.draws_whole_calls else "fit"
        print(f"| {file.stem} | {len(whole.measured.tokens)} | {draws} | {' | '.join(cells)} |")
        for seed in range(1, SPLITS + 1):
            for one in compared(calls, seed):
                total += 1
                within["simulated"] += one.real.low <= one.simulated <= one.real.high
                within["other half"] += one.real.low <= one.other_half <= one.real.high
                within["tolerance"] += one.tolerance[0] <= one.simulated <= one.tolerance[1]
    print({name: f"{count / total:.1%}" for name, count in within.items()}, total)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
