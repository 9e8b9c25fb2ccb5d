"""`harness gate` and `harness baseline`: whether a change made a scenario slower, costlier or less successful."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import click
from rich.text import Text

from harness.cli.duration import Announcement
from harness.cli.exit_codes import EXIT_PASS
from harness.cli.options import Format
from harness.cli.sides import reasons_kept
from harness.cli.tables import console
from harness.cli.verdicts import print_verdict
from harness.columns import Column, Grid
from harness.errors import HarnessError
from harness.gate import (
    GateResult,
    Samples,
    SimulatedSide,
    gate,
    limits_of,
    read_baseline,
    save_baseline,
)
from harness.gate.baseline import check_target
from harness.gate.checkout import CheckoutSide, Repository
from harness.gate.statistics import LOOKS
from harness.gate.why import Explanation, why
from harness.metrics import Limit
from harness.metrics.because import because
from harness.printable import printable
from harness.run import RunResult
from harness.scenario import LoadedScenario, load_scenario
from harness.spans import Table
from harness.units import render

BASELINE_RUNS = 32
"""Enough for three looks of the gate, in a file that is still small."""


BASELINES = Path("baselines")
"""The default folder of baselines."""


def default_baseline(file: Path) -> Path:
    """The default place of a scenario's baseline."""
    return BASELINES / f"{file.stem}.json"


def gate_file(
    file: Path,
    *,
    baseline: Path | None,
    base: str | None,
    overrides: Sequence[str] = (),
    limits: Sequence[str],
    runs: int | None,
    seed: int | None,
    output: Format,
    no_baseline: Literal["pass", "fail"],
) -> int:
    """Compare a scenario with its baseline, or with the same files of another commit."""
    if baseline is None and base is None and default_baseline(file).exists():
        baseline = default_baseline(file)
    if (baseline is None) == (base is None):
        raise HarnessError(
            "say what to compare with: either --baseline FILE or --base REF\n"
            "  such as: harness gate scenario.yaml --base main"
        )
    if base is not None:
        _look_into(Repository.of(file))
    scenario = load_scenario(file, overrides=overrides)
    chosen = limits_of(scenario.spec.gate, limits)
    first = scenario.spec.seed if seed is None else seed
    seeds = range(first, first + (LOOKS[-1] if runs is None else runs))
    if base is not None:
        result = _against_commit(file, scenario, base, chosen, seeds)
    else:
        assert baseline is not None
        result = _against_file(file, baseline, scenario, chosen, seeds)
    print_verdict(result, output, file=str(file))
    if result.is_first and no_baseline == "pass":
        click.echo(printable(_FIRST.format(file=file, baseline=baseline)), err=True)
        return EXIT_PASS
    return result.exit_code


_FIRST = (
    "There is no baseline yet, so nothing was compared; this passes once.\n"
    "  Next: harness baseline save {file} -o {baseline}, and commit it"
)


def _look_into(repository: Repository) -> None:
    """Find the user's modules where the other version's are found."""
    for place in (repository.root / "src", repository.root):
        if str(place) not in sys.path:
            sys.path.insert(0, str(place))


def _against_file(
    file: Path,
    baseline: Path,
    scenario: LoadedScenario,
    limits: Sequence[Limit],
    seeds: Sequence[int],
) -> GateResult:
    spans: dict[int, Table] = {}
    side = _working_tree(scenario, spans, len(seeds))
    before = read_baseline(baseline) if baseline.exists() else None
    result = _with_budgets(
        gate(before, side, limits, seeds=seeds, budgets=side.budgets), scenario, spans
    )
    if before is None or not result.regressed:
        return result
    old = _made_again(file, baseline, before.only(spans))
    warmup_tasks = scenario.spec.workload.warmup_tasks
    if old:
        return result.explained(
            {metric: _why(old, spans, metric, warmup_tasks) for metric in result.regressed}
        )
    return result.explained(reasons_kept(before, spans, result.regressed, warmup_tasks))


def _with_budgets(
    result: GateResult, scenario: LoadedScenario, spans: Mapping[int, Table]
) -> GateResult:
    """The result with the reason why budgets do not hold, from the candidate's spans."""
    runs = [spans[seed] for seed in sorted(spans)]
    warmup_tasks = scenario.spec.workload.warmup_tasks
    return result.with_budgets(lambda metric: because(runs, metric, warmup_tasks=warmup_tasks))


def _made_again(file: Path, baseline: Path, wanted: Samples) -> dict[int, Table]:
    """The spans behind a baseline, by seed: from the commit that saved it, if that still gives its numbers."""
    try:
        repository = Repository.of(file)
        commit = repository.last_change_of(baseline)
        if not commit or not wanted.runs:
            return {}
        with repository.checked_out(commit) as other:
            side = CheckoutSide(other, *_place_of(file, repository), f"{baseline} ({commit[:7]})")
            again = side(range(wanted.seeds[0], wanted.seeds[-1] + 1))
    except HarnessError:
        return {}  # without an explanation the verdict is what it is
    same = all(again.values(name).items() >= wanted.values(name).items() for name in wanted.names)
    return side.spans if same else {}


def _against_commit(
    file: Path, scenario: LoadedScenario, ref: str, limits: Sequence[Limit], seeds: Sequence[int]
) -> GateResult:
    repository = Repository.of(file)
    commit = repository.commit(ref)
    spans: dict[int, Table] = {}
    new = _working_tree(scenario, spans, len(seeds))
    with repository.checked_out(commit) as other:
        old = CheckoutSide(other, *_place_of(file, repository), f"{ref} ({commit[:7]})")
        result = gate(old, new, limits, seeds=seeds, budgets=new.budgets)
    result = _with_budgets(result, scenario, spans)
    return result.explained(
        {metric: _why(old.spans, spans, metric, old.warmup_tasks) for metric in result.regressed}
    )


def _working_tree(scenario: LoadedScenario, spans: dict[int, Table], runs: int) -> SimulatedSide:
    """The candidate, which runs in this very process; its spans are kept by seed."""
    announce = Announcement(min(runs, LOOKS[0]))

    def keep(run: RunResult) -> None:
        announce(run)
        spans[run.seed] = run.spans

    return SimulatedSide(
        scenario,
        label=" ".join(["this working tree", *(f"--set {it}" for it in scenario.overrides)]),
        on_run=keep,
    )


def _place_of(file: Path, repository: Repository) -> tuple[Path, Path]:
    """Where to run a scenario, from the root of its repository, and the file from there."""
    absolute = file.absolute()
    here = Path.cwd() if Path.cwd().is_relative_to(repository.root) else absolute.parent
    return here.relative_to(repository.root), Path(os.path.relpath(absolute, here))


def _why(
    old: Mapping[int, Table], new: Mapping[int, Table], metric: str, warmup_tasks: int
) -> Explanation:
    seeds = sorted(old.keys() & new.keys())
    return why(
        [old[seed] for seed in seeds],
        [new[seed] for seed in seeds],
        metric,
        warmup_tasks=warmup_tasks,
    )


def save_file(
    file: Path,
    *,
    runs: int | None,
    seed: int | None,
    target: Path | None,
    reason: str,
    overrides: Sequence[str] = (),
    limits: Sequence[str],
) -> int:
    """Simulate a scenario, and save its metrics as the baseline."""
    scenario = load_scenario(file, overrides=overrides)
    chosen = [limit.metric for limit in limits_of(scenario.spec.gate, limits)]
    first = scenario.spec.seed if seed is None else seed
    seeds = range(first, first + (BASELINE_RUNS if runs is None else runs))
    target = default_baseline(file) if target is None else target
    check_target(target, reason)  # before the work, which may be long
    announce = Announcement(len(seeds))
    side = SimulatedSide(scenario, label=str(file), on_run=announce, kept_metrics=chosen)
    kept = save_baseline(target, side(seeds), metrics=chosen, reason=reason)
    click.echo(printable(f"saved {len(kept.runs)} runs of {kept.scenario} in {target}"))
    return EXIT_PASS


def show_file(path: Path) -> int:
    """Print the content of a baseline."""
    found = read_baseline(path)
    seeds = f"seeds {found.seeds[0]} to {found.seeds[-1]}" if found.seeds else "no seeds"
    out = console()
    about = (
        f"{found.scenario}: {len(found.runs)} runs, {seeds}\nreason: {found.reason}\nharness {found.harness_version}, "
        f"Python {found.python}, prices of {found.prices_as_of}, scenario {found.scenario_hash}"
    )
    out.print(Text(printable(about)))
    made = Grid([Column("metric", "key"), *map(Column, ("mean of seeds", "least", "most"))])
    for name in sorted(found.names):
        values = list(found.values(name).values())
        numbers = (sum(values) / len(values), min(values), max(values))
        made.add(name, *(render(name, number) for number in numbers))
    made.print(out)
    return EXIT_PASS
