"""`harness whatif`: the effect of a faster agent."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from harness.cli.duration import Announcement
from harness.cli.exit_codes import EXIT_PASS
from harness.cli.tables import console
from harness.columns import Column, Grid
from harness.errors import HarnessError
from harness.gate.comparison import Comparison
from harness.gate.output.words import change_text, interval_text, measured
from harness.gate.statistics import LOOKS
from harness.gate.whatif import (
    METRICS,
    Present,
    WhatIf,
    check_agents,
    knows_agents_beforehand,
    one_by_one,
    present,
    what_if,
)
from harness.json_types import JsonObject
from harness.printable import printable
from harness.run import default_jobs
from harness.scenario import load_scenario

_PERCENT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?%")

_FASTER: Final = 0.2
"""The default change of speed: enough to be seen, and what a smaller model or a shorter
answer may bring."""


def print_what_if(
    file: Path,
    *,
    faster: Sequence[str],
    slower: Sequence[str],
    overrides: Sequence[str] = (),
    runs: int | None,
    seed: int | None,
    output: str,
) -> int:
    """Simulate a scenario unchanged and with other speeds, and print the differences.

    Args:
        file: The scenario.
        faster: Agents, each as `name=20%`; with no agent at all, every agent in turn is made 20 % faster.
        slower: The same of those that are to be slower.
        overrides: Changes to the scenario of both sides, each as `path=value`.
        runs: How many seeds; None means 8.
        seed: The first seed; None means the scenario's.
        output: `table` or `json`.

    Returns:
        The exit code.

    Raises:
        HarnessError: An agent is not there, or a speed is none; the scenario is wrong.
    """
    factors = _factors(faster, slower)
    scenario = load_scenario(file, overrides=overrides)
    if knows_agents_beforehand(scenario):
        check_agents(factors, list(scenario.spec.agents))
    seeds = scenario.spec.seeds(first=seed, runs=LOOKS[0] if runs is None else runs)
    sides = 2 if factors else 1 + max(1, len(scenario.spec.agents))
    announce = Announcement(sides * len(seeds), default_jobs(scenario, len(seeds)))
    now = present(scenario, seeds, announce)
    found = [what_if(now, factors)] if factors else one_by_one(now, 1 - _FASTER)
    if output == "json":
        print(json.dumps(_as_json(now, found), indent=2, allow_nan=False))  # noqa: T201 - a command prints
    elif factors:
        _print_one(now, found[0])
    else:
        _print_all(now, found)
    return EXIT_PASS


def _factors(faster: Sequence[str], slower: Sequence[str]) -> dict[str, float]:
    """How many times as long as now the attempts of each agent are to take."""
    factors: dict[str, float] = {}
    for option, sign, words in (("--faster", -1, faster), ("--slower", 1, slower)):
        for word in words:
            agent, _, text = word.rpartition("=")
            said = _PERCENT.fullmatch(text.strip())
            if not agent or said is None:
                raise HarnessError(
                    f"{option} {word}: this is not an agent with a percentage\n"
                    f"  How to fix: write it as NAME=PERCENT, such as {option} reviewer=20%"
                )
            percent = float(said[1])
            if percent == 0 or (sign < 0 and percent >= 100):
                why = "which changes nothing" if percent == 0 else "which would take no time at all"
                raise HarnessError(
                    f"{option} {word}: {percent:g} % {option[2:]}, {why}\n"
                    f"  How to fix: give another percentage, such as {option} {agent}=20%"
                )
            if agent in factors:
                raise HarnessError(
                    f"{option} {word}: the speed of {agent} is stated twice\n  How to fix: leave one out"
                )
            factors[agent] = 1 + sign * percent / 100
    return factors


def _print_one(now: Present, found: WhatIf) -> None:
    speeds = ", ".join(_speed(agent, factor) for agent, factor in found.latency_factors.items())
    made = Grid([Column(_metric(now), "key"), *_NUMBERS])
    for it in found.comparisons:
        made.add(
            it.metric,
            measured(it.metric, it.base),
            measured(it.metric, it.candidate),
            change_text(it),
            interval_text(it),
        )
    out = console()
    out.print(Text(printable(f"{now.samples.scenario}: {speeds}, {_seeds(now)}"), style="bold"))
    made.print(out)
    for agent, share in found.path_shares.items():
        out.print(Text(printable(f"{agent} has {share:.1%} of the critical path as it is now")))


_NUMBERS: Final = tuple(map(Column, ("now", "then", "change", "interval")))


def _print_all(now: Present, found: Sequence[WhatIf]) -> None:
    changes = [title for metric in METRICS for title in (metric, "interval")]
    made = Grid([Column("agent", "name"), Column("critical path"), *map(Column, changes)])
    for it in found:
        ((agent, share),) = it.path_shares.items()
        cells = [text(one) for one in it.comparisons for text in (change_text, interval_text)]
        made.add(printable(agent), f"{share:.1%}", *cells)
    out = console()
    head = f"{now.samples.scenario}: every agent in turn {100 * _FASTER:g} % faster, {_seeds(now)}"
    out.print(Text(printable(head), style="bold"))
    made.print(out)
    if now.unvaried:
        names = printable(", ".join(now.unvaried))
        out.print(Text(f"note: not under `agents` in the scenario, so left as they are: {names}"))


def _metric(now: Present) -> str:
    return "metric" if len(now.samples.seeds) == 1 else "metric (mean of seeds)"


def _seeds(now: Present) -> str:
    seeds = now.samples.seeds
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"


def _speed(agent: str, factor: float) -> str:
    return f"{agent} {abs(100 * (1 - factor)):.6g} % {'faster' if factor < 1 else 'slower'}"


def _as_json(now: Present, found: Sequence[WhatIf]) -> JsonObject:
    return {
        "scenario": now.samples.scenario,
        "seed": now.samples.seeds[0],
        "runs": len(now.samples.seeds),
        "what_ifs": [
            {
                "latency_factors": dict(it.latency_factors),
                "path_shares": dict(it.path_shares),
                "metrics": {one.metric: _comparison(one) for one in it.comparisons},
            }
            for it in found
        ],
        "unvaried": list(now.unvaried),
    }


def _comparison(comparison: Comparison) -> Mapping[str, float | str | None]:
    change = comparison.change
    bounds = None if change is None or change.method == "none" else change
    return {
        "now": comparison.base,
        "then": comparison.candidate,
        "change": None if change is None else _finite(change.value),
        "low": None if bounds is None else _finite(bounds.low),
        "high": None if bounds is None else _finite(bounds.high),
        "method": None if change is None else change.method,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
