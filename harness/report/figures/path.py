"""Composition of latency: the segments of critical paths, summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.report.contents import PathShare, Side
from harness.report.drawing import house_style
from harness.report.figures.axes import beside_in, label, new_figure, paint, show_unit
from harness.report.palette import ROLES
from harness.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_MAX = 12

VISIBLE_SHARE = 0.004
"""Of the longest bar: what is shorter is no wider than a pixel or two, and only in the table."""


def critical_path(store: Store, run_ids: Sequence[int], base_ids: Sequence[int] = ()) -> Figure:
    """Composition of a task's latency, mean over the tasks of some runs.

    Args:
        store: Where the runs are.
        run_ids: The runs.
        base_ids: Those that they are compared with.
    """
    base = Side(store, tuple(base_ids)).path_s if base_ids else None
    return draw_path(Side(store, tuple(run_ids)).path_s, base)


@house_style()
def draw_path(
    path_s: Mapping[PathShare, float], base_s: Mapping[PathShare, float] | None = None
) -> Figure:
    """Draw what the time of a task is spent on, the most first.

    Args:
        path_s: The time of each share of the path, mean over the tasks [s].
        base_s: The same of the base.
    """
    rows = largest(path_s, base_s or {})
    names = [label(share_text(key)) for key in rows]
    figure, (axes,) = new_figure(0.75 + 0.27 * len(rows), left_in=beside_in(names))
    places = range(len(rows))
    axes.barh(
        places, [path_s.get(key, 0.0) for key in rows], height=0.62,
        color=[ROLES[key[0]].light for key in rows],
    )  # fmt: skip
    for patch, key in zip(axes.patches, rows, strict=True):
        patch.set(**paint(key[0]))
    if base_s is not None:
        axes.plot(
            [base_s.get(key, 0.0) for key in rows], places, linestyle="", marker="|", markersize=14,
            markeredgewidth=2.2, color=ROLES["ink"].light,
        )  # fmt: skip
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set_xlabel("on the critical path of a task" + (", base: |" if base_s is not None else ""))
    axes.set_xlim(left=0)
    show_unit(axes.xaxis, "latency_s")
    return figure


def largest(
    path_s: Mapping[PathShare, float], base_s: Mapping[PathShare, float]
) -> Sequence[PathShare]:
    """The shares that are worth a row, the largest of either side first."""
    most = {key: max(path_s.get(key, 0.0), base_s.get(key, 0.0)) for key in [*path_s, *base_s]}
    visible_s = VISIBLE_SHARE * max(most.values(), default=0.0)
    shown = [key for key, longest_s in most.items() if longest_s > visible_s]
    return sorted(shown, key=lambda key: (-most[key], key))[:ROWS_MAX]


_SHORT = {
    "work": "{agent}",
    "queue": "{agent}: queue",
    "retry": "{agent}: failed attempts",
    "back_off": "{agent}: back-off",
    "silence": "{agent}: silence",
    "in_flight": "{agent}: in flight",
    "state_lock": "{agent}: state lock",
    "person": "{agent}: a person",
    "overhead": "{agent}: between calls",
    "hand_off": "between turns",
}


def share_text(key: PathShare) -> str:
    """What a share of a path is called, for people."""
    kind, agent, _ = key
    return _SHORT[kind].format(agent=agent or "program")
