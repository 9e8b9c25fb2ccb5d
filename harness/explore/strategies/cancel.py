"""Cancellation from outside: of the whole program, and of tasks that the program named, which others can reach by their name."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.deviation import Cancel, Deviations
from harness.explore.search import Search
from harness.explore.trial import Trial


def cancel(search: Search) -> Iterator[Deviations | None]:
    """In the passing run."""
    for deviation in cancellations(search, search.passing):
        yield (deviation,)


def cancellations(search: Search, trial: Trial, *, whole: bool = True) -> list[Cancel]:
    """Each task that somebody outside can cancel, in every stretch between two moments of a run; the first stretches of all first, then the last.

    A task that the program named is also cancelled in the instant of its creation, before its first step.

    Args:
        search: The search.
        trial: The run.
        whole: Whether the program as a whole is among them.
    """
    timeline = trial.timeline(search.irrelevant)
    seen = trial.seen
    named = [task for task in seen.tasks if task.is_named]
    program = [task for task in seen.tasks[:1] if whole and not task.is_named]
    found: list[tuple[int, int, Cancel]] = []
    for nth, task in enumerate((*named, *program)):
        end_s = seen.latency_s if task.ended_s is None else task.ended_s
        times = list(timeline.stretches(task.began_s, end_s))
        begins = [task.began_s] if task.is_named else []
        # What is done by the last stretch and not yet told of is done again, or left as it is.
        for rank, at_s in enumerate([*times[:1], *times[1:][-1:], *begins, *times[1:-1]]):
            found.append((rank + nth, nth, Cancel(task.path, at_s)))
    return [deviation for _, _, deviation in sorted(found, key=lambda each: each[:2])]
