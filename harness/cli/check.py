"""`harness check`: whether one seed of a scenario gives one execution, and the probable cause if not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.errors import HarnessError
from harness.printable import printable
from harness.run.digest import Digest, as_json, digest_of_run, from_json
from harness.run.sameness import Five, judge, told
from harness.run.watched_files import files_written
from harness.scenario import load_scenario

HASH_SEEDS = ("1", "1", "2")
"""Of the fresh processes."""


def check_file(file: Path, *, seed: int | None, overrides: Sequence[str]) -> int:
    """Run one seed of a scenario five times, and compare.

    Args:
        file: The scenario.
        seed: The seed; None means the scenario's.
        overrides: Changes to the scenario, each as `path=value`.

    Returns:
        The exit code.
    """
    scenario = load_scenario(file, overrides=overrides)
    seed = scenario.spec.seeds(first=seed, runs=1)[0]
    here = [digest_of_run(scenario, seed) for _ in range(2)]
    fresh = [_in_fresh_process(file, seed, overrides, hash_seed) for hash_seed in HASH_SEEDS]
    verdict = judge(Five(*here, *fresh))
    if verdict is not None:
        print(printable(told(verdict)))  # noqa: T201 - a command prints
        return EXIT_FAILED
    calls, rows = len(here[0].exchanges), len(here[0].spans)
    compared = f"{calls} calls, {rows} spans and events" if calls else f"{rows} spans and events"
    print(  # noqa: T201 - see above
        f"seed {seed} gives one execution: 5 runs are the same, in this process and in 3 others ({compared})"
    )
    return EXIT_PASS


def write_digest(file: Path, *, seed: int | None, overrides: Sequence[str], to: Path) -> int:
    """Run one seed of a scenario, and write its digest to a file; called in a fresh process."""
    scenario = load_scenario(file, overrides=overrides)
    with files_written() as written:
        digest = digest_of_run(scenario, scenario.spec.seeds(first=seed, runs=1)[0])
    to.write_text(as_json(replace(digest, written=tuple(sorted(written)))), encoding="utf-8")
    return EXIT_PASS


def _in_fresh_process(file: Path, seed: int, overrides: Sequence[str], hash_seed: str) -> Digest:
    with TemporaryDirectory() as folder:
        digest = Path(folder, "digest.json")
        words = ["-m", "harness", "check", str(file), "--seed", str(seed), "--digest", str(digest)]
        words += [word for override in overrides for word in ("--set", override)]
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, *words],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != EXIT_PASS or not digest.exists():
            raise HarnessError(
                f"a fresh process could not run the scenario:\n{done.stderr.strip()}"
            )
        return from_json(digest.read_text(encoding="utf-8"))
