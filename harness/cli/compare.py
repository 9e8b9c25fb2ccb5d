"""`harness compare`: compare two of: a run, several runs, a store, a baseline file, a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cli.duration import Announcement
from harness.cli.options import Format
from harness.cli.sides import AnySide, explained, of_scenario, samples_of_side, side_of
from harness.cli.verdicts import print_verdict
from harness.errors import HarnessError
from harness.gate import Samples, SimulatedSide, gate, limits_of
from harness.metrics import Limit
from harness.run import default_jobs
from harness.scenario import load_scenario


def compare_sides(
    base: str,
    candidate: str,
    *,
    overrides: Sequence[str] = (),
    limits: Sequence[str],
    scenario: str | None,
    engine: str,
    store: Path,
    output: Format,
) -> int:
    """Compare two sides, and print the results of the gated metrics.

    Args:
        base: What the baseline is made of, as `sides.py` says.
        candidate: What the candidate is made of likewise.
        overrides: Changes to the candidate's scenario, each as `path=value`.
        limits: Changes to the default limits, each as `name=change`.
        scenario: The scenario to compare, when the sides hold several; None means the one that both have.
        engine: Engine of the stored runs: `simulated`, `live` or `replayed`; empty for what the store says.
        store: Where runs are that are named by number alone.
        output: The format.

    Returns:
        The exit code.

    Raises:
        HarnessError: A side is not there, holds nothing, or holds more than one thing; a limit names no metric; or there
            are changes, and the candidate is no scenario.
    """
    chosen = limits_of(options=limits)
    if overrides and not _is_scenario(candidate):
        raise HarnessError(
            f"--set {overrides[0]}: it changes a scenario that is simulated, and {candidate} names runs that are there\n"
            f"  How to fix: name the scenario instead, such as: harness compare {base} scenario.yaml --set {overrides[0]}"
        )
    old, new = of_scenario(*_sides(base, candidate, overrides, chosen, store), scenario)
    result = gate(samples_of_side(old, engine), samples_of_side(new, engine), chosen)
    print_verdict(explained(result, old, new), output)
    return result.exit_code


def _is_scenario(side: str) -> bool:
    return Path(side).suffix in (".yaml", ".yml")


def _sides(
    base: str, candidate: str, overrides: Sequence[str], limits: Sequence[Limit], store: Path
) -> tuple[AnySide, AnySide]:
    """Both sides; a scenario is simulated with the seeds of the other side, or with its own."""
    there = [None if _is_scenario(word) else side_of(word, store) for word in (base, candidate)]
    seeds = next((_seeds(side) for side in there if side is not None), None)
    metrics = [limit.metric for limit in limits]
    old, new = (
        _simulated(word, changes, seeds, metrics) if side is None else side
        for side, word, changes in zip(there, (base, candidate), ((), overrides), strict=True)
    )
    return old, new


def _seeds(side: AnySide) -> Sequence[int]:
    return side.seeds if isinstance(side, Samples) else sorted(side.run_ids)


def _simulated(
    file: str, overrides: Sequence[str], seeds: Sequence[int] | None, metrics: Sequence[str]
) -> Samples:
    scenario = load_scenario(file, overrides=overrides)
    label = " ".join([file, *(f"--set {it}" for it in overrides)])
    seeds = scenario.spec.seeds(first=None, runs=None) if seeds is None else seeds
    jobs = default_jobs(scenario, len(seeds))
    announce = Announcement(len(seeds), jobs)
    return SimulatedSide(scenario, jobs, label, announce, metrics)(seeds)
