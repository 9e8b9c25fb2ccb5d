"""Progress of runs in a DuckDB file: across objects and processes, and where the file is none."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from harness import wall
from harness.errors import ScenarioError, StoreError
from harness.run import Simulation
from harness.spans import as_json_lines
from harness.store.checkpoint_file import CheckpointFile

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def simulation(checkpoint: str, folder: Path) -> Simulation:
    """The pipeline, in a folder of its own."""
    text = (SCENARIOS / "pipeline.yaml").read_text("utf-8")
    (folder / "pipeline.yaml").write_text(f"{text}\ncheckpoint: {checkpoint}\n", "utf-8")
    return Simulation(folder / "pipeline.yaml", overrides=["workload.tasks=3"])


def test_value_is_there_for_the_next_to_open_the_file(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "new" / "progress.duckdb")
    assert file.get("a") is None
    assert not file.path.exists()
    file.put("a", "1")
    file.put("a", "2")
    file.put("b", "é\n")
    file.close()
    again = CheckpointFile(file.path)
    assert (again.get("a"), again.get("b"), again.get("c")) == ("2", "é\n", None)
    again.remove()
    assert not file.path.exists()


def test_run_goes_on_from_a_file(tmp_path: Path) -> None:
    run = Simulation(SCENARIOS / "pipeline.yaml", overrides=["workload.tasks=3"]).run
    file = CheckpointFile(tmp_path / "progress.duckdb")
    assert run(1, checkpoint=file, stop_at_event=12).status == "killed"
    file.close()
    resumed = run(1, checkpoint=CheckpointFile(file.path))
    assert resumed.status == "done"
    assert resumed.restored.calls > 0


def test_scenario_names_a_file_and_each_run_has_one_until_it_ends(tmp_path: Path) -> None:
    it = simulation("{storage: {file: progress/p.duckdb}}", tmp_path)
    assert it.run(1, stop_at_event=12).status == "killed"
    assert it.run(2, stop_at_event=12).status == "killed"
    there = sorted(file.name for file in (tmp_path / "progress").iterdir())
    assert [name for name in there if name.endswith("duckdb")] == ["p-1.duckdb", "p-2.duckdb"]
    # Another object, as of another process.
    assert simulation("{storage: {file: progress/p.duckdb}}", tmp_path).run(1).restored.calls > 0
    assert it.run(2).restored.calls > 0
    assert list((tmp_path / "progress").iterdir()) == []


@pytest.mark.parametrize("checkpoint", ["{}", "{storage: memory}"])
def test_scenario_may_keep_progress_in_memory(checkpoint: str, tmp_path: Path) -> None:
    it = simulation(checkpoint, tmp_path)
    it.run(1, stop_at_event=12)
    assert it.run(1).restored.calls > 0
    assert it.run(1).restored.calls == 0


def test_checkpoint_changes_nothing_that_happens(tmp_path: Path) -> None:
    plain = Simulation(SCENARIOS / "pipeline.yaml", overrides=["workload.tasks=3"])
    kept = simulation("{storage: {file: p.duckdb}}", tmp_path)
    assert kept.scenario.digest == plain.scenario.digest
    assert as_json_lines(kept.run(1).spans) == as_json_lines(plain.run(1).spans)


@pytest.mark.parametrize(
    ("checkpoint", "where"),
    [
        ("{storage: disk}", "checkpoint.storage"),
        ("{storage: {file: ''}}", "checkpoint.storage"),
        ("{storage: {folder: x}}", "checkpoint.storage"),
        ("{storage: memory, restart_s: 0}", "checkpoint.restart_s"),
        ("{store: memory}", "unknown key 'store'"),
        ("memory", "checkpoint"),
    ],
)
def test_mistake_in_a_scenario_names_its_place(checkpoint: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as told:
        simulation(checkpoint, tmp_path)
    assert where in str(told.value)


def test_file_that_is_none_of_duckdb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but a text that is long enough to be looked at" * 100, "utf-8")
    with pytest.raises(StoreError, match=r"cannot keep progress in .*notes\.txt"):
        CheckpointFile(path).put("a", "1")
    with pytest.raises(StoreError, match=r"cannot keep progress in .*"):
        CheckpointFile(tmp_path).get("a")


def test_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE progress (percent INTEGER)")
    with pytest.raises(StoreError, match="cannot keep progress"):
        CheckpointFile(path).put("a", "1")


@pytest.mark.slow
def test_process_that_was_killed_is_resumed_by_the_next(tmp_path: Path) -> None:
    simulation("{storage: {file: p.duckdb}}", tmp_path)
    file = str(tmp_path / "pipeline.yaml")
    tasks = ["--set", "workload.tasks=150"]
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "simulate", file, "--runs", "1", "--quiet", *tasks]
    )
    for _ in range(600):
        if (tmp_path / "p-1.duckdb.wal").exists():
            break
        wall.sleep(0.05)
    wall.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert Simulation(file, overrides=tasks[1:]).run(1).restored.calls > 0
