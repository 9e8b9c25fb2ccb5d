"""A run in which nothing worked is no pass, and says why: at which line of the user's own code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from harness.run import Simulation

WriteProgram = Callable[..., Path]
Cli = Callable[..., CompletedProcess[str]]

PROGRAM = """
import asyncio, json, pathlib

def deeper(text):
    return json.loads(text)

async def main(question):
    await asyncio.sleep(1)
    deeper("no json")

async def ask(question):
    from anthropic import AsyncAnthropic
    messages = [{"role": "user", "content": question}]
    await AsyncAnthropic().messages.create(model="claude-sonnet-5", max_tokens=9, messages=messages)

async def every_other(question):
    await ask(question)
    if pathlib.Path("count").exists():
        raise KeyError("every")
    if question.endswith("2"):
        raise KeyError("other")

def needs_a_package(question):
    import not_here_at_all

async def late(question):
    await asyncio.sleep(30)

async def of_a_group(question):
    async with asyncio.TaskGroup() as group:
        group.create_task(main(question))
"""


def test_a_program_that_raises_in_every_task_fails_without_any_budget(
    program: WriteProgram, harness: Cli
) -> None:
    file = program(PROGRAM, tasks=2)
    said = harness("simulate", file)
    assert said.returncode == 1
    assert "FAIL: No task succeeded in any of the 3 runs." in said.stdout
    assert "JSONDecodeError in 6 tasks, first:" in said.stdout
    assert "in main\n" in said.stdout
    assert "in deeper\n" in said.stdout
    assert "return json.loads(text)" in said.stdout
    assert "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)" in said.stdout
    assert "raw_decode" not in said.stdout  # a frame of the library
    assert "target.py" not in said.stdout  # nor of ours
    done = harness("simulate", file, "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["passed"]) == (1, False)
    assert report["notes"][0] == "No task succeeded in any of the 3 runs."
    ((error, tasks),) = [(it["error"], it["tasks"]) for it in report["failures"]]
    assert (error, tasks) == ("JSONDecodeError", 6)
    assert "in deeper" in report["failures"][0]["traceback"]


def test_a_missing_dependency_is_told_by_name(program: WriteProgram, harness: Cli) -> None:
    said = harness("simulate", program(PROGRAM, target="prog:needs_a_package"))
    assert said.returncode == 1
    assert "ModuleNotFoundError: No module named 'not_here_at_all'" in said.stdout
    assert "import not_here_at_all" in said.stdout


def test_errors_of_a_group_of_tasks_are_told_with_their_parts(
    program: WriteProgram, harness: Cli
) -> None:
    said = harness("simulate", program(PROGRAM, target="prog:of_a_group"))
    assert "ExceptionGroup in 3 tasks, first:" in said.stdout
    assert "in deeper" in said.stdout


def test_a_program_that_fails_now_and_then_is_shown_and_passes(
    program: WriteProgram, harness: Cli
) -> None:
    said = harness("simulate", program(PROGRAM, target="prog:every_other", tasks=3))
    assert said.returncode == 0
    assert "KeyError in 3 tasks, first:" in said.stdout
    assert "FAIL" not in said.stdout


def test_one_run_in_which_nothing_worked_fails_unless_a_budget_says_how_much_may_fail(
    program: WriteProgram, harness: Cli
) -> None:
    sometimes = "async def sometimes(question):\n    import random\n    await ask(question)\n    if random.random() < 0.5: raise ValueError"
    text = f"{PROGRAM}\n{sometimes}\nmain = sometimes"
    seeds = ("--runs", "8")
    said = harness("simulate", program(text), *seeds)
    assert said.returncode == 1
    assert "of 8 runs (seed " in said.stdout
    budget = "budgets: {success_rate: {at_least: 0.1}}"
    assert harness("simulate", program(text, more=budget), *seeds).returncode == 0
    none = "async def main(question): raise ValueError"
    budget = "budgets: {success_rate: {at_least: 0}}"
    assert harness("simulate", program(none, more=budget), *seeds).returncode == 1


def test_tasks_that_never_arrived_fail_a_run(program: WriteProgram, harness: Cli) -> None:
    file = program(PROGRAM, target="prog:late", tasks=9, more="horizon_s: 35")
    said = harness("simulate", file)
    assert said.returncode == 1
    assert "FAIL: 15 of 27 tasks never arrived: give the runs a later `horizon_s`" in said.stdout


def test_a_pattern_whose_every_task_failed_fails_too(tmp_path: Path, harness: Cli) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "scenario: down\nruns: 2\nworkload: {tasks: 2, arrivals: {every_s: 5}}\n"
        "models: {m: {provider: p, name: claude-haiku-4-5}}\nproviders: {p: {}}\n"
        "agents: {writer: {model: m}}\npattern: {single: {agent: writer}}\nfaults: [{status: {status: 500}}]\n",
        encoding="utf-8",
    )
    said = harness("simulate", file)
    assert said.returncode == 1
    assert "FAIL: No task succeeded in any of the 2 runs." in said.stdout
    assert not Simulation(file).run_many().passed


def test_a_report_of_a_run_in_which_nothing_worked_says_so(
    program: WriteProgram, harness: Cli
) -> None:
    harness("simulate", program("def main(question): raise ValueError", tasks=2))
    assert harness("report", "--output", "page").returncode == 0
    text = "".join(page.read_text(encoding="utf-8") for page in Path("page").rglob("*.html"))
    assert "Not good" in text
    assert "6 of 6 tasks did not end well" in text


def test_a_pattern_that_fails_says_what_it_could_not_cope_with(harness: Cli) -> None:
    scenarios = Path(__file__).parents[2] / "scenarios"
    words = {
        "market_nobody_bids.yaml": "NobodyBids: none of 2 contractors bids",
        "handoff_lost_context.yaml": "TooManyHandoffs: more than 5 handoffs: triage > billing > triage",
        "parallel_disagreement.yaml": "NoMajority: ",
    }
    for name, text in words.items():
        simulation = Simulation(scenarios / name, overrides=["workload.tasks=6", "runs=1"])
        (failure,) = simulation.run_many().failures
        assert failure.traceback.startswith(text)
        assert f"  {failure.traceback}" in simulation.run().explain()
        said = harness("simulate", scenarios / name, "--set", "workload.tasks=6", "--runs", "1")
        many = "1 task" if failure.tasks == 1 else f"{failure.tasks} tasks, first"
        assert f"{failure.error} in {many}: {failure.traceback.partition(': ')[2]}" in said.stdout
