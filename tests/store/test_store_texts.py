"""Prompts and replies in a store: only of runs that were asked to keep them, and without secrets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.cli import run as command
from harness.run import Simulation
from harness.run.record import record
from harness.spans import as_json_lines
from harness.store import Store, queries
from harness.store.exchange import export_runs, import_runs
from harness.texts import TEXT_MAX

SCENARIO = """
scenario: small
seed: 1
runs: 2
workload: {tasks: 2, kinds: [{kind: question, text: "TEXT"}]}
providers: {anthropic: {}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents: {lead: {model: fast, system: "You lead."}, worker: {model: fast}}
pattern: {pipeline: {stages: [lead, worker]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SCENARIO.replace("TEXT", "What is sk-ant-api03-abcdefghijkl?"))
    return path


def test_no_text_is_kept_unless_somebody_asks(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.duckdb")
    assert command(["simulate", str(file), "--store", str(store.path), "--quiet"]) == 0
    assert queries.texts(store, 1, task=1) == {}
    assert b"What is" not in store.path.read_bytes()
    assert b"has done its part" not in store.path.read_bytes()


def test_asked_for_prompts_and_replies_are_kept_without_secrets(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.duckdb")
    assert command(["simulate", str(file), "--store", str(store.path), "--quiet", "--keep-texts"]) == 0  # fmt: skip
    for run_id in (1, 2):
        lead, worker = queries.texts(store, run_id, task=2).values()
        assert lead == {
            "prompt": "[system]\nYou lead.\n\n[user]\nWhat is [secret]?",
            "reply": "lead has done its part",
        }
        assert worker["prompt"] == "[user]\nlead has done its part"
    assert b"api03" not in store.path.read_bytes()


def test_spans_and_digest_are_the_same_with_and_without_texts(file: Path) -> None:
    without, with_texts = Simulation(file), Simulation(file, keep_texts=True)
    assert with_texts.scenario.digest == without.scenario.digest
    one, other = without.run(), with_texts.run()
    assert as_json_lines(one.spans) == as_json_lines(other.spans)
    assert list(one.events.rows()) == list(other.events.rows())
    assert (len(one.texts), len(other.texts)) == (0, 8)


def test_long_text_keeps_its_ends_and_says_how_much_is_missing(file: Path) -> None:
    file.write_text(SCENARIO.replace("TEXT", "begin " + "word " * 4_000 + "end"))
    found = Simulation(file, keep_texts=True).run().texts
    prompt = found.values("text")[0]
    assert prompt.startswith("[system]\nYou lead.\n\n[user]\nbegin word")
    assert prompt.endswith("word end")
    assert "\n[... 12,036 characters left out ...]\n" in prompt
    assert len(prompt) == TEXT_MAX + len("\n[... 12,036 characters left out ...]\n")


def test_texts_and_models_go_along_to_another_store(file: Path, tmp_path: Path) -> None:
    simulation = Simulation(file, overrides=["models.fast.pool=small"], keep_texts=True)
    store, other = Store(tmp_path / "a.duckdb"), Store(tmp_path / "b.duckdb")
    store.write([record(simulation.scenario, simulation.run())])
    export_runs(store, [1], "csv", tmp_path / "out")
    import_runs(other, [tmp_path / "out"])
    assert queries.texts(other, 1, task=1) == queries.texts(store, 1, task=1) != {}
    with other.reading() as connection:
        assert connection.execute("FROM models").fetchall() == [(1, "anthropic", "fast", "small")]


def test_halves_of_letters_in_a_text_are_spelled_out(file: Path, tmp_path: Path) -> None:
    simulation = Simulation(file, keep_texts=True)
    found = record(simulation.scenario, simulation.run())
    found.texts.extend([1], [1], ["prompt"], ["half \ud800 and \x00 zero"])
    store = Store(tmp_path / "runs.duckdb")
    store.write([dataclasses.replace(found)])
    assert queries.texts(store, 1, task=1)[1]["prompt"] == "half \\ud800 and \x00 zero"
