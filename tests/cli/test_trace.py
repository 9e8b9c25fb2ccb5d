"""`harness trace` and `harness simulate --otel`."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.store import Store
from harness.trace import live
from harness.trace.run import TracedRun

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def _two_runs(harness: Cli) -> None:
    assert harness("simulate", "scenario.yaml", "--quiet", "--runs", 2).returncode == 0


def processes(text: str) -> list[str]:
    return [it["args"]["name"] for it in json.loads(text)["traceEvents"] if it["name"] == "process_name"]  # fmt: skip


@pytest.mark.usefixtures("_two_runs")
def test_the_last_run_goes_through_a_pipe_as_a_chrome_trace(harness: Cli) -> None:
    done = harness("trace", "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert processes(done.stdout) == ["run 2: base, seed 2"]
    assert [file.name for file in Path().glob("*.json")] == []
    assert done.stdout == harness("trace", "2", "-o", "-").stdout


@pytest.mark.usefixtures("_two_runs")
def test_runs_are_named_as_everywhere(harness: Cli) -> None:
    both = ["run 1: base, seed 1", "run 2: base, seed 2"]
    for words in (("1-2",), ("2,1",), ("2", "1"), ("1", "1-2")):
        assert processes(harness("trace", *words, "-o", "-").stdout) == both
    assert processes(harness("trace", "1", "-o", "-").stdout) == both[:1]


@pytest.mark.usefixtures("_two_runs")
@pytest.mark.parametrize("is_terminal", [True, False])
def test_it_goes_into_a_file_on_a_terminal_and_without_one(
    harness: Cli, monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    done = harness("trace")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "wrote run-2.trace.json; open it at https://ui.perfetto.dev\n"
    assert processes(Path("run-2.trace.json").read_text()) == ["run 2: base, seed 2"]
    assert "wrote runs-1-2.trace.json; " in harness("trace", "1-2").stdout


@pytest.mark.usefixtures("_two_runs")
def test_a_file_is_written_over_and_nothing_is_left_beside_it(harness: Cli) -> None:
    Path("x.json").write_text("old")
    before = sorted(Path().iterdir())
    assert harness("trace", "-o", "x.json").returncode == 0
    assert sorted(Path().iterdir()) == before
    assert json.loads(Path("x.json").read_text())["traceEvents"]


@pytest.mark.usefixtures("_two_runs")
def test_every_format_is_what_its_name_says(harness: Cli) -> None:
    text = harness("trace", "--format", "otlp", "-o", "-").stdout
    assert '"gen_ai.operation.name"' in text
    assert len(json.loads(text)["resourceSpans"]) == 1
    assert (
        '"openinference.span.kind"'
        in harness("trace", "--format", "openinference", "-o", "-").stdout
    )


@pytest.mark.usefixtures("_two_runs")
def test_one_task_is_written_alone(harness: Cli) -> None:
    text = harness("trace", "--task", "3", "--format", "otlp", "-o", "-").stdout
    (resource,) = json.loads(text)["resourceSpans"]
    spans = resource["scopeSpans"][0]["spans"]
    assert len({span["traceId"] for span in spans}) == 1
    whole = harness("trace", "--format", "otlp", "-o", "-").stdout
    assert all(f'"spanId":"{span["spanId"]}"' in whole for span in spans)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("trace", "9"), "run 9: there is no run 9 in the store"),
        (("trace", "1-999999999"), "it holds runs 1-2"),
        (("trace", "2-1"), "did you mean 1-2?"),
        (("trace", "one"), "one is neither a run nor a range"),
        (("trace", ""), "neither a run nor a range"),
        (("trace", "harness.duckdb"), "neither a run nor a range"),
        (("trace", "--task", "999"), "run 2 has no task 999\n  How to fix: it has tasks 1-"),
        (("trace", "--task", "0"), "0 is not in the range"),
        (("trace", "--format", "svg"), "'svg' is not one of"),
        (("trace", "--store", "gone.duckdb"), "there is no store"),
        (("trace", "--store", "empty.duckdb"), "holds no runs"),
        (("trace", "-o", "gone/x.json"), "cannot write gone/x.json: No such file or directory"),
        (("trace", "-o", "."), "cannot write ."),
        (("trace", "-o", "x.json", "--endpoint", "http://h"), "--endpoint sends a trace, and -o writes a file"),
        (("trace", "--format", "chrome", "--endpoint", "http://h"), "collectors take no Chrome traces"),
        (("trace", "--endpoint", "h"), "h is not the address of a collector"),
        (("trace", "--endpoint", "http://127.0.0.1:1"), "cannot be reached: "),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("_two_runs")
def test_what_cannot_be_done_is_told_in_one_message_and_leaves_nothing(
    harness: Cli, words: tuple[str, ...], says: str
) -> None:
    Store("empty.duckdb").write([])
    before = sorted(Path().iterdir())
    done = harness(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(Path().iterdir()) == before


@pytest.mark.usefixtures("_two_runs")
def test_a_folder_that_may_not_be_written_is_told(harness: Cli) -> None:
    folder = Path("closed")
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = harness("trace", "-o", "closed/x.json")
    if done.returncode == 0:
        pytest.skip("root may write everywhere")
    assert "cannot write closed/x.json: Permission denied" in done.stderr


def test_runs_are_exported_while_they_are_simulated(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[TracedRun] = []

    class Kept:
        warnings = ("warning: half of it\x1b[31m was lost",)

        def export(self, run: TracedRun) -> None:
            exported.append(run)

        def close(self) -> None:
            exported.append(exported[-1])

    monkeypatch.setattr(live, "LiveExport", Kept)
    done = harness("simulate", "scenario.yaml", "--runs", 2, "--otel")
    assert done.returncode == 0
    assert done.stderr == "warning: half of it?[31m was lost\n"
    assert [(run.run_id, run.seed) for run in exported] == [(None, 1), (None, 2), (None, 2)]
    assert "2 runs" in done.stdout


def test_an_exporter_that_is_not_there_ends_it_before_the_work(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "smoke")
    done = harness("simulate", "scenario.yaml", "--otel")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no trace exporter named 'smoke'" in done.stderr


def test_a_collector_that_is_not_there_costs_no_run(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    done = harness("simulate", "scenario.yaml", "--otel", "--runs", 3, "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    assert "warning: traces were not exported, or not all: OTLPSpanExporter failed" in done.stderr
    assert len(json.loads(harness("runs", "--format", "json").stdout)) == 3
