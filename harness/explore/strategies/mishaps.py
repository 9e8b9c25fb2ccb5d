"""What can go wrong beside attempts: messages of a pattern, its tools, and agents that crash and are started again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.explore.deviation import Deviations, Fields, Meets
from harness.explore.search import Search

_OF: Mapping[str, tuple[tuple[str, Fields], ...]] = {
    "message": (
        ("message_lost", (("noticed_after_s", 30.0),)),
        ("message_duplicated", ()),
        ("message_delayed", (("by_s", 45.0),)),
        ("message_reordered", ()),
    ),
    "tool": (("reply_lost", ()), ("effect_lost", ()), ("tool_fails", ())),
    "agent": (("crash", (("restart_after_s", 20.0),)),),
}
"""The faults of each sort of occurrence, the most telling first."""


def mishaps(search: Search) -> Iterator[Deviations | None]:
    """Each occurrence of the passing run: the first fault of all, then the next."""
    met = [(sort, at) for sort, at in search.passing.seen.occurrences if sort in _OF]
    met.sort(key=lambda each: each[0] == "agent")  # messages and tools first
    for rank in range(max(map(len, _OF.values()))):
        for sort, at in met:
            for name, fields in _OF[sort][rank : rank + 1]:
                if search.allows(name):
                    yield (Meets(sort, at, name, fields),)
