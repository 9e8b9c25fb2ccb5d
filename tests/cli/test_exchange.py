"""`harness export` and `harness import`: runs on their way from one store to another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.store import Store, queries

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def four_runs(harness: Cli) -> None:
    done = harness("simulate", "scenario.yaml", "--quiet", "--runs", 4)
    assert done.returncode == 0, done.stderr


def said(done: CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def seeds(store: str) -> list[int]:
    return [row["seed"] for row in queries.runs(Store(store))]


@pytest.mark.usefixtures("four_runs")
@pytest.mark.parametrize("form", ["parquet", "csv", "arrow"])
def test_run_looks_the_same_in_the_store_that_it_is_taken_to(harness: Cli, form: str) -> None:
    (line,) = said(harness("export", "--format", form, "-o", "out"))
    assert line.startswith("exported runs 1-4 with ")
    assert line.endswith(" spans to out; take them in elsewhere with: harness import out")
    assert said(harness("import", "out", "--store", "other.duckdb")) == [
        "imported 4 from out as runs 1-4 of other.duckdb"
    ]
    for run_id in (1, 4):
        shown = harness("show", run_id, "--format", "json").stdout
        assert (
            shown == harness("show", run_id, "--format", "json", "--store", "other.duckdb").stdout
        )
        assert shown.count("\n") > 10
    lists = [
        harness("runs", "--store", store).stdout for store in ("harness.duckdb", "other.duckdb")
    ]
    assert lists[0] == lists[1]


@pytest.mark.usefixtures("four_runs")
@pytest.mark.parametrize(
    ("words", "found", "told"),
    [
        ((), [1, 2, 3, 4], "runs 1-4"),
        (("3",), [3], "run 3"),
        (("4", "1-2"), [1, 2, 4], "runs 1-2,4"),
        (("1-2,4", "2"), [1, 2, 4], "runs 1-2,4"),
    ],
)
def test_runs_are_named_as_elsewhere(
    harness: Cli, words: tuple[str, ...], found: list[int], told: str
) -> None:
    (line,) = said(harness("export", *words))
    assert line.startswith(f"exported {told} with ")
    assert line.endswith("harness import harness-export")
    said(harness("import", "harness-export", "--store", "other.duckdb"))
    assert seeds("other.duckdb") == found


@pytest.mark.usefixtures("four_runs")
def test_runs_that_are_there_already_are_told(harness: Cli) -> None:
    said(harness("export", "2-3", "-o", "out"))
    said(harness("export", "1", "-o", "one", "--format", "csv"))
    assert said(harness("import", "out", "one")) == [
        "imported 2 from out as runs 5-6 of harness.duckdb",
        "note: equal runs, of the same scenario and seed, were there already: runs 2-3",
        "imported 1 from one as run 7 of harness.duckdb",
        "note: equal runs, of the same scenario and seed, were there already: run 1",
    ]
    assert seeds("harness.duckdb") == [1, 2, 3, 4, 2, 3, 1]


@pytest.mark.usefixtures("four_runs")
def test_imported_runs_are_compared_with_those_at_home(harness: Cli) -> None:
    said(harness("export", "-o", "out"))
    said(harness("import", "out", "--store", "other.duckdb"))
    done = harness("compare", "harness.duckdb", "other.duckdb")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("identical") == 4


@pytest.mark.usefixtures("four_runs")
def test_name_of_a_folder_cannot_move_the_cursor(harness: Cli) -> None:
    (line, *more) = said(harness("export", "-o", "a\x1b[2Jb\u202e"))
    assert ("\x1b" in line, "\u202e" in line, more) == (False, False, [])
    done = harness("import", "gone\x1b[2J")
    assert (done.returncode, "\x1b" in done.stderr) == (2, False)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export", "9"), "run 9: there is no run 9 in the store"),
        (("export", "1", "3-999999999"), "it holds runs 1-4"),
        (("export", "4-1"), "4-1 ends before it begins; did you mean 1-4?"),
        (
            ("export", "all"),
            "all: this is neither a run nor a range of runs\n  How to fix: name a run, such as 12",
        ),
        (("export", "1,"), "1,: this is neither a run nor a range of runs"),
        (("export", "--store", "gone.duckdb"), "there is no store"),
        (("export", "--store", "empty.duckdb"), "holds no runs, so there is nothing to export"),
        (("export", "--store", "scenario.yaml"), "it is not a DuckDB database"),
        (("export", "-o", "full"), "full already exists"),
        (("export", "-o", "scenario.yaml"), "already exists"),
        (("export", "-o", "scenario.yaml/out"), "cannot write the export"),
        (("export", "--format", "xlsx"), "'xlsx' is not one of 'parquet', 'csv', 'arrow'"),
        (("import",), "Missing argument 'FOLDER...'"),
        (("import", "gone"), "gone is not an export: gone/manifest.json cannot be read"),
        (("import", "full"), "full is not an export"),
        (("import", "scenario.yaml"), "scenario.yaml is not an export"),
        (("import", "good", "cut"), "the export cut is damaged: spans.parquet is not the file"),
        (("import", "good", "--store", "scenario.yaml"), "it is not a DuckDB database"),
        (("import", "good", "--store", "."), "is a folder"),
    ],
)
@pytest.mark.usefixtures("four_runs")
def test_what_is_wrong_is_told_in_one_message_and_nothing_is_done(
    harness: Cli, words: tuple[str, ...], says: str
) -> None:
    Store("empty.duckdb").write([])
    Path("full").mkdir()
    Path("full/mine").write_text("mine")
    said(harness("export", "-o", "good"))
    shutil.copytree("good", "cut")
    Path("cut/spans.parquet").write_bytes(Path("cut/spans.parquet").read_bytes()[:-1])
    before = sorted(Path().rglob("*"))
    done = harness(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(Path().rglob("*")) == before
    assert seeds("harness.duckdb") == [1, 2, 3, 4]
