"""`harness explore`: search for the least bad luck that breaks a scenario."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PASS
from harness.explore.budget import Budget
from harness.explore.cases import as_pytest
from harness.explore.deviation import to_record
from harness.explore.exploration import Exploration, Finding
from harness.explore.portfolio import Portfolio
from harness.explore.scenario import ExploredScenario, properties
from harness.explore.search import Search
from harness.explore.token import read_token
from harness.printable import printable
from harness.scenario import load_scenario
from harness.scenario.explore import RunLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for on the command line."""

    file: Path
    runs: int
    wall_s: float
    tasks: int
    """Only so many tasks of the workload are run."""
    seed: int | None
    """None means the scenario's first."""
    overrides: Sequence[str]
    """Changes to the scenario, each as `path=value`."""
    replay: str | None
    """The token of a finding that is run again; None means a search."""
    output: str
    """`table` or `json`."""
    jobs: int = 1
    """How many runs are made at once."""
    cases: Path | None = None
    """The folder in which findings are kept."""


def print_as_pytest(case: Path) -> int:
    """Print a kept finding as a test."""
    print(printable(as_pytest(case)), end="")  # noqa: T201 - a command prints
    return EXIT_PASS


def explore_file(wanted: Wanted) -> int:
    """Search a scenario, or replay a finding.

    Returns:
        The exit code.
    """
    scenario = load_scenario(wanted.file, overrides=wanted.overrides)
    tasks = scenario.spec.workload.tasks
    if tasks is None or tasks > wanted.tasks:
        changes = [*wanted.overrides, f"workload.tasks={wanted.tasks}"]
        scenario = load_scenario(wanted.file, overrides=changes)
    replay = None if wanted.replay is None else read_token(wanted.replay)
    seed = scenario.spec.seeds(first=wanted.seed, runs=1)[0] if replay is None else replay.seed
    budget = Budget(wanted.runs, wanted.wall_s) if replay is None else Budget(3, math.inf)
    limits = scenario.spec.explore.limits
    if replay is not None and replay.limits:
        limits = RunLimits(**replay.limits)
    search = Search(
        ExploredScenario(scenario, seed),
        properties(limits),
        budget,
        jobs=wanted.jobs,
        heals=limits.recovery_s is not None,
    )
    tells = wanted.output == "table"
    portfolio = Portfolio(
        search,
        on_finding=_tell if tells else _keep_silent,
        on_run=_progress if tells and sys.stderr.isatty() else _silent_run,
        seed=seed,
        test=str(wanted.file),
        cases=wanted.cases,
        limits=limits.stated(),
    )
    found = portfolio.run() if replay is None else portfolio.replay(replay)
    if not tells:
        print(json.dumps(_as_json(found), indent=2))  # noqa: T201 - a command prints
    else:
        _tell_end(found)
    if found.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if found.findings else EXIT_PASS


def _tell(finding: Finding) -> None:
    print(printable(f"{finding}\n"))  # noqa: T201 - a command prints
    sys.stdout.flush()


def _keep_silent(finding: Finding) -> None:
    """Say nothing before the end."""


def _progress(search: Search) -> None:
    print(f"\r{search.budget.spent} of {search.budget.runs} runs\r", end="", file=sys.stderr)  # noqa: T201 - see above


def _silent_run(search: Search) -> None:
    """Say nothing of a run."""


def _tell_end(found: Exploration) -> None:
    count = len(found.findings)
    told = [
        f"{count} {'finding' if count == 1 else 'findings'} in {found.runs} runs",
        f"Coverage: {found.coverage}",
    ]
    told += [f"not reproducible: {each}" for each in found.not_reproducible]
    print(printable("\n".join(told)))  # noqa: T201 - a command prints


def _as_json(found: Exploration) -> dict[str, object]:
    return {
        "runs": found.runs,
        "runs_to_shrink": found.runs_to_shrink,
        "coverage": str(found.coverage),
        "not_reproducible": list(found.not_reproducible),
        "findings": [
            {
                "kind": finding.kind,
                "message": finding.message,
                "where": finding.where,
                "deviations": [to_record(one) for one in finding.overrides],
                "runs_until_found": finding.runs_until_found,
                "runs_to_shrink": finding.runs_to_shrink,
                "token": finding.token,
                "story": finding.story,
            }
            for finding in found.findings
        ],
    }
