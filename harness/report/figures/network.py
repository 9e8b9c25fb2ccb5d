"""Agents and the messages between them: arrows beside a column of names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.report.contents import Side
from harness.report.drawing import house_style
from harness.report.figures.axes import label, new_figure
from harness.report.palette import ROLES
from harness.store import Store
from harness.units import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH_IN = 6.4
"""A column of names with arrows on both sides needs no more [in]."""

AGENTS_MAX = 24
"""More rows than that are no figure any more; the table has them all."""


class Arrow(NamedTuple):
    """An arrow from one agent to another."""

    source: str
    target: str
    weight: float
    text: str
    """How much it is, for people."""


def waiting(store: Store, run_ids: Sequence[int]) -> Figure:
    """Waits between agents along the critical paths of some runs, mean per task."""
    return draw_network(waiting_arrows(Side(store, tuple(run_ids))))


def flow(store: Store, run_ids: Sequence[int]) -> Figure:
    """Which agent's replies reached which agent's prompts in some runs of a program, with the number of calls."""
    return draw_network(flow_arrows(Side(store, tuple(run_ids))))


def waiting_arrows(side: Side) -> list[Arrow]:
    """From those that were waited for to those that went on, with the time for a task."""
    tasks = len(side.paths)
    return [
        Arrow(it.waited_for, it.agent, it.wait_s, render("wait_s", it.wait_s / tasks))
        for it in side.waited
    ]


def flow_arrows(side: Side) -> list[Arrow]:
    """From those that said something to those whose prompts held it, with the number of calls."""
    return [Arrow(it.source_agent, it.agent, it.calls, f"{it.calls:,}") for it in side.flow]


@house_style()
def draw_network(arrows: Sequence[Arrow]) -> Figure:
    """Draw connections between agents: arrows down on the right side, arrows up on the left, thicker for more.

    Args:
        arrows: In the order in which agents shall stand below one another.
    """
    from matplotlib.patches import FancyArrowPatch

    agents = list(dict.fromkeys(agent for arrow in arrows for agent in arrow[:2]))[:AGENTS_MAX]
    shown = [arrow for arrow in arrows if arrow.source in agents and arrow.target in agents]
    figure, (axes,) = new_figure(
        0.6 + 0.42 * len(agents), left_in=0.14, width_in=_WIDTH_IN, bottom_in=0.08
    )
    axes.set_axis_off()
    places = {agent: -float(row) for row, agent in enumerate(agents)}
    for agent, place in places.items():
        axes.text(0, place, label(agent), ha="center", va="center", fontweight="bold")
    reach = 0.9  # half the width of the column of names, in the figure's own unit
    most = max((arrow.weight for arrow in shown), default=1.0) or 1.0
    for arrow in shown:
        start, end = places[arrow.source], places[arrow.target]
        side = 1 if end <= start else -1
        bend = 0.28 * min(3.0, abs(end - start)) + 0.25
        line = 0.8 + 3.2 * arrow.weight / most
        axes.add_patch(
            FancyArrowPatch(
                (side * reach, start - 0.08 * side), (side * reach, end + 0.08 * side),
                connectionstyle=f"arc3,rad={-0.55 if start != end else -1.6}", arrowstyle="-|>", mutation_scale=9 + line,
                linewidth=line, color=ROLES["candidate"].light, alpha=1, shrinkA=0, shrinkB=0,
            )
        )  # fmt: skip
        at = side * (reach + bend * 0.5 + 0.12)
        axes.text(at, (start + end) / 2, arrow.text, ha="left" if side > 0 else "right", va="center", fontsize=8,
                  color=ROLES["muted"].light)  # fmt: skip
    axes.set_xlim(-3.6, 3.6)
    axes.set_ylim(-max(1, len(agents)) + 0.5, 0.5)
    return figure
