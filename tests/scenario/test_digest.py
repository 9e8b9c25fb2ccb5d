"""The digest changes when a run can change, and only then; equal digest and seed mean equal runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.scenario import LoadedScenario, load_scenario

Write = Callable[[str, str], str]

BASE = Path(__file__).with_name("base.yaml").read_text(encoding="utf-8")
FILE = "scenario.yaml"
STUB = "replies.yaml"


def load(text: str, *overrides: str) -> LoadedScenario:
    Path(FILE).write_text(text, encoding="utf-8")
    return load_scenario(FILE, overrides=overrides)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scenario: base", "# a comment\nscenario:   base   # and another"),
        ("seed: 1", "seed: 1\ndescription: What is this?"),
        ("seed: 1", "seed: 99"),
        ("seed: 1", "seed: 1\nruns: 50"),
        ("success_rate: {at_least: 0.1}", "latency_s_p95: {below: 3}"),
        ("budgets:\n  success_rate: {at_least: 0.1}\n", ""),
        ("  default: {timeout_s: 60}", "  default:\n    timeout_s: 60"),
    ],
)
def test_digest_stays_when_no_run_changes(old: str, new: str) -> None:
    assert old in BASE
    assert load(BASE.replace(old, new)).digest == load(BASE).digest


DECIDING = [
    ("tasks: 4", "tasks: 5"),
    ("tasks: 4", "tasks: 4\n  warmup_tasks: 1"),
    ("every_s: 5", "every_s: 6"),
    ("every_s: 5", "poisson: {rate_per_s: 5}"),
    ("input_tokens: 100", "input_tokens: 101"),
    ("concurrency: 2", "concurrency: 3"),
    ("claude-haiku-4-5", "claude-sonnet-4-5"),
    ("latency_s: 1", "latency_s: 2"),
    ("output_tokens: 50}", "output_tokens: 51}"),
    ("[writer, editor]", "[editor, writer]"),
    ("timeout_s: 60", "timeout_s: 61"),
    ("probability: 0.1", "probability: 0.2"),
    ("seed: 1", "horizon_s: 100"),
]


@pytest.mark.parametrize(("old", "new"), DECIDING)
def test_digest_changes_with_everything_that_decides_a_run(old: str, new: str) -> None:
    assert old in BASE
    assert load(BASE.replace(old, new)).digest != load(BASE).digest


def test_digest_changes_with_a_change_by_set_as_with_one_in_the_file() -> None:
    assert (
        load(BASE, "workload.tasks=5").digest == load(BASE.replace("tasks: 4", "tasks: 5")).digest
    )
    assert load(BASE, "workload.tasks=5").digest != load(BASE).digest
    assert load(BASE, "runs=5").digest == load(BASE).digest


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("{reply: a}", "{reply: a}  # a comment\n", True),
        ("{reply: a}", "\n    {reply: a}", True),
        ("{reply: a}", "{reply: a, allow_unused: true}", True),
        ("{reply: a}", "{reply: b}", False),
        ("{replies: [a]}", "{replies: [a, b]}", False),
        ("{replies: [a]}", "{reply: a}", False),
        ("{replies: [a]}", "{replies: [a], when_exhausted: repeat}", False),
        ("{rules: [{prompt: x, reply: a}]}", "{rules: [{prompt: y, reply: a}]}", False),
        ("{rules: [{prompt: x, reply: a}]}", "{rules: [{prompt_regex: x, reply: a}]}", False),
        ("{reply: {text: a}}", "{reply: {text: a, tool_calls: [{tool: search}]}}", False),
    ],
)  # fmt: skip
def test_digest_changes_with_what_a_stub_says(before: str, after: str, same: bool) -> None:
    text = BASE.replace("writer: {model: fast,", f"writer: {{model: fast, stub: {STUB},")
    digests = []
    for said in (before, after):
        Path(STUB).write_text(f"agents:\n  writer: {said}\n", encoding="utf-8")
        digests.append(load(text).digest)
    assert (digests[0] == digests[1]) is same


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{every_s: 5}", "{trace: {file: rows.csv, time: at}}"),
        ("input_tokens: 100", "input_tokens: {empirical: {file: rows.csv}}"),
        ("latency_s: 1", "latency_s: {empirical: {file: rows.csv}}"),
    ],
)
def test_digest_changes_with_the_rows_of_a_file_of_numbers(
    written: Write, old: str, new: str
) -> None:
    written("rows.csv", "at\n0\n1\n")
    before = load(BASE.replace(old, new)).digest
    written("rows.csv", "at\n0\n2\n")
    assert load(BASE.replace(old, new)).digest != before


def test_digest_changes_with_the_file_of_a_function(written: Write) -> None:
    text = BASE.replace(
        "writer: {model: fast,", "writer: {model: fast, stub: 'answers_of_digest:answer',"
    )
    written("answers_of_digest.py", "def answer(request):\n    return 'a'\n")
    before = load(text).digest
    assert load(text).digest == before
    written("answers_of_digest.py", "def answer(request):\n    return 'b'\n")
    assert load(text).digest != before
