"""Section: distributions of latency and cost over tasks."""

from __future__ import annotations

from typing import Final

from harness.report.blocks import Column, DataTable, Drawing, Section, Value
from harness.report.contents import Contents, Side
from harness.report.figures.ecdf import draw_ecdf
from harness.store import series
from harness.store.series import Quantity
from harness.units import render

_SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)

_TITLES: Final[dict[Quantity, str]] = {
    "latency_s": "latency of a task",
    "cost_usd": "cost of a task",
}


def section(contents: Contents) -> Section | None:
    """A curve and a table for each quantity that was measured; none if there is one task, which does not vary."""
    if contents.side.measured_tasks < 2:
        return None
    drawings = [drawing for it in _TITLES if (drawing := _drawing(contents, it)) is not None]
    if not drawings:
        return None
    return Section(key="distributions", title="How it varies from task to task", blocks=drawings)


def _drawing(contents: Contents, quantity: Quantity) -> Drawing | None:
    sides = dict(contents.sides)
    points = {
        name or "candidate": series.distribution(side.store, side.run_ids, quantity)
        for name, side in sides.items()
    }
    quantiles = {name: _quantiles(side, quantity) for name, side in sides.items()}
    mine = list(quantiles.values())[-1]
    if not mine:
        return None
    alt = (
        f"Half of the tasks take at most {render(quantity, mine[0.5])}, 95 % at most {render(quantity, mine[0.95])}, "
        f"the slowest {render(quantity, mine[1.0])}."
        if quantity == "latency_s"
        else f"Half of the tasks cost at most {render(quantity, mine[0.5])}, 95 % at most {render(quantity, mine[0.95])}, "
        f"the dearest {render(quantity, mine[1.0])}."
    )
    rows: list[tuple[Value, ...]] = [
        (f"{share:.0%} of tasks", *(found.get(share) for found in quantiles.values()))
        for share in _SHARES
    ]
    return Drawing(
        key=f"{quantity.partition('_')[0]}-ecdf",
        title=f"Distribution of the {_TITLES[quantity]}",
        alt=alt,
        reading="How to read this: at each height, that share of the tasks took no more than the curve says; steep is steady.",
        figure=draw_ecdf(points, quantity, _TITLES[quantity]),
        table=DataTable(
            caption=f"{_TITLES[quantity].capitalize()}: no more than",
            columns=(Column("share"), *(Column(name or "value", quantity) for name in quantiles)),
            rows=rows,
        ),
    )


def _quantiles(side: Side, quantity: Quantity) -> dict[float, float]:
    return series.quantiles(side.store, side.run_ids, quantity, _SHARES)
