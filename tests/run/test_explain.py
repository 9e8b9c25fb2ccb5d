"""`RunResult.explain`: a run of a scenario in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run import RunResult, Simulation

STUB = """\
agents:
  scout:
    rules:
      - {prompt: "*a page*", reply: "nothing to pay for"}
      - {reply: {tool_calls: [{tool: search, arguments: {}}]}}
  finder:
    reply:
      text: "Ulm is an old town. It has two towers on its minster."
      claims: [{text: "Ulm is an old town"}, {text: "It has two towers on its minster", is_true: false}]
"""

BASE = """\
scenario: claims
workload: {tasks: 2}
providers: {anthropic: {limits: {requests_per_min: 2}}}
models: {m: {provider: anthropic, name: claude-haiku-4-5}}
tools: {search: {result: "a page"}, pay: {}}
policies: {default: {retry: {attempts: 9}}}
"""

TEAM = """\
agents: {finder: {model: m, stub: stub.yaml}, writer: {model: m}}
pattern: {pipeline: {stages: [finder, writer]}}
"""

INJECTED = """\
agents: {scout: {model: m, stub: stub.yaml, tools: [search, pay], gullible: 1}}
pattern: {react: {agent: scout}}
faults: [{prompt_injection: {agent: scout, tool: pay, arguments: {usd: 9}}}]
"""


def run_of(folder: Path, more: str, *agents: str) -> RunResult:
    scout, finder = STUB.split("  scout:\n")[1].split("  finder:\n")
    scripts = {"scout": scout, "finder": finder}
    folder.joinpath("stub.yaml").write_text(
        "agents:\n" + "".join(f"  {it}:\n{scripts[it]}" for it in agents)
    )
    folder.joinpath("x.yaml").write_text(BASE + more)
    return Simulation(folder / "x.yaml").run(1)


def test_time_money_refusals_and_false_claims_are_told(tmp_path: Path) -> None:
    text = run_of(tmp_path, TEAM, "finder").explain()
    assert text.startswith("2 of 2 tasks ended well in ")
    assert "  finder: 2 calls" in text
    assert "finder: 1 attempt refused by the limit of requests a minute." in text
    assert "Claims in outputs: 4, of them 2 false, in 2 of 2 outputs." in text
    assert (
        "  task 1: false claim of finder (stub), 1 hop, in the output: finder -> writer, 'It has two towers on its minster'."
        in text
    )


def test_tool_calls_of_an_injection_are_told_with_their_arguments(tmp_path: Path) -> None:
    text = run_of(tmp_path, INJECTED, "scout").explain()
    assert "  task 1: scout used pay(usd=9), because an injected instruction said so." in text


@pytest.mark.parametrize("metric", ["latency", "costs"])
def test_run_without_claims_says_nothing_of_them(tmp_path: Path, metric: str) -> None:
    text = run_of(tmp_path, "agents: {a: {model: m}}\npattern: {single: {agent: a}}\n").explain()
    assert "laim" not in text
    assert {"latency": "A task takes ", "costs": "A task costs $"}[metric] in text
