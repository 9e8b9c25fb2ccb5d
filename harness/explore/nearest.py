"""The nearest run that passes: the one whose timeline differs least from that of a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.explore.columns import in_columns
from harness.explore.deviation import Deviations
from harness.explore.observation import Observation
from harness.explore.shrink import Shrunk
from harness.explore.trial import Trial


@dataclass(frozen=True, slots=True)
class Near:
    """A run that passes."""

    deviations: Deviations
    seen: Observation


def nearest(trials: Iterable[Trial], shrunk: Shrunk) -> Near:
    """Of the runs of a search with a part of a finding's deviations, and of those that passed while it was shrunk, the nearest.

    Args:
        trials: The runs of the search; the passing one first, which may have failed itself.
        shrunk: The finding.
    """
    wanted = frozenset(shrunk.deviations)
    first, *others = trials
    near = [Near(first.deviations, first.seen)]
    near += [
        Near(trial.deviations, trial.seen)
        for trial in others
        if trial.failure is None and wanted.issuperset(trial.deviations)
    ]
    near += [Near(*passed) for passed in shrunk.passed]
    lines = shrunk.seen.timeline()
    # Of several the one that was tried last: its values are nearest.
    return min(reversed(near), key=lambda one: _distance(one.seen.timeline(), lines))


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines only one of two timelines has."""
    ours, theirs = map(Counter, in_columns(one, other))
    return (ours - theirs).total() + (theirs - ours).total()
