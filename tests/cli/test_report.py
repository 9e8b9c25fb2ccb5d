"""`harness report`: pages of runs, of comparisons, and the way in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from harness.gate import SimulatedSide, save_baseline
from harness.metrics import DEFAULT_LIMITS
from harness.scenario import load_scenario

Cli = Callable[..., CompletedProcess[str]]

SLOWER = ("--set", "models.fast.latency={ttft_s: 2, itl_s: 0.01}")


@pytest.fixture
def two_versions(harness: Cli) -> None:
    """Runs 1-3 of `base`, and runs 4-6 of one that is slower."""
    for more in ((), SLOWER):
        done = harness("simulate", "scenario.yaml", "--quiet", "--runs", 3, *more)
        assert done.returncode == 0, done.stderr


def report_of(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.usefixtures("two_versions")
def test_without_a_name_it_is_about_what_was_simulated_last(harness: Cli, tmp_path: Path) -> None:
    done = harness("report")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote reports/runs-4-6.html, ")
    reports = tmp_path / "reports"
    assert report_of(reports, "runs-4-6")["runs"] == [4, 5, 6]
    files = sorted(it.name for it in reports.iterdir())
    pictures = [name for name in files if name.endswith(".png")]
    assert len(pictures) > 5
    assert {*files} - {*pictures} == {
        "index.html",
        "runs-4-6.html",
        "runs-4-6.json",
        "runs-4-6.trace.json",
    }
    json.loads((reports / "runs-4-6.trace.json").read_text(encoding="ascii"))


@pytest.mark.usefixtures("two_versions")
def test_equal_runs_of_one_version_are_counted_once(harness: Cli, tmp_path: Path) -> None:
    harness("simulate", "scenario.yaml", "--quiet", "--runs", 2, *SLOWER)
    harness("report")
    assert report_of(tmp_path / "reports", "runs-6-8")["runs"] == [6, 7, 8]


@pytest.mark.usefixtures("two_versions")
def test_comparison_has_the_verdict_of_the_gate(harness: Cli, tmp_path: Path) -> None:
    done = harness("report", "4-6", "--base", "1-3", "-o", "there")
    assert (done.returncode, done.stderr) == (0, "")
    report = report_of(tmp_path / "there", "runs-4-6-against-1-3")
    assert (report["verdict"], report["tone"]) == ("Worse than allowed", "bad")
    compared = json.loads(harness("compare", "1-3", "4-6", "--format", "json").stdout)
    (table,) = [
        block["table"]
        for section in report["sections"]
        if section["key"] == "comparison"
        for block in section["blocks"]
    ]
    shown = {row[0]: row[1:4] for row in table["rows"]}
    for metric, found in {**compared["metrics"], **compared["not_gated"]}.items():
        assert shown[metric] == [found["baseline"], found["candidate"], found["change"]]
    page = (tmp_path / "there" / "runs-4-6-against-1-3.html").read_text(encoding="utf-8")
    assert "critical path" in page
    assert "writer" in page


@pytest.mark.usefixtures("two_versions")
def test_limits_are_those_of_the_command_line(harness: Cli, tmp_path: Path) -> None:
    generous = [f"--limit={metric}=900%" for metric in ("latency_s_mean", "latency_s_p95")]
    harness("report", "4-6", "--base", "1-3", *generous)
    report = report_of(tmp_path / "reports", "runs-4-6-against-1-3")
    assert report["verdict"] != "Worse than allowed"


@pytest.mark.usefixtures("two_versions")
def test_base_may_be_a_baseline_file(harness: Cli, tmp_path: Path) -> None:
    scenario = load_scenario(tmp_path / "scenario.yaml")
    samples = SimulatedSide(scenario)([1, 2, 3])
    save_baseline(tmp_path / "before.json", samples, metrics=DEFAULT_LIMITS)
    done = harness("report", "4-6", "--base", "before.json")
    assert (done.returncode, done.stderr) == (0, "")
    report = report_of(tmp_path / "reports", "runs-4-6-against-before.json")
    assert report["base_runs"] is None
    assert report["verdict"] == "Worse than allowed"


@pytest.mark.usefixtures("two_versions")
def test_index_leads_to_every_report(harness: Cli, tmp_path: Path) -> None:
    harness("report", "2")
    harness("report", "4-6", "--base", "1-3")
    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert 'href="run-2.html">run-2.html</a>' in page
    assert 'href="runs-4-6-against-1-3.html"' in page
    assert '<a href="run-2.html">2</a>' in page, "the run itself leads to its report"
    assert "6 runs in harness.duckdb" in page


@pytest.mark.usefixtures("two_versions")
def test_drawn_again_it_is_the_same(harness: Cli, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        harness("report", "4-6", "--base", "1-3", "-o", folder)
    one, two = (
        {it.name: it.read_bytes() for it in (tmp_path / folder).iterdir()}
        for folder in ("one", "two")
    )
    assert one == two


@pytest.mark.usefixtures("two_versions")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["9"], "there is no run 9 in the store"),
        (["x"], "x is neither a run nor a range"),
        (["3-1"], "3-1 ends before it begins; did you mean 1-3?"),
        (["3-4"], "a report is about one version of one scenario, and these are several"),
        (["4", "--base", "nowhere"], "nowhere: there is no file nowhere"),
        (["4", "--base", "1-4"], "holds several versions"),
        (["4", "--base", "1", "--limit", "nonsense=1%"], "nonsense"),
        (["--store", "none.duckdb"], "there is no store"),
        (["4", "-o", "scenario.yaml"], "cannot write the report to scenario.yaml"),
    ],
)
def test_what_is_wrong_is_said_once_and_nothing_is_left(
    harness: Cli, tmp_path: Path, words: list[str], message: str
) -> None:
    done = harness("report", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_empty_store_has_nothing_to_report(harness: Cli, tmp_path: Path) -> None:
    from harness.store import Store

    Store(tmp_path / "harness.duckdb").write([])
    done = harness("report")
    assert done.returncode == 2
    assert "holds no runs" in done.stderr


@pytest.mark.usefixtures("two_versions")
def test_one_task_of_the_newest_or_a_named_run_is_a_page(harness: Cli, tmp_path: Path) -> None:
    for words, name in ((("--task", 2), "base-run-6-task-2"), ((1, "--task", 1), "base-run-1-task-1")):  # fmt: skip
        done = harness("report", *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"wrote reports/{name}.html, 2 files beside it, and reports/index.html\n"  # fmt: skip
        assert f"{name}.html" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("two_versions")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("1-3", "--task", 2), "--task draws one task of one run"),
        (("1", "--task", 2, "--base", "2"), "--task draws one task of one run"),
        (("1", "--task", 9), "run 1 has no task 9; it has 4"),
        (("99", "--task", 1), "there is no run 99"),
        (("1", "--task", 0), "0 is not in the range"),
    ],
)
def test_what_is_not_one_task_is_refused(harness: Cli, words: tuple[str, ...], says: str) -> None:
    done = harness("report", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not Path("reports").exists()
