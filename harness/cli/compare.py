"""`harness compare`: any two of a run, several runs, a store and a baseline file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import Format
from harness.cli.sides import explained, of_scenario, samples_of_side, side_of
from harness.cli.verdicts import print_verdict
from harness.gate import gate, limits_of


def compare_sides(
    base: str,
    candidate: str,
    *,
    limits: Sequence[str],
    scenario: str | None,
    engine: str,
    store: Path,
    output: Format,
) -> int:
    """Compare two sides, and print what became of the gated metrics.

    Args:
        base: What the baseline is made of, as `sides.py` says.
        candidate: What the candidate is made of likewise.
        limits: Changes to the default limits, each as `name=change`.
        scenario: The scenario to compare, when the sides hold several; None means the one that both have.
        engine: What moved time in the stored runs: `simulated` or `wall clock`.
        store: Where runs are that are named by number alone.
        output: The format.

    Returns:
        The exit code.

    Raises:
        HarnessError: A side is not there, holds nothing, or holds more than one thing; or a limit names no metric.
    """
    chosen = limits_of(options=limits)
    old, new = of_scenario(side_of(base, store), side_of(candidate, store), scenario)
    result = gate(samples_of_side(old, engine), samples_of_side(new, engine), chosen)
    print_verdict(explained(result, old, new), output)
    return result.exit_code
