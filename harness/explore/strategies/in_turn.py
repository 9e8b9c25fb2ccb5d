"""Fair turns of each trial, where trials are added while the search goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from harness.explore.deviation import Deviations
from harness.explore.trial import Trial


def in_turn(
    bases: Callable[[], Iterable[Trial]], following: Callable[[Trial], Iterator[Deviations]]
) -> Iterator[Deviations | None]:
    """The next that follows from each base, in rounds; None when nothing is left for now.

    Args:
        bases: The trials, asked for again in each round.
        following: What is tried because of one; asked for once for each.
    """
    running: dict[Deviations, Iterator[Deviations]] = {}
    while True:
        for trial in bases():
            if trial.deviations not in running:
                running[trial.deviations] = following(trial)
        proposed = False
        for left in list(running.values()):
            deviations = next(left, None)
            if deviations is not None:
                proposed = True
                yield deviations
        if not proposed:
            yield None
