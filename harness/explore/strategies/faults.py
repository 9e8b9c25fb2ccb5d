"""The faults that are tried at a call: one of each class of outcome that a program can tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Fields
from harness.explore.observation import Site
from harness.explore.search import Search

FAILS = "overloaded"
"""The first: the call fails with a status that an SDK retries."""


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
        ("status", (("status", 400),)),
        ("truncated", (("keep", 0.0),)),
        ("truncated", (("keep", 0.9),)),
    ]
    for name, fields in known:
        if search.allows(name):
            yield name, fields
