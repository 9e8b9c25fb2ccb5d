"""Simulated tools: a use fails, its answer or its effect is lost, or it is done twice."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Deviations, ToolDropped, ToolFails, ToolTwice
from harness.explore.search import Search
from harness.explore.strategies.faults import DROPPED, LOST, TOOL_FAILS

_TWICE = "effect_twice"


def tools(search: Search) -> Iterator[Deviations | None]:
    """Each use of the passing run."""
    uses = list(search.uses())
    for effect, fault in ((True, LOST), (False, TOOL_FAILS)):
        for use in uses if search.allows(fault) else ():
            yield (ToolFails(use.key, effect),)
    for use in uses if search.allows(DROPPED) else ():
        yield (ToolDropped(use.key),)
    if _TWICE in (
        search.faults or ()
    ):  # otherwise a check of effects could blame a program that has no way to prevent it
        for use in uses:
            yield (ToolTwice(use.key),)
