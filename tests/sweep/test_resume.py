"""A sweep whose driver is killed is resumed by the same command, with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from harness import wall
from harness.store import Store
from harness.sweep import Sweeping, plan_of
from harness.sweep.axes import axis_of
from harness.sweep.engines import Processes
from harness.sweep.points import points_of
from tests.sweep.test_driver import bytes_of, wanted

HOUSE = Path(__file__).parents[2]
GRID = "agents.writer.output_tokens=100..500:5"
PATIENCE_S = 120


def test_killed_driver_is_resumed(
    file: Path, store: Store, harness: Callable[..., CompletedProcess[str]]
) -> None:
    words = ["sweep", str(file), "--grid", GRID, "--runs", "8", "--set", "workload.tasks=600"]
    words += ["--store", str(store.path), "--shards", "shards", "--jobs", "2"]
    driver = begun(words)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    done = harness(*words)
    assert done.returncode == 0, done.stderr
    assert "40 runs" in done.stderr
    plan = plan_of(file, points_of([axis_of(GRID)]), overrides=["workload.tasks=600"], runs=8)
    alone = Store("alone.duckdb")
    Sweeping(alone, Processes(1)).ensure(wanted(plan))
    assert bytes_of(plan, store) == bytes_of(plan, alone)


def test_interrupted_driver_says_so_in_one_line(file: Path, store: Store) -> None:
    words = ["sweep", str(file), "--grid", GRID, "--runs", "8", "--set", "workload.tasks=600"]
    driver = begun([*words, "--store", str(store.path), "--shards", "shards", "--jobs", "2"])
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=PATIENCE_S)
    assert driver.returncode == 130
    assert said.splitlines()[1:] == ["", "interrupted; the runs that were done are stored"]


def begun(words: list[str]) -> subprocess.Popen[str]:
    """A sweep of which the first runs are made."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline_s = wall.elapsed_s() + PATIENCE_S
    while not list(Path("shards").glob("*.runs")) and driver.poll() is None:
        assert wall.elapsed_s() < deadline_s
        wall.sleep(0.01)
    return driver
