"""`harness compare`: runs, stores and baseline files against one another."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pytest

from harness.gate import SimulatedSide, save_baseline
from harness.scenario import load_scenario
from harness.store import Store

Cli = Callable[..., CompletedProcess[str]]

SLOWER = ("--set", "models.fast.latency={ttft_s: 2, itl_s: 0.01}")
DEARER = ("--set", "models.fast.prices={input_usd_per_mtok: 1.05, output_usd_per_mtok: 5.25}")


def simulate(harness: Cli, *words: str, store: str = "harness.duckdb", runs: int = 8) -> None:
    done = harness("simulate", "scenario.yaml", "--quiet", "--runs", runs, "--store", store, *words)
    assert done.returncode == 0, done.stderr


def found(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def two_versions(harness: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs 1-8 of `base`, and runs 9-16 of one that is slower."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    simulate(harness)
    simulate(harness, *SLOWER)


# -- what is compared -------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_versions")
def test_slower_version_fails_and_the_sentence_says_why(harness: Cli) -> None:
    done = harness("compare", "1-8", "9-16")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "base: baseline runs 1-8 against candidate runs 9-16, 8 seeds"
    assert any("latency_s_p95" in line and line.endswith("regressed ") for line in lines)
    assert any(line.startswith("latency_s_mean: ") and "critical path" in line for line in lines)
    assert any(line.split()[:2] == ["writer", "work"] and "fast" in line for line in lines)
    assert lines[-1].startswith("FAIL. ")


@pytest.mark.usefixtures("two_versions")
def test_same_runs_are_identical(harness: Cli) -> None:
    result = harness("compare", "1-8", "8,1-7", "--format", "json")
    assert result.returncode == 0
    metrics = found(result)["metrics"].values()
    assert {metric["status"] for metric in metrics} == {"identical"}


@pytest.mark.usefixtures("two_versions")
def test_two_single_runs_of_two_seeds_are_inconclusive(harness: Cli) -> None:
    done = harness("compare", "1", "2")
    assert (done.returncode, done.stderr) == (4, "")
    assert "one run is not enough; run more seeds" in done.stdout
    assert "share no seed" in done.stdout


def test_stores_and_parts_of_them_are_sides(harness: Cli) -> None:
    simulate(harness, store="old.duckdb")
    simulate(harness, store="new.duckdb")
    simulate(harness, *SLOWER, store="new.duckdb")
    for base, candidate, code in (
        ("old.duckdb", "new.duckdb:1-8", 0),
        ("old.duckdb", "new.duckdb:9-16", 1),
        ("new.duckdb:9-16", "old.duckdb", 0),
        ("old.duckdb:1-4,8", "new.duckdb:9,10,11-12,16", 1),
    ):
        done = harness("compare", base, candidate, "--format", "json")
        assert (done.returncode, done.stderr) == (code, ""), (base, candidate)
    done = harness("compare", "old.duckdb:1-4,8", "new.duckdb:9-16", "--format", "json")
    assert found(done)["metrics"]["latency_s_mean"]["seeds"] == 5
    assert not Path("harness.duckdb").exists()


def test_store_whose_name_has_a_colon_is_a_store(harness: Cli) -> None:
    simulate(harness, store="at:12")
    assert harness("compare", "at:12", "at:12:1-8").returncode == 0


@pytest.mark.usefixtures("two_versions")
def test_baseline_file_is_a_side(harness: Cli) -> None:
    side = SimulatedSide(load_scenario("scenario.yaml"))
    metrics = ["latency_s_mean", "latency_s_p95", "cost_usd_mean", "success_rate"]
    save_baseline(Path("base.json"), side(range(1, 9)), metrics=metrics)
    assert harness("compare", "base.json", "1-8").returncode == 0
    done = harness("compare", "base.json", "9-16")
    assert done.returncode == 1
    assert "baseline base.json against candidate runs 9-16" in done.stdout
    assert "critical path" not in done.stdout  # a baseline file holds no spans
    assert harness("compare", "9-16", "base.json").returncode == 0


@pytest.mark.usefixtures("two_versions")
def test_limits_can_be_set_and_left_out(harness: Cli) -> None:
    ratio = found(harness("compare", "1-8", "9-16", "--format", "json"))["metrics"]
    high = max(metric["high"] for metric in ratio.values())
    allowed = f"{100 * high + 1:.0f}%"
    limits = [f"--limit=latency_s_mean={allowed}", f"--limit=latency_s_p95={allowed}"]
    assert harness("compare", "1-8", "9-16", *limits).returncode == 0
    limits = ["--limit=latency_s_mean=20%:warn", "--limit=latency_s_p95=ignore"]
    done = harness("compare", "1-8", "9-16", *limits)
    assert done.returncode == 0
    assert "regressed (warn)" in done.stdout
    assert "critical path" in done.stdout


def test_dearer_version_is_explained_by_the_agent_that_costs_more(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, *DEARER)
    metrics = found(harness("compare", "1-8", "9-16", "--format", "json"))["metrics"]
    assert metrics["cost_usd_mean"]["status"] == "regressed"
    assert metrics["cost_usd_mean"]["change"] == pytest.approx(0.05)
    assert "costs $" in metrics["cost_usd_mean"]["why"][0]
    assert metrics["latency_s_mean"]["why"] == []


@pytest.mark.usefixtures("two_versions")
def test_runs_in_real_time_are_not_paired(harness: Cli) -> None:
    result = found(harness("compare", "1-8", "9-16", "--engine", "live", "--format", "json"))
    assert result["candidate"]["engine"] == "live"
    assert any(note.startswith("Not paired") for note in result["notes"])
    assert result["metrics"]["latency_s_mean"]["why"] == []


# -- several scenarios ------------------------------------------------------------------------------


def test_scenario_that_both_have_is_compared(harness: Cli) -> None:
    simulate(harness, store="old.duckdb")
    simulate(harness, "--set", "scenario=gone", store="old.duckdb")
    simulate(harness, store="new.duckdb")
    simulate(harness, "--set", "scenario=added", store="new.duckdb")
    result = found(harness("compare", "old.duckdb", "new.duckdb", "--format", "json"))
    assert (result["scenario"], result["verdict"]) == ("base", "pass")


def test_scenario_is_chosen_when_both_have_several(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, "--set", "scenario=other")
    done = harness("compare", "harness.duckdb", "harness.duckdb")
    assert (done.returncode, done.stdout) == (2, "")
    assert "several scenarios in common: harness.duckdb holds base, other;" in done.stderr
    assert "choose one of them with --scenario" in done.stderr
    words = ("compare", "harness.duckdb", "harness.duckdb", "--format", "json", "--scenario")
    assert found(harness(*words, "other"))["scenario"] == "other"
    done = harness(*words, "third")
    assert done.returncode == 2
    assert "harness.duckdb holds no runs of third, only of base, other" in done.stderr


def test_other_scenario_is_nothing_to_compare_with(harness: Cli) -> None:
    simulate(harness)
    simulate(harness, "--set", "scenario=other")
    done = harness("compare", "1-8", "9-16")
    assert (done.returncode, done.stderr) == (3, "")
    assert "other scenario: base against other" in done.stdout
    simulate(harness, "--set", "scenario=third")
    done = harness("compare", "1-8", "9-24")
    assert done.returncode == 2
    assert "no scenario in common: runs 1-8 holds base; runs 9-24 holds other, third" in done.stderr


@pytest.mark.usefixtures("two_versions")
def test_side_of_several_versions_is_told_which_runs_are_of_which(harness: Cli) -> None:
    done = harness("compare", "harness.duckdb", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "harness.duckdb holds several versions: runs 1-8 of base (" in done.stderr
    assert "name the runs of one of them, such as harness.duckdb:9-16" in done.stderr


# -- formats ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_versions")
def test_every_format_says_the_same(harness: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def printed(output: str) -> str:
        done = harness("compare", "1-8", "9-16", "--format", output)
        assert (done.returncode, done.stderr) == (1, "")
        return done.stdout

    assert json.loads(printed("json"))["exit_code"] == 1
    assert printed("markdown").startswith("### 🔴 Gate: fail\n")
    (suite,) = ET.fromstring(printed("junit"))
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    assert printed("github").count("::error ") == 2
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    printed("table")
    assert Path("summary.md").read_text() == printed("markdown")


@pytest.mark.usefixtures("two_versions")
def test_summary_that_cannot_be_written_is_told(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/proc/nothing/summary.md")
    done = harness("compare", "1-8", "1-8")
    assert done.returncode == 2
    assert "cannot write the summary /proc/nothing/summary.md" in done.stderr


# -- what cannot be compared ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1", "99"), "run 99: there is no run 99 in the store"),
        (("1", "9-999999999"), "it holds runs 1-16"),
        (("1", "0"), "there is no run 0"),
        (("8-1", "1"), "8-1 ends before it begins; did you mean 1-8?"),
        (
            ("1", "1..8"),
            "there is no file 1..8, and this is neither a run nor a range of runs\n  How to fix: name a run",
        ),
        (("1", "2,"), "there is no file 2,"),
        (("1", "9" * 5000), "neither a run nor a range of runs"),
        (("1", "gone.duckdb"), "there is no file gone.duckdb"),
        (("1", "gone.duckdb:1-8"), "gone.duckdb:1-8: there is no file gone.duckdb, and"),
        (("1", "harness.duckdb:99"), "there is no run 99"),
        (("1", "harness.duckdb:one"), "there is no file harness.duckdb:one"),
        (("1", ""), "neither a run nor a range of runs"),
        (("1", "notes.txt"), "notes.txt: it is not a DuckDB database"),
        (
            ("1", "scenario.yml"),
            "scenario.yml: the file does not exist; did you mean 'scenario.yaml'?",
        ),
        (("1", "."), "is a folder"),
        (("1", "gone.json"), "there is no baseline gone.json"),
        (("cut.json", "1"), "the baseline cut.json is not JSON; it may be cut off"),
        (("1", "empty.duckdb"), "holds no runs, so there is nothing to compare"),
        (("1", "empty.duckdb:1"), "holds no runs, so there is nothing to compare"),
        (("1", "2", "--store", "gone.duckdb"), "there is no store"),
        (("1", "2", "--limit", "latency=1%"), "there is no metric 'latency'"),
        (("1", "2", "--limit", "cost_usd_mean=1"), "'1' is not a limit"),
        (("1",), "Missing argument 'CAND'"),
    ],
)
@pytest.mark.usefixtures("two_versions")
def test_side_that_is_not_there_is_told_in_one_message(
    harness: Cli, words: tuple[str, ...], says: str
) -> None:
    Store("empty.duckdb").write([])
    Path("cut.json").write_text('{"harness_baseline": 1, "scen')
    Path("notes.txt").write_text("no database")
    done = harness("compare", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("gone.duckdb").exists()


@pytest.mark.usefixtures("two_versions")
def test_store_that_stays_locked_is_told_with_who_holds_it(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = {"patience_wall_s": 0.1}
    monkeypatch.setattr(Store.__init__, "__kwdefaults__", impatient)
    program = (
        "import duckdb; c = duckdb.connect('harness.duckdb'); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = harness("compare", "1-8", "9-16")
        holder.communicate("\n")
    assert done.returncode == 2
    assert f"is in use by another process (PID {holder.pid})" in done.stderr


@pytest.mark.usefixtures("two_versions")
def test_store_without_spans_is_compared_and_not_explained(harness: Cli) -> None:
    shutil.copy("harness.duckdb", "bare.duckdb")
    with duckdb.connect("bare.duckdb") as connection:
        connection.execute("DELETE FROM spans")
    done = harness("compare", "bare.duckdb:1-8", "bare.duckdb:9-16")
    assert (done.returncode, done.stderr) == (1, "")
    assert "critical path" not in done.stdout


# -- scenarios ---------------------------------------------------------------------------------------


def test_a_scenario_is_compared_with_a_change_of_it(harness: Cli) -> None:
    Path("scenario.yaml").write_text(Path("scenario.yaml").read_text() + "runs: 8\n")
    done = harness("compare", "scenario.yaml", "scenario.yaml", *SLOWER)
    assert (done.returncode, done.stderr) == (1, "")
    assert "candidate scenario.yaml --set models.fast.latency" in done.stdout
    assert "Every agent of fast" in done.stdout
    assert harness("compare", "scenario.yaml", "scenario.yaml").returncode == 0


@pytest.mark.usefixtures("two_versions")
def test_a_scenario_meets_the_seeds_of_the_stored_side(harness: Cli) -> None:
    result = found(
        harness("compare", "1-3", "scenario.yaml", "--format", "json", "--limit", "retries=0%")
    )
    assert result["candidate"]["seeds"] == [1, 2, 3]


@pytest.mark.usefixtures("two_versions")
def test_a_change_of_runs_that_are_there_is_refused(harness: Cli) -> None:
    done = harness("compare", "1-8", "9-16", *SLOWER)
    assert done.returncode == 2
    assert "9-16 names runs that are there" in done.stderr
    assert "harness compare 1-8 scenario.yaml --set" in done.stderr


def test_a_baseline_file_and_runs_are_explained(harness: Cli) -> None:
    assert harness("baseline", "save", "scenario.yaml", "-o", "b.json").returncode == 0
    simulate(harness, *SLOWER)
    done = harness("compare", "b.json", "1-8")
    assert done.returncode == 1
    assert "Every agent of fast" in done.stdout
