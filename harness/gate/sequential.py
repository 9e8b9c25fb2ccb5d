"""The gate: compare, and run more seeds only while a metric is undecided."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.errors import HarnessError
from harness.gate.comparable import notes
from harness.gate.exploration import explored
from harness.gate.samples import Samples
from harness.gate.statistics import FALSE_ALARMS, LOOKS
from harness.gate.survivors import without_survivors
from harness.gate.verdict import GateResult, judged
from harness.metrics import Limit
from harness.run import BudgetResult

Side = Callable[[Sequence[int]], Samples] | Samples
"""What is compared: runs that are there, or what executes one run for each of some seeds."""

FIRST_SEEDS = range(1, LOOKS[-1] + 1)


def gate(
    base: Side | None,
    candidate: Side,
    limits: Sequence[Limit],
    *,
    seeds: Sequence[int] = FIRST_SEEDS,
    looks: Sequence[int] = LOOKS,
    budgets: Callable[[], Sequence[BudgetResult]] = tuple,
) -> GateResult:
    """Compare a candidate with a baseline.

    A metric has regressed when its whole interval is beyond the limit, and is within it when the whole interval is; while
    a metric at level `error` is neither, more seeds are run, up to the last look. Two sides that are there already are
    compared once, with all their runs.

    Args:
        base: The baseline: runs, or what executes them; None when there is none.
        candidate: The candidate likewise.
        limits: The gated metrics.
        seeds: The seeds to run, in this order, when no side has runs yet.
        looks: After how many seeds the intervals are looked at; the first look is the least that is run, and the more
            looks there are, the wider are the intervals.
        budgets: Asked for the scenario's budgets once, after the last run.

    Returns:
        What was found at the last look.

    Raises:
        HarnessError: No metric is gated, or there are no seeds to run; whatever executing a run raises.
    """
    if not limits:
        raise HarnessError("no metric is gated, so the gate would compare nothing")
    tail = FALSE_ALARMS / len(looks)
    if isinstance(candidate, Samples) and not callable(base):
        return _look(base, candidate, limits, tail, budgets)
    ready = next((side for side in (base, candidate) if isinstance(side, Samples)), None)
    offered = tuple(seeds) if ready is None else ready.seeds
    if not offered:
        raise HarnessError("there are no runs, and no seeds to run, so there is nothing to compare")
    before: Samples | None = None
    after: Samples | None = None
    done = 0
    for look in _plan(offered, looks):
        before = None if base is None else _runs(base, before, offered[:look], done)
        after = _runs(candidate, after, offered[:look], done)
        metrics = [judged(limit, before, after, tail=tail) for limit in limits]
        if before is None or not any(it.undecided for it in metrics):
            break
        done = look
    assert after is not None, "there is at least one look"
    return _look(before, after, limits, tail, budgets)


def _look(
    base: Samples | None,
    candidate: Samples,
    limits: Sequence[Limit],
    tail: float,
    budgets: Callable[[], Sequence[BudgetResult]],
) -> GateResult:
    judgements = [judged(limit, base, candidate, tail=tail) for limit in limits]
    metrics = without_survivors(judgements, base, candidate, tail=tail)
    gated = [limit.metric for limit in limits]
    return GateResult(
        base=base,
        candidate=candidate,
        metrics=metrics,
        explored=() if base is None else explored(base, candidate, gated),
        budgets=tuple(budgets()),
        notes=() if base is None else notes(base, candidate),
    )


def _plan(offered: Sequence[int], looks: Sequence[int]) -> tuple[int, ...]:
    """The looks that the seeds are enough for; where they end between two looks, the last is at their end."""
    last = min(len(offered), looks[-1])
    return (*(look for look in looks if look < last), last)


def _runs(side: Side, so_far: Samples | None, seeds: Sequence[int], done: int) -> Samples:
    """The runs of one side for all of some seeds, of which so many are done."""
    if isinstance(side, Samples):
        return side.only(seeds)
    more = side(seeds[done:])
    return more if so_far is None else so_far.joined(more)
