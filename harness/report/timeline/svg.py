"""A timeline as SVG for a page: small, one drawing for light and dark.

A page gives it colours (`palette.css_variables`), the rules of `STYLE`, and a box that scrolls where a screen is narrower than
anybody could read. It works without a script. A script that moves among the marks with arrow keys relies on this: each
`svg.timeline` holds groups `.l`, one a lane from top to bottom; each of these holds marks `.m`, by time, of which one in
the drawing has tabindex 0 and all others -1; the details of a mark are the text of its `title`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from harness.report.timeline.finding import finding
from harness.report.timeline.geometry import (
    BASELINE,
    HEIGHT,
    LEFT,
    PITCH,
    TOP,
    WIDTH,
    Scale,
    number,
)
from harness.report.timeline.lanes import lane_groups
from harness.report.timeline.legend import Legend, kinds_of, patterns
from harness.report.timeline.marks import Timeline
from harness.report.timeline.names import shown
from harness.report.timeline.ticks import ticks

STYLE: Final = (
    ".timeline .m:hover path{stroke-width:2.5}"
    f".timeline .b:hover path{{stroke-width:{HEIGHT + 3}}}"
    ".timeline .m:focus{outline:none}"
    ".timeline .m:focus-visible{outline:3px solid var(--ink);outline-offset:2px}"
)
"""The rules that all timelines of a page need, once."""


def as_svg(timeline: Timeline, key: str, trace: str = "") -> Markup:
    """Draw a timeline.

    Args:
        timeline: What to draw.
        key: What its ids begin with: letters, figures and `-`; another for each timeline of a page.
        trace: The path of a file beside the page that holds all spans; empty if there is none.
    """
    legend = Legend(timeline, key, TOP + PITCH * len(timeline.lanes) + 10)
    note = _note(timeline, trace)
    height = legend.bottom + (24 if note else 4)
    parts = [
        (
            f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{escape(finding(timeline))}" '
            'fill="var(--ink)" font-size="15">'
        ),
        f"<defs>{''.join(patterns(key, kinds_of(timeline)))}{_cross(key) if timeline.faults else ''}</defs>",
        *_axis(timeline),
        *lane_groups(timeline, key),
        *_path(timeline),
        f'<g aria-hidden="true">{"".join(legend)}</g>',
        f'<text x="{LEFT}" y="{legend.bottom + 14}">{note}</text>' if note else "",
        "</svg>",
    ]
    # All that came from outside has been escaped where it was put in.
    return Markup("".join(parts).replace(' tabindex="-1"', ' tabindex="0"', 1))  # noqa: S704


def _note(timeline: Timeline, trace: str) -> str:
    """How much is not drawn by itself, and where it is."""
    merged = (
        f"{timeline.merged:,} short or parallel stretches are drawn together"
        if timeline.merged
        else ""
    )
    if not trace:
        return merged
    # Quoted and without a slash at the front, it cannot be the address of anything that is not beside the page.
    link = f'<a href="{quote(shown(trace, 1000).lstrip("/"))}" text-decoration="underline">{escape(shown(trace))}</a>'
    return f"{merged}{'; ' if merged else ''}all {timeline.spans:,} spans: {link}"


def _cross(key: str) -> str:
    return (
        f'<path id="{key}-fault" fill="none" stroke="var(--bad)" stroke-width="3" stroke-linecap="round" '
        'd="M-4-4l8 8m0-8l-8 8"/>'
    )


def _axis(timeline: Timeline) -> Iterator[str]:
    """The marked moments, with a line down through all lanes."""
    scale = Scale(timeline.from_s, timeline.until_s)
    bottom = TOP + PITCH * len(timeline.lanes)
    marked = [
        (number(scale.tenths(timeline.from_s + at_s)), text)
        for at_s, text in ticks(timeline.until_s - timeline.from_s)
    ]
    lines = "".join(f"M{x} {TOP - 6}V{bottom}" for x, _ in marked)
    yield f'<g aria-hidden="true"><path stroke="var(--rule)" d="{lines}"/>'
    yield f'<text x="{LEFT - 26}" y="16" text-anchor="end" fill="var(--muted)">virtual time</text>'
    yield '<g text-anchor="middle">'
    yield from (f'<text x="{x}" y="16">{text}</text>' for x, text in marked)
    yield "</g></g>"


def _path(timeline: Timeline) -> Iterator[str]:
    """The critical path: thick along the lanes that it is in, thin from one to the next."""
    if not timeline.path:
        return
    scale = Scale(timeline.from_s, timeline.until_s)
    along, across = [], []
    before = -1
    for bar in timeline.path:
        x, y = number(scale.tenths(bar.from_s)), TOP + PITCH * bar.lane + BASELINE
        along.append(f"M{x} {y}H{number(scale.tenths(bar.until_s))}")
        if before >= 0:
            across.append(f"M{x} {before}V{y}")
        before = y
    yield '<g fill="none" stroke="var(--ink)" stroke-linecap="round" pointer-events="none" aria-hidden="true">'
    yield f'<path stroke-width="3" d="{"".join(along)}"/><path d="{"".join(across)}"/></g>'
