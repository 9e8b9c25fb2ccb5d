"""Measured durations beside those that a profile gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.calibrate.model import Calibrated
from harness.calibrate.spread import Values
from harness.chance.draws import Draws
from harness.provider.latency import Latency
from harness.report.figures.fitted import draw_fitted

_DRAWS_OF_EACH = 20


def plot_png(calibrated: Sequence[Calibrated]) -> bytes:
    """One panel for each: the share of calls up to each duration, measured and drawn from the profile."""
    return draw_fitted(
        {
            one.name: (
                np.sort(one.measured.total_s).tolist(),
                np.sort(
                    simulated_s(one.latency, np.tile(one.measured.tokens, _DRAWS_OF_EACH))
                ).tolist(),
            )
            for one in calibrated
        }
    )


def simulated_s(latency: Latency, tokens: Values, seed: int = 1) -> Values:
    """Durations that a profile gives for replies of these sizes [s]."""
    draws = Draws(seed)
    return np.array(
        [sum(latency.sample(draws, f"{at}", 0, int(size))) for at, size in enumerate(tokens)]
    )
