"""The faults that are tried at a call: one of each class of outcome that a program can tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Fields, ToolFails
from harness.explore.observation import Site, Use
from harness.explore.search import Search

FAILS = "overloaded"
"""The first: the call fails with a status that an SDK retries."""

TOOL_FAILS = "tool_fails"
"""A use of a simulated tool fails, and takes no effect."""

LOST = "reply_lost"
"""A use of a simulated tool takes effect, and its answer is lost."""

DROPPED = "effect_lost"
"""A use of a simulated tool is answered, and takes no effect."""


def failures_of(search: Search, use: Use) -> Iterator[ToolFails]:
    """The ways in which a use of a tool can fail, the plainest first."""
    if search.allows(TOOL_FAILS):
        yield ToolFails(use.key)
    if search.allows(LOST):
        yield ToolFails(use.key, effect=True)


def impossible(search: Search) -> dict[str, str]:
    """Faults that no call, message or tool of the passing run can meet, each with why."""
    seen = search.passing.seen
    sorts = {sort for sort, _ in seen.occurrences}
    found: dict[str, str] = {}
    if not any(site.is_stream for site in seen.sites):
        found |= dict.fromkeys(("stall", "cut_stream", "error_event"), "no call is streamed")
    if not any(site.calls_tools for site in seen.sites):
        found["duplicate_tool_ids"] = "no reply calls a tool"
    if "message" not in sorts:
        lost = ("message_lost", "message_duplicated", "message_delayed", "message_reordered")
        found |= dict.fromkeys(lost, "no messages between members of a pattern")
    if not seen.uses and "tool" not in sorts:
        found |= dict.fromkeys((TOOL_FAILS, LOST, DROPPED), "no simulated tool is used")
    return found


def classes(search: Search, site: Site) -> Iterator[tuple[str, Fields]]:
    """Faults of a call besides its plain failure, by name and parameters, the most telling first."""
    known: list[tuple[str, Fields]] = []
    if site.is_stream:
        known += [("stall", ()), ("cut_stream", ()), ("error_event", ())]
    known += [("truncated", ()), ("invalid_json", ())]
    if site.calls_tools:
        known += [("duplicate_tool_ids", ())]
    known += [
        ("hang", ()),
        ("reset_midway", ()),
        ("status", (("status", 429),)),
        ("status", (("status", 400),)),
        ("truncated", (("keep", 0.0),)),
        ("truncated", (("keep", 0.9),)),
    ]
    for name, fields in known:
        if search.allows(name):
            yield name, fields
