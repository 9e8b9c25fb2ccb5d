"""Worker processes that cannot start, or cannot be given what they are to do, are told in one message."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.errors import HarnessError
from harness.run import Simulation

HOUSE = Path(__file__).parents[2]
SCENARIO = HOUSE / "scenarios" / "hang.yaml"

MANY = (
    f"from harness import Simulation; print(Simulation({str(SCENARIO)!r}).run_many(4, jobs=2).runs)"
)

SWEEP = f"""
from harness.errors import HarnessError
from harness.store import Store
from harness.sweep import Sweeping, engine_of, plan_of
from harness.sweep.axes import axis_of
from harness.sweep.points import points_of

plan = plan_of({str(SCENARIO)!r}, points_of([axis_of("workload.tasks=2,3")]), runs=2)
wanted = [(it.number, scenario, plan.seeds) for it, scenario in zip(plan.points, plan.scenarios)]
sweeping = Sweeping(Store("sweep.duckdb"), engine_of("processes", jobs=2, most=1))
try:
    sweeping.ensure(wanted)
except HarnessError as error:
    print(error)
print("given up:", sweeping.given_up)
"""

COMMAND = f"""
import sys
from harness.cli import run
sys.exit(run(["simulate", {str(SCENARIO)!r}, "--runs", "4", "--jobs", "2"]))
"""

TWICE = f"if __name__ != '__main__': raise ValueError('not twice')\n{MANY}"

OWN = f"""
from harness import Simulation
def seed_of(result): return result.seed
Simulation({str(SCENARIO)!r}).run_many(4, jobs=2, reduce=seed_of)
"""


def python(*words: str, stdin: str = "") -> CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_program_that_workers_would_begin_again_is_told_to_guard_what_it_starts() -> None:
    Path("program.py").write_text(SWEEP, encoding="utf-8")
    done = python("program.py")
    assert done.stdout.startswith("this program starts worker processes whenever it is imported")
    assert "How to fix: put what it starts below `if __name__ == '__main__':`" in done.stdout
    assert done.stdout.endswith("given up: []\n")
    assert done.stderr == ""


def test_program_on_standard_input_is_told_that_it_has_no_file() -> None:
    done = python("-", stdin=SWEEP)
    assert done.stdout.startswith("worker processes import the program that starts them, and ")
    assert done.stdout.endswith("given up: []\n")
    assert done.stderr == ""


def test_command_whose_workers_cannot_start_exits_with_2() -> None:
    done = python("-", stdin=COMMAND)
    assert done.returncode == 2
    assert "there is no file <stdin>" in done.stderr
    assert "Traceback" not in done.stderr


def test_program_that_fails_when_it_is_imported_is_named_below_what_it_has_printed() -> None:
    Path("program.py").write_text(TWICE, encoding="utf-8")
    said = python("program.py").stderr
    assert "ValueError: not twice" in said
    _, _, message = said.partition("HarnessError: ")
    assert message.startswith("no worker process could start: one ended with exit code 1")
    assert "see that `import program` works by itself" in message


def test_function_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"cannot be sent to a worker process: .*<lambda>"):
        Simulation(SCENARIO).run_many(4, jobs=2, reduce=lambda result: result.seed)


def test_function_that_workers_cannot_import_is_refused() -> None:
    said = python("-c", OWN).stderr
    assert "a worker process cannot find what was sent to it: Can't get attribute 'seed_of'" in said
    assert "How to fix: define classes and functions in a module that can be imported" in said


def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.util.spawnv_passfds", refuse)
    with pytest.raises(HarnessError, match="can be started: Resource temporarily unavailable"):
        Simulation(SCENARIO).run_many(4, jobs=2)
