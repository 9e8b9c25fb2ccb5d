"""The spans of every shipped scenario and example are those that `spans.json` holds.

A change of structure keeps them. A change that alters numbers on purpose writes the file again, and names what changed in the
changelog: `python -m tests.digests.test_shipped_spans`. Messages and claims are left out: they follow from the turns of agents and
from their replies, and have tests of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.run import Simulation
from harness.spans import CLAIMS, FALSE_CLAIM, MESSAGE, Table, as_json_lines
from harness.store import Store
from harness.store.queries import event_table, runs, span_table

HOUSE = Path(__file__).parents[2]
DIGESTS = Path(__file__).with_name("spans.json")
SCENARIOS = sorted(
    [*(HOUSE / "scenarios").glob("*.yaml"), *(HOUSE / "examples").glob("*/scenario.yaml")]
)
SEEDS = (1, 7)


def digest(spans: Table, events: Table) -> str:
    noted = Table(events.columns)
    rows = [row for row in events.rows() if not {MESSAGE, CLAIMS, FALSE_CLAIM} & set(row)]
    if rows:
        noted.extend(*map(list, zip(*rows, strict=True)))
    return hashlib.sha256((as_json_lines(spans) + as_json_lines(noted)).encode()).hexdigest()[:16]


def of_scenario(file: Path) -> dict[str, str]:
    """The digest of each seed."""
    simulation = Simulation(file)
    found = {}
    for seed in SEEDS:
        result = simulation.run(seed)
        found[f"seed {seed}"] = digest(result.spans, result.events)
    return found


def of_examples(folder: Path) -> dict[str, str]:
    """The digest of each simulated run of the examples' tests, by test and number."""
    store = folder / "examples.duckdb"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples"]
    done = subprocess.run(  # noqa: PLW1510 - its output is shown when it fails
        [*command, "--sim-store", str(store)],
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    found: dict[str, str] = {}
    for row in runs(Store(store)):
        spans = span_table(Store(store), row["run_id"])
        events = event_table(Store(store), row["run_id"])
        name = f"{row['scenario']} seed {row['seed']} "
        number = sum(other.startswith(name) for other in found)
        found[f"{name}#{number}"] = digest(spans, events)
    return found


def named(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def recorded() -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = json.loads(DIGESTS.read_text(encoding="utf-8"))
    return kept


@pytest.mark.parametrize("file", SCENARIOS, ids=named)
def test_spans_of_a_scenario_are_as_recorded(file: Path) -> None:
    assert of_scenario(file) == recorded()[named(file)]


@pytest.mark.slow
def test_spans_of_the_examples_are_as_recorded(tmp_path: Path) -> None:
    kept = recorded()["examples"]
    found = of_examples(tmp_path)
    assert {name: found.get(name) for name in kept} == kept


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        found = {named(file): of_scenario(file) for file in SCENARIOS}
        found["examples"] = of_examples(Path(scratch))
    DIGESTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
