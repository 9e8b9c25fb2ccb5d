"""`harness simulate --live`: the same pattern on the real clock. `harness serve` is the real API; these tests wait a little."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import load_cassette
from harness.cli.app import run
from harness.models.live import Heard
from harness.store import Store, queries
from harness.units import Usage

SCENARIO = """
scenario: desk
workload: {tasks: 2}
providers:
  anthropic: {}
  openai: {}
models:
  deep: {provider: anthropic, name: claude-sonnet-4-6, latency: {ttft_s: 2, itl_s: 0.01}}
  fast: {provider: openai, name: gpt-4o-mini, latency: {ttft_s: 1, itl_s: 0.01}}
tools:
  search: {latency_s: 0.01, result: three hits}
agents:
  writer: {model: deep, system: You write., stub: stub.yaml, tools: [search]}
  editor: {model: fast, system: You edit., stub: stub.yaml}
pattern:
  pipeline: {stages: [writer, editor]}
faults:
  - {overloaded: {agent: writer, call: 1, attempt: 1}}
policies:
  default: {retry: {attempts: 2, first_wait_s: 0.01}}
"""
STUB = """
agents:
  writer: {replies: [{text: "I look", tool_calls: [{tool: search, arguments: {q: x}}]}, a draft]}
  editor: {reply: a text}
"""


@pytest.fixture(autouse=True)
def _desk(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("desk.yaml").write_text(SCENARIO)
    Path("real.yaml").write_text(SCENARIO.replace("faults:\n  - {overloaded: {agent: writer, call: 1, attempt: 1}}\n", ""))  # fmt: skip
    Path("stub.yaml").write_text(STUB)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api03-real-and-secret-0123456789")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-real-and-secret-0123456789")


@contextmanager
def served() -> Iterator[list[str]]:
    """The options that lead a live run to a server, which stands in for the real APIs."""
    command = [sys.executable, "-m", "harness", "serve", "real.yaml", "--port", "0"]
    command += ["--speed", "40", "--store", "served.duckdb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" at ")[1].split(";")[0]
        try:
            yield ["--base-url", f"anthropic={url}", "--base-url", f"openai={url}/v1"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def attempts() -> list[dict[str, Any]]:
    store = Store("harness.duckdb")
    run_id = queries.latest_run_id(store)
    assert run_id is not None
    return [row for row in queries.spans(store, run_id) if row["kind"] == "attempt"]


def test_the_same_pattern_runs_live_and_leaves_spans_and_a_cassette(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with served() as where:
        words = ["simulate", "desk.yaml", "--live", "--max-usd", "1", "--cassette", "live.yaml"]
        assert run([*words, *where, "--format", "json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert result["engine"] == "live"
    assert 0 < result["spent_usd"] < 1
    assert "at most $1 is spent" in said.err
    assert "spent $" in said.err
    found = attempts()
    assert [(row["task"], row["agent"]) for row in found] == [
        (1, "writer"),
        (1, "editor"),
        (2, "writer"),
        (2, "editor"),
    ]
    assert {row["status"] for row in found} == {"ok"}
    for row in found:
        assert row["start_s"] < row["first_token_s"] <= row["end_s"] < 5
        assert row["input_tokens"] > 0
        assert row["output_tokens"] > 0
    assert sum(row["cost_usd"] for row in found) == pytest.approx(result["spent_usd"])
    cassette = load_cassette("live.yaml")
    assert [one.agent for one in cassette.interactions].count("editor") == 2
    assert "real-and-secret" not in Path("live.yaml").read_text()
    assert "--live" in queries.runs(Store("harness.duckdb"))[-1]["command"]


@pytest.mark.parametrize("model", ["deep", "fast"])
def test_tools_that_a_model_calls_are_used_and_their_results_go_back(model: str) -> None:
    for file in ("desk.yaml", "real.yaml"):
        text = Path(file).read_text().replace("pipeline: {stages: [writer, editor]}", "react: {agent: writer}")  # fmt: skip
        Path(file).write_text(text.replace("model: deep", f"model: {model}"))
    with served() as where:
        words = ["simulate", "desk.yaml", "--live", "--max-usd", "1", "--set", "workload.tasks=1"]
        assert run([*words, "--cassette", "live.yaml", *where, "--quiet"]) == 0
    assert [(row["agent"], row["status"]) for row in attempts()] == [("writer", "ok")] * 2
    second = load_cassette("live.yaml").interactions[1].request.json["messages"]
    assert "three hits" in json.dumps(second[-1])
    assert "search" in json.dumps(second[-2])


def test_the_cap_holds_and_what_was_done_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with served() as where:
        code = run(
            ["simulate", "desk.yaml", "--live", "--max-usd", "0.02", "--set",
             "workload={tasks: 6, arrivals: {at_s: [0, 0, 0, 0, 0, 0]}}", *where, "--format", "json"]
        )  # fmt: skip
    said = capsys.readouterr()
    assert code == 1
    result = json.loads(said.out)
    assert result["calls_not_made"] > 0
    assert result["spent_usd"] <= 0.02
    assert "calls were not made" in said.err
    assert {row["error"] for row in attempts() if row["status"] == "error"} == {"spending_cap"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--live"], "needs a cap"),
        (["--max-usd", "1"], "--max-usd goes with --live"),
        (["--cassette", "a.yaml"], "--cassette goes with --live"),
        (["--live", "--max-usd", "0"], "0"),
        (["--live", "--max-usd", "1", "--base-url", "x"], "write it as PROVIDER=URL"),
        (["--live", "--max-usd", "1", "--base-url", "x=http://a"], "no provider 'x'"),
        (["--live", "--max-usd", "1", "--cassette", "stub.yaml"], "there is a cassette already"),
        (
            ["--live", "--max-usd", "1", "--set", "models.deep.name=my-own"],
            "prices of deep are not",
        ),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_asked(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ["--set", "models.deep.latency={ttft_s: 1}"] if "models.deep.name=my-own" in words else []  # fmt: skip
    assert run(["simulate", "desk.yaml", *words, *extra]) == 2
    assert said in capsys.readouterr().err


class Interrupting:
    """A real API in the middle of whose second answer somebody interrupts."""

    def __init__(self) -> None:
        self.asks = 0

    def asked(self, *_: object) -> dict[str, Any]:
        return {}

    async def ask(self, *_: object) -> Heard:
        self.asks += 1
        if self.asks == 2:
            raise KeyboardInterrupt
        return Heard("a draft", usage=Usage(10, 2))

    async def close(self) -> None:
        pass


def test_what_was_paid_for_is_kept_when_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Interrupting()
    monkeypatch.setattr("harness.run.live.live_api", lambda *_: api)
    assert run(["simulate", "desk.yaml", "--live", "--max-usd", "1", "--runs", "3"]) == 130
    assert "interrupted; what was done until then is stored" in capsys.readouterr().err
    assert api.asks == 2
    assert [row["status"] for row in attempts()] == ["ok", "cancelled"]
    assert len(queries.runs(Store("harness.duckdb"))) == 1


def test_without_a_key_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert run(["simulate", "desk.yaml", "--live", "--max-usd", "1"]) == 2
    assert "set OPENAI_API_KEY" in capsys.readouterr().err


def test_a_program_of_ones_own_is_recorded_instead(capsys: pytest.CaptureFixture[str]) -> None:
    Path("own.yaml").write_text("scenario: own\nworkload: {tasks: 1}\ntarget: json:dumps\n")
    assert run(["simulate", "own.yaml", "--live", "--max-usd", "1"]) == 2
    assert "harness record" in capsys.readouterr().err
