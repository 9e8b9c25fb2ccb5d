"""The sections of a page, in order. Each is a function that returns a section, or None if it is empty.

A new kind of run brings a section of its own: a file here, and a line in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.report.blocks import Section
from harness.report.contents import Contents
from harness.report.sections import (
    agents,
    cards,
    comparison,
    distributions,
    faults,
    findings,
    flow,
    origin,
    pressure,
    seeds,
    stood_out,
    texts,
    timeline,
    verdict,
    waiting,
    why,
)

SECTIONS: Final[tuple[Callable[[Contents], Section | None], ...]] = (
    verdict.section,
    cards.section,
    comparison.section,
    why.section,
    timeline.section,
    texts.section,
    distributions.section,
    agents.section,
    pressure.section,
    faults.section,
    stood_out.section,
    waiting.section,
    flow.section,
    findings.section,
    seeds.section,
    origin.section,
)
"""From what takes ten seconds to read to what takes two minutes."""
