"""Measured durations beside those of a fitted profile, as shares of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.report.drawing import HALF_IN, as_png, house_style
from harness.report.figures.axes import new_figure, show_unit
from harness.report.palette import ROLES


@house_style()
def draw_fitted(sides: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> bytes:
    """Draw one panel for each profile, as a PNG.

    Args:
        sides: By its name, the measured and the simulated durations, each ascending [s].
    """
    figure, panels = new_figure(
        2.6 * len(sides), len(sides), left_in=0.72, width_in=HALF_IN, top_in=0.5, share_x=False
    )
    for axes, (name, (measured, simulated)) in zip(panels, sides.items(), strict=True):
        for values, role, dashes, label in (
            (measured, "base", "--", "measured"),
            (simulated, "candidate", "-", "simulated"),
        ):
            shares = [(place + 1) / len(values) for place in range(len(values))]
            axes.step(values, shares, where="post", color=ROLES[role].light, linestyle=dashes, label=label)  # fmt: skip
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.5, 0.95], ["0", "half", "95 %"])
        axes.grid(axis="y")
        axes.set_xlim(0, measured[-1] * 1.1)
        show_unit(axes.xaxis, "latency_s", ticks=4)
    panels[0].legend(fontsize=8)
    panels[-1].set_xlabel("duration of a call")
    return as_png(figure)
