"""The page of a sweep, made of what was read from the store."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.metrics.pareto import pareto_optimal
from harness.report.blocks import Tone
from harness.report.figures.response import Mark
from harness.report.figures.tornado import Bar
from harness.report.sweep import Page, Row, as_number
from harness.sweep.answers import Condition, Effect, Knee, effects_of, knee_of, reliability_of
from harness.sweep.answers.conditions import all_hold
from harness.sweep.results import PointResult, Swept
from harness.units import render

_NAMES_MAX: Final = 3
_SHOWN: Final = ("latency_s_mean", "latency_s_p95", "cost_usd_mean", "success_rate")


def shown_metrics(asked: Sequence[str], conditions: Sequence[Condition]) -> tuple[str, ...]:
    """The metrics that are shown: those that are asked for, or the usual ones; and those of conditions."""
    return tuple(dict.fromkeys([*(asked or _SHOWN), *(it.metric for it in conditions)]))


def page_of(
    swept: Swept,
    metrics: Sequence[str],
    conditions: tuple[Condition, ...],
    pass_k: int | None,
    notes: Sequence[str],
) -> Page:
    """Work out everything that the page says.

    Args:
        swept: What was read.
        metrics: Those that are shown, as far as they were measured.
        conditions: What each point is asked.
        pass_k: The largest k of the reliability; None if it is not asked for.
        notes: What a reader has to know beside the numbers.
    """
    metrics = tuple(it for it in metrics if any(it in one.means for one in swept.results))
    rows = _rows(swept, metrics, conditions, pass_k)
    knees = _knees(swept, metrics)
    # Of one key, the curve says it better.
    effects = {metric: effects_of(swept, metric) for metric in metrics if len(swept.keys) > 1}
    answers = [
        *_about_conditions(rows, conditions),
        *(("", _knee_text(metric, knee, swept)) for metric, knee in knees.items()),
        *_about_effects(effects),
        *_about_failures(rows, swept),
        *(("unsure", note) for note in notes),
    ]
    return Page(
        scenario=swept.scenario,
        description=swept.results[0].scenario.spec.description,
        title=f"{len(rows):,} {'point' if len(rows) == 1 else 'points'} of {', '.join(key.rpartition('.')[2] for key in swept.keys)}",
        keys=swept.keys,
        metrics=metrics,
        rows=tuple(rows),
        answers=tuple(answers),
        bounds={it.metric: it.bound for it in conditions},
        knees={metric: (knee.at, knee.low, knee.high) for metric, knee in knees.items()},
        effects={
            metric: [
                Bar(
                    f"{it.key.rpartition('.')[2]} {it.before} to {it.after}",
                    it.change.mean,
                    *_bounds(it.change.mean, it.change.low, it.change.high),
                    it.is_clear,
                )
                for it in found
            ]
            for metric, found in effects.items()
        },
    )


def _about_conditions(
    rows: Sequence[Row], conditions: tuple[Condition, ...]
) -> Iterator[tuple[Tone, str]]:
    if conditions:
        holding = sum(row.holds == "yes" for row in rows)
        said = " and ".join(map(str, conditions))
        yield "good" if holding else "bad", f"{said} holds at {holding} of {len(rows)} points."


def _about_effects(effects: Mapping[str, Sequence[Effect]]) -> Iterator[tuple[Tone, str]]:
    """For each metric, what moves it most."""
    for metric, found in effects.items():
        most = next((it for it in found if it.is_clear), None)
        if most is not None:
            change = render(metric, abs(most.change.mean))
            sign = "+" if most.change.mean > 0 else "-"
            share = "" if most.share is None else f" ({most.share:+.0%})"
            what = f"{most.key}: {most.before} to {most.after}"
            yield "", f"{metric} is moved most by {what} {sign}{change}{share}."


def _about_failures(rows: Sequence[Row], swept: Swept) -> Iterator[tuple[Tone, str]]:
    idle = [
        row.name
        for row, one in zip(rows, swept.results, strict=True)
        if one.means.get("success_rate") == 0
    ]
    if idle:
        more = ", ..." if len(idle) > _NAMES_MAX else ""
        names = ", ".join(idle[:_NAMES_MAX])
        yield "bad", f"No task succeeded at {len(idle)} of {len(rows)} points: {names}{more}."


def _rows(
    swept: Swept, metrics: Sequence[str], conditions: tuple[Condition, ...], pass_k: int | None
) -> list[Row]:
    optimal = pareto_optimal({str(it.point.number): it.means for it in swept.results})
    reliability = (
        {it.result.point.number: it.by_k for it in reliability_of(swept, pass_k)} if pass_k else {}
    )
    return [
        Row(
            name=it.point.name,
            values=dict(it.point.values),
            marks={metric: mark for metric in metrics if (mark := _mark(it, metric)) is not None},
            holds=all_hold(conditions, it) if conditions else "",
            is_optimal=len(swept.results) > 1 and str(it.point.number) in optimal,
            reliability=reliability.get(it.point.number, ()),
            runs=len(it.seeds),
        )
        for it in swept.results
    ]


def _mark(result: PointResult, metric: str) -> Mark | None:
    found = result.interval(metric)
    if found is None:
        return None
    return Mark(0.0, found.mean, *_bounds(found.mean, found.low, found.high))


def _bounds(mean: float, low: float, high: float) -> tuple[float, float]:
    """The bounds of an interval; the mean itself where one run tells nothing."""
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (mean, mean)


def _knees(swept: Swept, metrics: Sequence[str]) -> dict[str, Knee]:
    """Where curves turn, of a sweep of one key with numbers; a share that hardly moves has no knee."""
    if len(swept.keys) != 1:
        return {}
    places = [as_number(text) for text in swept.column(swept.keys[0])]
    found = {}
    for metric in metrics:
        values = [it.values(metric) for it in swept.results]
        shared = sorted(set.intersection(*map(set, values)))
        if not shared or None in places:
            continue
        knee = knee_of(
            {
                place: [of_point[seed] for seed in shared]
                for place, of_point in zip(places, values, strict=True)
                if place is not None
            }
        )
        if knee is not None:
            found[metric] = knee
    return found


def _knee_text(metric: str, knee: Knee, swept: Swept) -> str:
    between = "" if knee.low == knee.high else f" (95 % between {knee.low:g} and {knee.high:g})"
    return f"{metric} turns at {swept.keys[0]}={knee.at:g}{between}."
