"""Cancellation from outside: of the whole program, and of tasks that the program named, which others can reach by their name."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Cancel, Deviations
from harness.explore.search import Search


def cancel(search: Search) -> Iterator[Deviations | None]:
    """Each such task in every stretch between two moments, the first stretches of all tasks first."""
    timeline = search.passing.timeline(search.irrelevant)
    seen = search.passing.seen
    found: list[tuple[int, int, Cancel]] = []
    named = [task for task in seen.tasks if task.is_named]
    whole = [task for task in seen.tasks[:1] if not task.is_named]
    for nth, task in enumerate((*named, *whole)):
        end_s = seen.latency_s if task.ended_s is None else task.ended_s
        for rank, at_s in enumerate(timeline.stretches(task.began_s, end_s)):
            found.append((rank + nth, nth, Cancel(task.path, at_s)))
    for _, _, deviation in sorted(found, key=lambda each: each[:2]):
        yield (deviation,)
