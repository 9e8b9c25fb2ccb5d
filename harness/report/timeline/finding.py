"""A one-sentence summary of a timeline, also for screen readers."""

from __future__ import annotations

import math
from typing import Final

from harness.report.timeline.marks import Share, Timeline
from harness.report.timeline.names import shown
from harness.units import render

NAMED: Final = 3
"""Maximum number of parts of the time that are named."""

SMALL: Final = 0.05
"""A share of the time that is not worth a word."""

_DOING: Final = {
    "queue": "waiting at the provider",
    "prefill": "reading the prompt",
    "work": "generating",
    "tool": "using a tool",
    "retry": "in attempts without a reply",
    "back_off": "waiting to ask again",
    "silence": "hearing nothing from the provider",
    "in_flight": "waiting for a place in flight",
    "state_lock": "waiting for the lock of shared state",
    "person": "waiting for a person",
    "overhead": "between its calls",
    "hand_off": "between turns",
}
"""What an agent is doing in the time of a kind."""


def finding(timeline: Timeline) -> str:
    """What took how long, and what it was spent on; not escaped."""
    if not timeline.lanes:
        return f"{timeline.title}: nothing was recorded."
    total_s = math.fsum(share.duration_s for share in timeline.shares)
    if timeline.path:
        began = f", which arrived at {render('from_s', timeline.from_s)}," if timeline.from_s else ""  # fmt: skip
        took = f"{timeline.title}{began} took {render('latency_s', total_s)}"
        whole = "of it was"
    else:
        took = f"{timeline.title} took {render('makespan_s', timeline.until_s - timeline.from_s)}"
        whole = "of the time that agents spent was"
    named = [share for share in timeline.shares if share.duration_s > SMALL * total_s][:NAMED]
    if named:
        first, *others = ((f"{share.duration_s / total_s:.0%}", _who(share)) for share in named)
        took += f": {_listed([f'{first[0]} {whole} {first[1]}', *map(' '.join, others)])}"
    struck = len(timeline.faults)
    hit = f"; faults struck at {struck} {'moment' if struck == 1 else 'moments'}" if struck else ""
    return f"{took}{hit}."


def _who(share: Share) -> str:
    doing = _DOING[share.kind]
    return f"{shown(share.agent)} {doing}" if share.agent else doing


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
