"""`harness sweep` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]

SCENARIO = """
scenario: swept
runs: 3
workload: {tasks: 6, arrivals: {poisson: {rate_per_s: 0.5}}}
providers: {anthropic: {concurrency: 1}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}, deep: {provider: anthropic, name: claude-sonnet-4-5}}
agents: {writer: {model: fast, output_tokens: 100}}
pattern: {single: {agent: writer}}
"""


@pytest.fixture(autouse=True)
def _file() -> None:
    Path("swept.yaml").write_text(SCENARIO, encoding="utf-8")


GRID = ("--grid", "agents.writer.model=fast,deep", "--grid", "workload.tasks=4..6:3")


def test_table_page_and_json_tell_the_same(harness: Cli) -> None:
    done = harness("sweep", "swept.yaml", *GRID)
    assert done.returncode == 0, done.stderr
    assert "6 points x 3 seeds = 18 runs" in done.stderr
    assert "18 runs were made now" in done.stdout
    assert Path("reports/sweep-swept.html").is_file()
    again = harness("sweep", "swept.yaml", *GRID, "--format", "json")
    assert "18 are stored already" in again.stderr
    found = json.loads(again.stdout)
    assert [point["values"]["workload.tasks"] for point in found["points"]] == ["4", "5", "6"] * 2
    assert all(point["runs"] == 3 for point in found["points"])
    page = json.loads(Path("reports/sweep-swept.json").read_text(encoding="utf-8"))
    assert [section["key"] for section in page["sections"]] == [
        "verdict",
        "curves",
        "maps",
        "effects",
    ]


def test_status_tells_what_is_done_and_runs_nothing(harness: Cli) -> None:
    assert "0 of 18 runs" in harness("sweep", "swept.yaml", *GRID, "--status").stdout
    harness(
        "sweep", "swept.yaml", "--grid", "agents.writer.model=deep", "--grid", "workload.tasks=6"
    )
    assert "3 of 18 runs" in harness("sweep", "swept.yaml", *GRID, "--status").stdout
    found = json.loads(harness("sweep", "swept.yaml", *GRID, "--status", "--format", "json").stdout)
    assert (found["done"], found["runs"]) == (3, 18)


def test_section_of_the_file_says_what_options_do_not(harness: Cli) -> None:
    text = SCENARIO + (
        "sweep:\n"
        "  grid:\n"
        "    agents.writer.model: [fast, deep]\n"
        "    workload.tasks: 4..6:2\n"
        "  runs: 2\n"
        "  while: [latency_s_p95<1000]\n"
        "  metrics: [latency_s_p95]\n"
        "  pass_k: 2\n"
    )
    Path("swept.yaml").write_text(text, encoding="utf-8")
    found = json.loads(harness("sweep", "swept.yaml", "--format", "json").stdout)
    assert [point["values"] for point in found["points"]][:2] == [
        {"agents.writer.model": "fast", "workload.tasks": "4"},
        {"agents.writer.model": "fast", "workload.tasks": "6"},
    ]
    assert all(point["holds"] == "yes" and point["pass_k"] == [1, 1] for point in found["points"])
    assert all(list(point["metrics"]) == ["latency_s_p95"] for point in found["points"])


def test_section_changes_no_run(harness: Cli) -> None:
    harness("simulate", "swept.yaml", "--quiet")
    Path("swept.yaml").write_text(
        SCENARIO + "sweep: {grid: {workload.tasks: [6]}}\n", encoding="utf-8"
    )
    done = harness("sweep", "swept.yaml")
    assert "0 runs were made now" in done.stdout, done.stderr


def test_capacity_is_found_and_the_code_says_whether(harness: Cli) -> None:
    found = harness(
        "sweep", "swept.yaml", "--find", "max", "workload.tasks", "--while", "calls_mean<=1",
        "--between", "1..3", "--runs", "2", "--format", "json",
    )  # fmt: skip
    assert found.returncode == 0
    assert json.loads(found.stdout)["holds_at"] == 3
    never = harness(
        "sweep", "swept.yaml", "--find", "min", "workload.tasks", "--while", "calls_mean>1", "--between", "1..3", "--runs", "2"
    )  # fmt: skip
    assert never.returncode == 1
    assert "no value of workload.tasks was found" in never.stdout


def test_sweep_in_which_nothing_worked_is_not_green(harness: Cli) -> None:
    broken = "faults=[{status: {status: 400}}]"
    done = harness("sweep", "swept.yaml", "--grid", "workload.tasks=2,3", "--set", broken)
    assert done.returncode == 1
    assert "No task succeeded at 2 of 2 points" in done.stdout


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ((), "nothing says what to change"),
        (("--grid", "agents.writr.model=fast"), "writr"),
        (("--grid", "workload.tasks=many"), "workload.tasks"),
        (("--grid", "workload.tasks=1..1000000:1000000"), "2 to 10,000"),
        (("--grid", "workload.tasks=1..5000:5000", "--grid", "agents.writer.output_tokens=1..200:200"), "1,000,000 points"),
        (("--grid", "workload.tasks="), "empty"),
        (("--zip", "workload.tasks=1,2", "--zip", "agents.writer.model=fast"), "different number"),
        (("--grid", "workload.tasks=1,2", "--sample", "sobol:3"), "no sample"),
        (("--grid", "workload.tasks=1,2", "--while", "latncy_s_mean<3"), "did you mean"),
        (("--grid", "workload.tasks=1,2", "--engine", "spark"), "no such engine"),
        (("--grid", "workload.tasks=1,2", "--engine", "nowhere:pool"), "nowhere"),
        (("--grid", "workload.tasks=1,2", "--engine", "dask://"), "dask://HOST:PORT"),
        (("--grid", "workload.tasks=1,2", "--engine", "dask://localhost:99999"), "dask://HOST:PORT"),
        (("--grid", "workload.tasks=1,2", "--shards", "swept.yaml"), "cannot write runs to the folder"),
        (("--grid", "workload.tasks=1,2", "--engine", "engines_of_mine:no_pool"), "there is no cluster"),
        (("--grid", "workload.tasks=1,2", "--engine", "engines_of_mine:refusing"), "took no job: RuntimeError('no quota')"),
        (("--find", "max", "workload.tasks"), "what must hold"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "--grid", "a=1"), "one key"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "--between", "1,2"), "no range"),
        (("--find", "max", "agents.writer.model", "--while", "calls_mean<2"), "no number above 0"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "--status"), "no list of runs"),
        (("--find", "max", "seed", "--while", "calls_mean<2", "--between", "1..3"), "same runs"),
        (("--grid", "seed=1,2"), "same runs"),
        (("--grid", "workload.tasks=1,2", "--grid", "budgets.success_rate.at_least=0.5,0.9"), "same runs"),
        (("--grid", "workload.tasks=1,2", "--set", "workload.tasks=3"), "other values"),
        (("--grid", "workload.tasks=1,2", "--metric", "latncy_s_p95"), "did you mean"),
        (("--grid", "workload.tasks=1,2", "--between", "1..2"), "there is no --find"),
        (("--grid", "workload.tasks=1,2", "--precision", "0.02"), "there is no --find"),
        (("--grid", "workload.tasks=1,2", "--max-runs", "3"), "there is neither"),
        (("--grid", "workload.tasks=1,2", "--max-cpu", "3"), "there is neither"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "--metric", "calls_mean"), "--metric is about"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "--pass-k", "2"), "--pass-k is about"),
        (("--find", "max", "workload.tasks", "--while", "calls_mean<2", "-o", "pages"), "--output is about"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_with_exit_code_2(
    harness: Cli, words: tuple[str, ...], word: str
) -> None:
    Path("engines_of_mine.py").write_text(ENGINES, encoding="utf-8")
    done = harness("sweep", "swept.yaml", *words)
    assert done.returncode == 2, done.stdout
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize(
    ("section", "word"),
    [
        ("{grid: {workload.tasks: []}}", "a range such as 0.1..2.0:8, not an empty list"),
        ("{zip: {workload.tasks: 5}}", "a range such as 0.1..2.0:8, not 5"),
        ("{grid: {workload.tasks: 1..9}, sample: sobol:3}", "write latin:20 or random:20"),
    ],
)
def test_what_is_wrong_with_a_section_is_said_once(harness: Cli, section: str, word: str) -> None:
    Path("swept.yaml").write_text(f"{SCENARIO}sweep: {section}\n", encoding="utf-8")
    done = harness("sweep", "swept.yaml")
    assert done.returncode == 2, done.stdout
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1


ENGINES = """\
def pool():
    from concurrent.futures import ThreadPoolExecutor
    return ThreadPoolExecutor(2)

def no_pool():
    raise RuntimeError("there is no cluster")

def refusing():
    from concurrent.futures import ThreadPoolExecutor
    class Refusing(ThreadPoolExecutor):
        def submit(self, *_):
            raise RuntimeError("no quota")
    return Refusing(1)
"""


def test_engine_may_be_a_function_of_a_module_in_this_folder(harness: Cli) -> None:
    Path("engines_of_mine.py").write_text(ENGINES, encoding="utf-8")
    words = ("--grid", "workload.tasks=1,2", "--runs", "2")
    there = harness("sweep", "swept.yaml", *words, "--engine", "engines_of_mine:pool")
    assert there.returncode == 0, there.stderr
    again = harness("sweep", "swept.yaml", *words)
    assert "4 are stored already" in again.stdout + again.stderr
