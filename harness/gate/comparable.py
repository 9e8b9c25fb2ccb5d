"""What must be equal on both sides of a comparison, and the notes to print where sides differ."""

from __future__ import annotations

from harness.gate.samples import Samples
from harness.metrics.engine import is_live
from harness.metrics.limits import MONEY


def why_not(base: Samples, candidate: Samples, metric: str) -> str:
    """Why the sides cannot be compared in a metric; "" when they can.

    Another version of the scenario is no reason: it is what is compared. Another name is, and so are other tasks.
    """
    if base.scenario != candidate.scenario:
        return f"other scenario: {base.scenario} against {candidate.scenario}"
    if is_live(base.engine) != is_live(candidate.engine):
        return f"other engine: {base.engine} against {candidate.engine}"
    if base.workload != candidate.workload and base.workload and candidate.workload:
        return "other workload: other tasks come, or at other times"
    if metric in MONEY and _differ(base.prices_as_of, candidate.prices_as_of):
        return f"other prices: of {base.prices_as_of} against those of {candidate.prices_as_of}"
    return ""


def are_paired(base: Samples, candidate: Samples) -> bool:
    """Whether runs of the same seed have the same random values, and the sides share a seed."""
    live = is_live(base.engine) or is_live(candidate.engine)
    return not live and bool(set(base.seeds) & set(candidate.seeds))


def notes(base: Samples, candidate: Samples) -> tuple[str, ...]:
    """Notes beside the numbers, one sentence each."""
    found = []
    if base.reason:
        found.append(f"Reason given for the baseline: {base.reason}")
    if _differ(base.harness_version, candidate.harness_version):
        found.append(
            f"The baseline is of harness {base.harness_version}, the candidate of {candidate.harness_version}: "
            "what differs may be harness, and not the scenario."
        )
    live = is_live(base.engine), is_live(candidate.engine)
    if not any(live) and base.engine != candidate.engine:
        found.append(
            f"The replies of one side are recorded: the baseline is {base.engine}, the candidate {candidate.engine}."
        )
    if all(live):
        found.append(
            "Not paired: runs in real time do not share their random values, so only large changes can be detected."
        )
    elif not any(live):
        found += _notes_on_seeds(base, candidate)
    return tuple(found)


def _notes_on_seeds(base: Samples, candidate: Samples) -> list[str]:
    if not are_paired(base, candidate):
        return [
            "Not paired: the sides share no seed, so their random values differ, and only large changes can be detected."
        ]
    alone = set(base.seeds) ^ set(candidate.seeds)
    return [f"Left out, as only one side has them: {_runs(len(alone))}."] if alone else []


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other
