"""The program as a process: interrupted, killed, run in several processes, under several hash seeds; and how fast it is there."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness import wall
from harness.store import Store, queries

Cli = Callable[..., CompletedProcess[str]]

SCENARIOS = Path(__file__).parents[2] / "scenarios"
STORE = "harness.duckdb"
PATIENCE_S = 60
"""Longer than anything here takes on a machine that is busy."""


def program(*words: object, **environment: str) -> CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


def whole_runs(store: str = STORE) -> int:
    """The number of runs in a store, of which every one has all its tasks and its metrics."""
    with Store(store).reading() as connection:
        runs = connection.execute(
            """
            SELECT run_id, tasks,
                (SELECT count(*) FROM spans WHERE spans.run_id = runs.run_id AND kind = 'task'),
                (SELECT count(*) FROM metrics WHERE metrics.run_id = runs.run_id)
            FROM runs ORDER BY run_id
            """
        ).fetchall()
    for run_id, tasks, task_spans, metrics in runs:
        assert task_spans == tasks, run_id
        assert metrics > 0, run_id
    assert [run[0] for run in runs] == list(range(1, len(runs) + 1))
    return len(runs)


# -- interrupted ------------------------------------------------------------------------------------


def start(*words: str) -> subprocess.Popen[str]:
    """Begin a simulation that takes much longer than anybody waits for it, and wait until it is under way."""
    queue = SCENARIOS / "queue.yaml"
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "simulate", str(queue), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: Path(STORE).exists())
    return process


def wait_until(done: Callable[[], object]) -> None:
    deadline_s = wall.elapsed_s() + PATIENCE_S
    while not done():
        assert wall.elapsed_s() < deadline_s
        wall.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("send", "jobs"), [(os.kill, "1"), (os.kill, "2"), (os.killpg, "2")])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupted_simulation_keeps_the_runs_that_are_done(
    send: Callable[[int, int], None], number: signal.Signals, code: int, jobs: str
) -> None:
    process = start("--runs", "500", "--set", "workload.tasks=300", "--jobs", jobs)
    wall.sleep(1.5)
    send(process.pid, number)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert "Traceback" not in said
    assert ("interrupted; the runs that were done are stored" in said) is (code == 130)
    assert "This is a bug" not in said
    assert whole_runs() < 500
    if jobs == "1":
        assert whole_runs() > 0
    assert sorted(path.name for path in Path().iterdir()) == [STORE, "scenario.yaml"]


DEAF = """
import os, signal, time
import click
from harness.cli import app

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)

def main(**_):
    try:
        Deaf()
        time.sleep(30)
    except KeyboardInterrupt:
        raise click.exceptions.Abort from None  # as click does

app.cli.main = main
raise SystemExit(app.run([]))
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_interruption_that_meets_deaf_ears_comes_again(name: str, code: int) -> None:
    began_s = wall.elapsed_s()
    script = DEAF.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert wall.elapsed_s() - began_s < 20


@pytest.mark.slow
def test_killed_simulation_leaves_a_store_of_whole_runs(harness: Cli) -> None:
    process = start("--runs", "500", "--set", "workload.tasks=20000", "--jobs", "1")
    wait_until(lambda: queries.latest_run_id(Store(STORE)))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGKILL
    done = whole_runs()
    assert done > 0
    assert harness("simulate", "scenario.yaml", "--quiet").returncode == 0
    assert whole_runs() == done + 1


@pytest.mark.slow
def test_workers_end_with_their_parent() -> None:
    process = start("--runs", "500", "--set", "workload.tasks=2000", "--jobs", "2")
    wait_until(lambda: len(members(process.pid)) >= 3)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not members(process.pid))


def members(group: int) -> list[int]:
    """The processes of a group that are alive."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


# -- the same bytes ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hang", "research_assistant", "tool_agent"])
def test_neither_processes_nor_hash_seeds_change_a_byte(harness: Cli, name: str) -> None:
    words = ("simulate", SCENARIOS / f"{name}.yaml", "--runs", "4", "--quiet", "--store")
    assert program(*words, "one.duckdb", "--jobs", "1", PYTHONHASHSEED="0").returncode in (0, 1)
    assert program(*words, "two.duckdb", "--jobs", "2", PYTHONHASHSEED="12345").returncode in (0, 1)
    for run_id in range(1, 5):
        show = ("show", run_id, "--format", "json", "--store")
        one, two = (harness(*show, store) for store in ("one.duckdb", "two.duckdb"))
        assert one.stdout.count('"kind": "task"') > 1
        assert one.stdout == two.stdout
    ones, twos = (queries.runs(Store(store)) for store in ("one.duckdb", "two.duckdb"))
    for one_run, two_run in zip(ones, twos, strict=True):
        differing = {name for name in one_run if one_run[name] != two_run[name]}
        assert differing <= {"wall_s", "written_at"}


@pytest.mark.slow
def test_processes_change_no_number_of_the_report() -> None:
    words = ("simulate", "scenario.yaml", "--runs", "5", "--format", "json", "--jobs")
    one, two = (json.loads(program(*words, jobs).stdout) for jobs in ("1", "2"))
    assert {**one, "run_ids": []} == {**two, "run_ids": []}
    assert (one["run_ids"], two["run_ids"]) == ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])


@pytest.mark.slow
def test_simulations_side_by_side_share_a_store() -> None:
    command = [
        sys.executable,
        "-m",
        "harness",
        "simulate",
        "scenario.yaml",
        "--runs",
        "5",
        "--quiet",
    ]
    together = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(PATIENCE_S) for process in together] == [0, 0, 0]
    assert whole_runs() == 15
    assert set(Counter(run["seed"] for run in queries.runs(Store(STORE))).values()) == {3}


# -- there at once ----------------------------------------------------------------------------------


def test_help_takes_little_more_than_the_import_of_the_package_for_command_lines() -> None:
    def cpu_s(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    both = [(cpu_s("-m", "harness", "--help"), cpu_s("-c", "import click")) for _ in range(3)]
    ours_s, clicks_s = map(min, zip(*both, strict=True))
    assert ours_s < 3 * clicks_s


@pytest.mark.parametrize(
    ("code", "banned"),
    [
        ("import harness", {"simpy", "duckdb", "numpy", "pydantic", "yaml", "click", "rich"}),
        ("import harness.cli", {"simpy", "duckdb", "numpy", "pydantic", "yaml", "rich"}),
        ("import harness.run", {"duckdb", "numpy", "click", "rich", "genai_prices"}),
        # What a worker of a sweep loads, and what the command loads before it starts them.
        (
            "import harness.sweep.work",
            {"duckdb", "click", "rich", "genai_prices", "h11", "scipy", "matplotlib"},
        ),
        (
            "import harness.sweep.work",
            {"harness.gate", "harness.wire", "harness.sweep.driver", "harness.store.exchange"},
        ),
        (
            "import harness.cli.sweep",
            {"duckdb", "numpy", "rich", "h11", "scipy", "matplotlib", "harness.report"},
        ),
    ],
)
def test_import_loads_nothing_heavy(code: str, banned: set[str]) -> None:
    tell = f"{code}\nimport sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", tell], capture_output=True, text=True, check=True
    )
    assert not banned & set(loaded.stdout.split())
