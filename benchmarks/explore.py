"""How well `sim.explore` finds planted bugs, and whether it is silent about programs that have none.

    python -m benchmarks.explore                         # the whole zoo, alone and beside the crowd, then 300 healthy programs
    python -m benchmarks.explore --half A --healthy 40   # what a change is tuned on
    python -m benchmarks.explore --only two_leaders

Each search ends with the planted bug, or with its budget. Targets: a single deviation is found in 50 runs (median 10), a
pair in 300 (median 50), a tie in 10, an outside cancellation in 25; each is shrunk to the planted minimum in 20; nothing is
found in fixed twins and healthy programs.
"""

from __future__ import annotations

import argparse
import functools
import logging
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.explore.exploration import Exploration, Finding
from harness.sim import Sim
from tests.zoo.crowd import beside_the_crowd, describe_crowd
from tests.zoo.healthy import NUMBER, healthy
from tests.zoo.planted import Planted
from tests.zoo.table import HALF_OF, TABLE

ENDLESS = frozenset({"deadlock", "livelock", "leak"})


@dataclass(frozen=True)
class Measured:
    """What came of one search."""

    bug: Planted
    crowded: bool
    searched: Exploration
    found: Finding | None
    """The planted bug, as it was found."""
    cpu_s: float

    @property
    def others(self) -> list[Finding]:
        """What else was found: another bug of the program than the planted one, or a false alarm."""
        return [it for it in self.searched.findings if it is not self.found]


def is_planted(bug: Planted, finding: Finding) -> bool:
    """Whether a finding is the bug that was planted."""
    if bug.by_check:
        return finding.kind == "check" or (
            bug.kind == "repeated effect" and finding.kind == "repeated_effect"
        )
    return finding.kind in ENDLESS or finding.kind == "KeyError"


def searched(
    program: Callable[[], Any],
    describe: Iterable[Callable[[Sim], None]],
    check: Callable[[Any], None],
    runs: int,
    on_finding: Callable[[Finding], object] | None = None,
) -> Exploration:
    """Search one program."""
    sim = Sim()
    for each in describe:
        each(sim)
    return sim.explore(program, check=check, runs=runs, wall_s=600.0, on_finding=on_finding)


def measured(bug: Planted, runs: int, *, crowded: bool, fixed: bool = False) -> Measured:
    """Search a program of the zoo until the planted bug is found."""
    found: list[Finding] = []

    def stop(finding: Finding) -> None:
        if is_planted(bug, finding):
            found.append(finding)
            raise KeyboardInterrupt  # ends a search, which keeps what was found

    program = bug.fixed if fixed else bug.program
    describe = [bug.describe]
    if crowded:
        program = beside_the_crowd(program)
        describe.append(describe_crowd)
    began_s = time.process_time()
    result = searched(program, describe, bug.check, runs, None if fixed else stop)
    took_s = time.process_time() - began_s
    return Measured(bug, crowded, result, found[0] if found else None, took_s)


def told(it: Measured) -> str:
    """One line about one search."""
    head = f"{HALF_OF[it.bug.name]} {'crowd' if it.crowded else 'alone'} {it.bug.kind:<20} {it.bug.name:<36}"
    if it.found is None:
        result = f"NOT FOUND in {it.searched.runs} runs"
    else:
        size, planted = len(it.found.overrides), len(it.bug.minimum)
        differs = "" if size == planted else f" (PLANTED {planted})"
        result = (
            f"run {it.found.runs_until_found:>3} ({it.found.strategy}), {it.found.deviations_when_found} deviations, "
            f"{it.found.runs_to_shrink:>2} more runs to {size}{differs}"
        )
    others = "".join(f"\n      also {other.kind}: {other.message[:120]}" for other in it.others)
    lost = "".join(
        f"\n      not reproducible: {text[:120]}" for text in it.searched.not_reproducible
    )
    return f"{head} {result}, {it.cpu_s:.1f} s{others}{lost}"


def table(results: list[Measured]) -> str:
    """What was found of each kind, by half."""
    lines = [
        f"{'':<28}{'found':>9}{'runs':>8}{'max':>6}{'shrink':>8}{'max':>6}{'minimal':>9}{'CPU s':>8}"
    ]
    for crowded in sorted({it.crowded for it in results}):
        for half in sorted({HALF_OF[it.bug.name] for it in results}):
            part = [it for it in results if it.crowded == crowded and HALF_OF[it.bug.name] == half]
            lines.append(f"half {half}, {'beside the crowd' if crowded else 'alone'}")
            groups = {
                "one deviation": [it for it in part if len(it.bug.minimum) == 1],
                "two deviations": [it for it in part if len(it.bug.minimum) == 2],
            }
            for it in part:
                groups.setdefault(f"  {it.bug.kind}", []).append(it)
            lines += [_line(name, group) for name, group in groups.items() if group]
    return "\n".join(lines)


def _line(name: str, group: list[Measured]) -> str:
    found = [(it, it.found) for it in group if it.found is not None]
    line = f"{name:<28}{f'{len(found)}/{len(group)}':>9}"
    if not found:
        return line
    until = [finding.runs_until_found for _, finding in found]
    shrunk = [finding.runs_to_shrink for _, finding in found]
    minimal = sum(len(finding.overrides) == len(it.bug.minimum) for it, finding in found)
    return (
        f"{line}{statistics.median(until):>8.0f}{max(until):>6}{statistics.median(shrunk):>8.0f}{max(shrunk):>6}"
        f"{f'{minimal}/{len(found)}':>9}{sum(it.cpu_s for it in group):>8.1f}"
    )


def false_alarms(number: int, runs: int) -> int:
    """Search healthy programs; returns how much was found in them."""
    count = 0
    for seed in range(number):
        it = healthy(seed)
        result = searched(it.program, [it.describe], it.check, runs)
        count += len(result.findings)
        for finding in result.findings:
            print(f"  {it.name}: {finding.kind}: {finding.message[:160]}", flush=True)
            print("    " + "\n    ".join(map(str, finding.overrides)), flush=True)
    return count


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=["A", "B"])
    parser.add_argument("--only", action="append", help="the name of a bug; may be repeated")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--alone", action="store_true", help="not beside the crowd")
    parser.add_argument("--fixed", action="store_true", help="the fixed twins as well")
    parser.add_argument("--healthy", type=int, default=NUMBER, help="how many healthy programs")
    said = parser.parse_args()

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # Nobody uses the TLS context of a client, and making one takes longer than a simulated call.
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]  # the same, once
    bugs = [
        bug
        for bug in TABLE
        if said.half in (None, HALF_OF[bug.name]) and (not said.only or bug.name in said.only)
    ]
    results: list[Measured] = []
    for crowded in (False,) if said.alone else (False, True):
        for bug in bugs:
            results.append(measured(bug, said.runs, crowded=crowded))
            print(told(results[-1]), flush=True)
    print(f"\n{table(results)}\n")
    alarms = 0
    if said.fixed:
        for bug in bugs:
            twin = measured(bug, said.runs, crowded=False, fixed=True)
            alarms += len(twin.searched.findings)
            for finding in twin.searched.findings:
                print(f"  {bug.name}, fixed: {finding.kind}: {finding.message[:160]}")
        print(f"{alarms} findings in {len(bugs)} fixed twins (target: 0)")
    if not said.only:
        in_healthy = false_alarms(said.healthy, said.runs)
        print(f"{in_healthy} findings in {said.healthy} healthy programs (target: 0)")
        alarms += in_healthy
    missed = [it for it in results if it.found is None]
    return 1 if missed or alarms else 0


if __name__ == "__main__":
    sys.exit(main())
