"""`harness gate` and `harness baseline`: is this change slower, dearer or worse than what was before?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from harness.cli.app import EXIT_PASS, printable
from harness.cli.options import Format
from harness.cli.verdicts import print_verdict, why_lines
from harness.errors import HarnessError
from harness.gate import (
    GateResult,
    SimulatedSide,
    gate,
    limits_of,
    read_baseline,
    save_baseline,
)
from harness.gate.checkout import CheckoutSide, Repository
from harness.gate.statistics import LOOKS
from harness.metrics import Limit, summarise, tally
from harness.run import BudgetResult
from harness.run.one import slots_of
from harness.run.outcome import held
from harness.scenario import LoadedScenario, load_scenario
from harness.units import render

BASELINE_RUNS = 32
"""Enough for three looks of the gate, in a file that is still small."""


def gate_file(
    file: Path,
    *,
    baseline: Path | None,
    base: str | None,
    limits: Sequence[str],
    runs: int | None,
    seed: int | None,
    output: Format,
    no_baseline: Literal["pass", "fail"],
) -> int:
    """Compare a scenario with its baseline, or with the same files of another commit."""
    if (baseline is None) == (base is None):
        raise HarnessError(
            "say what to compare with: either --baseline FILE or --base REF\n"
            "  such as: harness gate scenario.yaml --base main"
        )
    scenario = load_scenario(file)
    chosen = limits_of(scenario.spec.gate, limits)
    first = scenario.spec.seed if seed is None else seed
    seeds = range(first, first + (LOOKS[-1] if runs is None else runs))
    if base is not None:
        result = _against_commit(file, scenario, base, chosen, seeds)
    else:
        assert baseline is not None
        result = _against_file(baseline, scenario, chosen, seeds)
    print_verdict(result, output, file=str(file))
    if result.is_first and no_baseline == "pass":
        click.echo(printable(_FIRST.format(file=file, baseline=baseline)), err=True)
        return EXIT_PASS
    return result.exit_code


_FIRST = (
    "There is no baseline yet, so nothing was compared; this passes once.\n"
    "  Next: harness baseline save {file} -o {baseline}, and commit it"
)


def _against_file(
    baseline: Path, scenario: LoadedScenario, limits: Sequence[Limit], seeds: Sequence[int]
) -> GateResult:
    side = SimulatedSide(scenario, label="this working tree")
    before = read_baseline(baseline) if baseline.exists() else None
    return gate(before, side, limits, seeds=seeds, budgets=side.budgets)


def _against_commit(
    file: Path, scenario: LoadedScenario, ref: str, limits: Sequence[Limit], seeds: Sequence[int]
) -> GateResult:
    repository = Repository.of(file)
    commit = repository.commit(ref)
    absolute = file.absolute()
    here = Path.cwd() if Path.cwd().is_relative_to(repository.root) else absolute.parent
    folder, path = here.relative_to(repository.root), Path(os.path.relpath(absolute, here))
    with repository.checked_out(commit) as other:
        old = CheckoutSide(other, folder, path, f"{ref} ({commit[:7]})")
        new = CheckoutSide(repository.root, folder, path, "this working tree")
        result = gate(old, new, limits, seeds=seeds)
    result = result.with_budgets(_budgets(scenario, new))
    return result.explained({metric: _why(old, new, metric) for metric in result.regressed})


def _budgets(scenario: LoadedScenario, side: CheckoutSide) -> tuple[BudgetResult, ...]:
    spec = scenario.spec
    if not spec.budgets:
        return ()
    tallies = [
        tally(
            spans,
            agents=spec.agents,
            warmup_tasks=spec.workload.warmup_tasks,
            slots=slots_of(spec),
        )
        for spans in side.spans.values()
    ]
    metrics, _ = summarise(tallies)
    return held(scenario, metrics)


def _why(old: CheckoutSide, new: CheckoutSide, metric: str) -> list[str]:
    seeds = sorted(old.spans.keys() & new.spans.keys())
    return why_lines(
        [old.spans[seed] for seed in seeds],
        [new.spans[seed] for seed in seeds],
        metric,
        warmup_tasks=new.warmup_tasks,
    )


def save_file(
    file: Path,
    *,
    runs: int | None,
    seed: int | None,
    target: Path,
    reason: str,
    limits: Sequence[str],
) -> int:
    """Simulate a scenario, and make its numbers the baseline."""
    scenario = load_scenario(file)
    chosen = limits_of(scenario.spec.gate, limits)
    first = scenario.spec.seed if seed is None else seed
    seeds = range(first, first + (BASELINE_RUNS if runs is None else runs))
    side = SimulatedSide(scenario, label=str(file))
    kept = save_baseline(
        target, side(seeds), metrics=[limit.metric for limit in chosen], reason=reason
    )
    click.echo(printable(f"saved {len(kept.runs)} runs of {kept.scenario} in {target}"))
    return EXIT_PASS


def show_file(path: Path) -> int:
    """Print what a baseline holds."""
    found = read_baseline(path)
    seeds = f"seeds {found.seeds[0]} to {found.seeds[-1]}" if found.seeds else "no seeds"
    click.echo(printable(f"{found.scenario}: {len(found.runs)} runs, {seeds}"))
    click.echo(printable(f"  reason: {found.reason}"))
    click.echo(
        printable(
            f"  harness {found.harness_version}, Python {found.python}, prices of {found.prices_as_of}, "
            f"scenario {found.scenario_hash}"
        )
    )
    for name in sorted(found.names):
        values = list(found.values(name).values())
        mean = sum(values) / len(values)
        click.echo(
            printable(
                f"  {name:<20} mean {render(name, mean)}, {render(name, min(values))} to {render(name, max(values))}"
            )
        )
    return EXIT_PASS
