"""`harness history`: a metric over stored versions, and the commit at which it changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import pytest

from harness.run.commit import commit_of

Cli = Callable[..., CompletedProcess[str]]

P95 = ("--metric", "latency_s_p95")
SLOWER = ("--set", "models.fast.latency={ttft_s: 2, itl_s: 0.01}")
SLOWEST = ("--set", "models.fast.latency={ttft_s: 4, itl_s: 0.01}")


def git(*words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    """Commit everything, and forget which commit was there before, as another process would."""
    git("add", "scenario.yaml")
    git("commit", "--quiet", "--allow-empty", "--message", "another")
    commit_of.cache_clear()
    return git("rev-parse", "HEAD")


def simulate(harness: Cli, *words: str, seed: int = 1, runs: int = 2) -> None:
    done = harness("simulate", "scenario.yaml", "--quiet", "--seed", seed, "--runs", runs, *words)
    assert done.returncode == 0, done.stderr


def groups(harness: Cli, *words: str) -> list[dict[str, Any]]:
    done = harness("history", *P95, "--format", "json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)["groups"]
    return found


def statuses(found: Sequence[dict[str, Any]]) -> list[str]:
    return [group["status"] for group in found]


@pytest.fixture
def repository() -> None:
    git("init", "--quiet")


@pytest.mark.usefixtures("repository")
def test_first_commit_at_which_a_value_changed_is_marked(harness: Cli) -> None:
    first = commit()
    simulate(harness)
    second = commit()
    simulate(harness)
    text = Path("scenario.yaml").read_text()
    Path("scenario.yaml").write_text(text.replace("output_tokens: 50}", "output_tokens: 90}"))
    third = commit()
    simulate(harness)
    found = groups(harness)
    assert [group["commit_id"] for group in found] == [first, second, third]
    assert statuses(found) == ["first", "identical", "changed"]
    assert [group["is_first_change"] for group in found] == [False, False, True]
    assert [group["run_ids"] for group in found] == [[1, 2], [3, 4], [5, 6]]
    assert found[2]["changed_seeds"] == [1, 2]
    said = harness("history", *P95)
    assert (said.returncode, said.stderr) == (0, "")
    assert (
        f"First changed in runs 5-6, commit {third[:8]}: 2 of 2 seeds. "
        "What else is new there: the commit and the scenario.\n"
    ) in said.stdout
    (marked,) = [line for line in said.stdout.splitlines() if "first change)" in line]
    assert marked.split()[2:6] == [third[:8], found[2]["scenario_hash"][:8], "0.1.0", "5-6"]


@pytest.mark.usefixtures("repository")
def test_files_that_differ_from_the_commit_are_told_by_a_sign(harness: Cli) -> None:
    head = commit()
    Path("scenario.yaml").write_text(Path("scenario.yaml").read_text() + "\n")
    simulate(harness)
    assert [group["commit_id"] for group in groups(harness)] == [f"{head}+"]
    assert f" {head[:8]}+ " in harness("history", *P95).stdout


def test_runs_without_git_have_no_commit(harness: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(harness)
    monkeypatch.setenv("PATH", "")
    commit_of.cache_clear()
    simulate(harness, *SLOWER)
    assert [group["commit_id"] for group in groups(harness)] == [None, None]
    said = harness("history", *P95).stdout
    assert "First changed in runs 3-4: 2 of 2 seeds. What else is new there: the scenario." in said


@pytest.mark.usefixtures("repository")
def test_repository_without_a_commit_has_none_to_tell(harness: Cli) -> None:
    simulate(harness)
    assert [group["commit_id"] for group in groups(harness)] == [None]


def test_seeds_are_compared_with_the_last_run_of_the_same_seed(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, *SLOWER, seed=3)
    simulate(harness, *SLOWEST, seed=2)
    simulate(harness, *SLOWER, seed=3)
    found = groups(harness)
    assert statuses(found) == ["first", "no common seed", "changed", "changed"]
    assert [group["common_seeds"] for group in found] == [0, 0, 2, 2]
    assert [group["changed_seeds"] for group in found] == [[], [], [2, 3], [3]]
    assert [group["is_first_change"] for group in found] == [False, False, True, False]


def test_runs_of_one_version_are_one_line_with_mean_least_and_most(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, seed=2, runs=3)
    (group,) = groups(harness)
    assert (group["run_ids"], group["seeds"]) == ([1, 2, 3, 4, 5], [1, 2, 3, 4])
    runs = json.loads(harness("runs", "--format", "json").stdout)
    values = {run["seed"]: run["metrics"]["latency_s_p95"] for run in runs}.values()
    assert group["mean"] == pytest.approx(sum(values) / 4)
    assert (group["min"], group["max"]) == (min(values), max(values))


def test_version_ends_where_a_seed_gets_another_value(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, *SLOWER)
    with duckdb.connect("harness.duckdb") as connection:
        connection.execute("UPDATE runs SET scenario_hash = 'same'")
    found = groups(harness)
    assert statuses(found) == ["first", "changed"]
    assert "nothing that is kept of a run" in harness("history", *P95).stdout


def test_scenarios_have_histories_of_their_own(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, "--set", "scenario=other", *SLOWER)
    simulate(harness)
    found = groups(harness)
    assert [(group["scenario"], group["status"]) for group in found] == [
        ("base", "first"),
        ("other", "first"),
    ]
    assert found[0]["run_ids"] == [1, 2, 5, 6]
    assert [group["scenario"] for group in groups(harness, "--scenario", "other")] == ["other"]
    assert "1-2,5-6" in harness("history", *P95).stdout


def test_last_versions_can_be_had_alone_and_are_still_compared(harness: Cli) -> None:
    for words in ((), SLOWER, SLOWEST):
        simulate(harness, *words)
    assert statuses(groups(harness, "--last", "1")) == ["changed"]
    assert "First changed in runs 3-4" in harness("history", *P95, "--last", "1").stdout


def test_metric_that_no_run_measured_is_said_to_be_absent(harness: Cli) -> None:
    simulate(harness)
    done = harness("history", "--metric", "quality_mean")
    assert done.returncode == 0
    assert "not measured" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--metric", "latency_p95"), "no metric 'latency_p95'; did you mean 'latency_s_p95'?"),
        (("--metric", "beauty"), "known are latency_s_mean, "),
        (P95, "there is no store"),
        ((*P95, "--store", "scenario.yaml"), "it is not a DuckDB database"),
    ],
)
def test_what_is_not_there_has_no_history(harness: Cli, words: tuple[str, ...], says: str) -> None:
    done = harness("history", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_no_runs_are_said_to_be_none(harness: Cli) -> None:
    simulate(harness)
    done = harness("history", *P95, "--scenario", "nothing")
    assert (done.returncode, done.stdout) == (0, "no runs of nothing in harness.duckdb\n")
    assert groups(harness, "--scenario", "nothing") == []


def test_the_metric_is_the_p95_of_the_latency_unless_another_is_named(harness: Cli) -> None:
    assert harness("simulate", "scenario.yaml", "--quiet", "--runs", 2).returncode == 0
    shown = harness("history").stdout
    assert shown == harness("history", *P95).stdout
    assert "mean of seeds" in shown
