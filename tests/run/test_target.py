"""A scenario whose `target` is a program of one's own, run by `harness simulate` and in Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import run
from harness.errors import HarnessError, NotSimulated, ScenarioError
from harness.run import Outcome, Simulation
from harness.run.wiring import surroundings
from harness.scenario import load_scenario
from harness.spans import CALL, TASK, as_json_lines
from harness.store import Store, queries

PROGRAM = """
import asyncio
import socket

import anthropic

client = anthropic.AsyncAnthropic(api_key="unused")


async def ask(system, text):
    message = await client.messages.create(
        model="claude-sonnet-4-6", max_tokens=500, system=system, messages=[{"role": "user", "content": text}]
    )
    return message.content[0].text


async def main(question):
    plan = await ask("You are a planner.", question)
    findings = await asyncio.gather(*(ask("You are a worker.", line) for line in plan.splitlines()))
    return await ask("You are a synthesizer.", "\\n".join(findings))


async def breaks(question):
    await ask("You are a planner.", question)
    raise KeyError("a mistake in the program")


def no_argument():
    return 42


def breaks_at_once(question):
    raise KeyError("a mistake in the program")


async def streams(question):
    yield await ask("You are a planner.", question)


def forgets_await(question):
    return [ask("You are a planner.", question)]


async def opens_a_socket(question):
    async def start():
        socket.create_connection(("example.com", 80))

    async with asyncio.TaskGroup() as group:
        group.create_task(start())
"""

SCENARIO = """
scenario: assistants
runs: 2
workload: {tasks: 6, arrivals: {every_s: 2}, kinds: [{kind: question, text: "What of the sun?"}]}
target: PROGRAM:main
providers:
  anthropic: {limits: {requests_per_min: 600}, concurrency: 8}
models:
  deep: {provider: anthropic, name: claude-sonnet-4-6, latency: {ttft_s: 1.5}}
agents:
  planner: {match: {system: "*planner*"}, stub: stub.yaml}
  worker: {match: {system_regex: work}, output_tokens: 100}
  synthesizer: {match: {system: "*synthesizer*"}}
"""


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder with a program, of a name of its own, because modules are kept by name."""
    name = f"program_of_{abs(hash(request.node.name)) % 10**8}"
    tmp_path.joinpath(f"{name}.py").write_text(PROGRAM, encoding="utf-8")
    tmp_path.joinpath("stub.yaml").write_text(
        'agents: {planner: {reply: "cost\\nspeed"}}\n', encoding="utf-8"
    )
    text = SCENARIO.replace("PROGRAM", name)
    tmp_path.joinpath("scenario.yaml").write_text(text, encoding="utf-8")
    yield tmp_path
    sys.modules.pop(name, None)


def test_every_task_runs_the_program_once(folder: Path) -> None:
    result = Simulation(folder / "scenario.yaml").run()
    kinds = result.spans.values("kind")
    assert kinds.count(TASK) == 6
    assert kinds.count(CALL) == 6 * 4
    agents = {agent for agent, kind in result.spans.rows("agent", "kind") if kind == CALL}
    assert agents == {"planner", "worker", "synthesizer"}
    assert set(result.spans.values("model")) == {"", "deep"}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(folder: Path) -> None:
    simulation = Simulation(folder / "scenario.yaml", overrides=["models={}"])
    one, again, other = (as_json_lines(simulation.run(seed).spans) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_calls_belong_to_the_task_they_are_made_for(folder: Path) -> None:
    spans = Simulation(folder / "scenario.yaml").run().spans
    calls = [task for task, kind in spans.rows("task", "kind") if kind == CALL]
    assert sorted(calls) == [task for task in range(1, 7) for _ in range(4)]


def test_an_error_of_the_program_ends_its_task_and_no_other(folder: Path) -> None:
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace(":main", ":breaks"), encoding="utf-8")
    outcome = Simulation(scenario).run_many()
    assert outcome.metrics["success_rate"] == 0.0
    assert outcome.tasks == 12
    errors = Simulation(scenario).run().spans.rows("kind", "error")
    assert {error for kind, error in errors if kind == TASK} == {"KeyError"}


def test_faults_meet_the_program_and_its_sdk_tries_again(folder: Path) -> None:
    fault = "faults=[{overloaded: {agent: worker, attempt: 1}}]"
    outcome = Simulation(folder / "scenario.yaml", overrides=[fault]).run_many()
    assert outcome.agents["worker"]["retries"] == 2 * 6 * 2
    assert outcome.metrics["success_rate"] == 1.0


def test_utilisation_is_absent_without_a_bound_on_slots(folder: Path) -> None:
    outcome = Simulation(folder / "scenario.yaml", overrides=["providers={}"]).run_many()
    assert "utilisation" not in outcome.metrics
    assert "messages_mean" not in outcome.metrics


def test_a_function_without_arguments_is_called_without(folder: Path) -> None:
    scenario = folder / "scenario.yaml"
    text = scenario.read_text().replace(":main", ":no_argument")
    text = text.replace(", stub: stub.yaml", "")
    scenario.write_text(text, encoding="utf-8")
    assert Simulation(scenario).run_many().metrics["calls_mean"] == 0.0


def test_the_command_line_runs_it_from_any_folder(
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert run(["simulate", str(folder / "scenario.yaml"), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["calls_mean"] == 4.0
    assert len(queries.runs(Store(elsewhere / "harness.duckdb"))) == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("target: nowhere_at_all:main", "'nowhere_at_all:main' cannot be loaded"),
        (
            "target: just words",
            "'just words' is not the name of a function, such as module:function",
        ),
    ],
)
def test_a_target_that_is_not_there_is_told_with_its_place(
    folder: Path, wrong: str, message: str
) -> None:
    scenario = folder / "scenario.yaml"
    lines = [
        wrong if line.startswith("target:") else line for line in scenario.read_text().splitlines()
    ]
    scenario.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ScenarioError, match=rf"scenario\.yaml:5:9: target: .*{message}"):
        load_scenario(scenario)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("system_regex: work", "system_regex: '('", "must be a regular expression"),
        ("{system: ", "{sytem: ", "unknown key 'sytem'; did you mean 'system'"),
        ("providers:\n", "providers:\n  mine: {}\n", "provider 'mine' needs `api`"),
        ("provider: anthropic", "provider: anthropc", "there is no 'anthropc' under providers"),
    ],
)
def test_wrong_surroundings_are_told(folder: Path, old: str, new: str, message: str) -> None:
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as told:
        load_scenario(scenario)
    assert message in str(told.value)


def test_known_vendor_needs_neither_an_api_nor_hosts(folder: Path) -> None:
    scenario = folder / "scenario.yaml"
    text = scenario.read_text().replace("providers:\n", "providers:\n  groq: {concurrency: 2}\n")
    scenario.write_text(text, encoding="utf-8")
    providers = surroundings(load_scenario(scenario), lambda _: lambda _: "hello").providers
    assert (providers["groq"].api, providers["groq"].hosts) == (
        "openai",
        frozenset({"api.groq.com"}),
    )
    assert providers["openai"].hosts == {"api.openai.com"}


def outcome_of(folder: Path, function: str) -> Outcome:
    scenario = folder / "scenario.yaml"
    text = scenario.read_text().replace(":main", f":{function}").replace(", stub: stub.yaml", "")
    scenario.write_text(text, encoding="utf-8")
    return Simulation(scenario).run_many()


def test_tasks_that_raised_are_told_beside_the_numbers(folder: Path) -> None:
    told = "The program raised in 12 of 12 tasks, warm-up included: KeyError 12."
    assert told in outcome_of(folder, "breaks").notes


def test_a_program_that_calls_nobody_has_tested_nothing_and_does_not_pass(folder: Path) -> None:
    outcome = outcome_of(folder, "no_argument")
    assert outcome.problems == ("No call was made and no tool used, so nothing was tested.",)
    assert not outcome.passed


def test_a_program_that_failed_before_it_called_anybody_has_one_problem(folder: Path) -> None:
    assert outcome_of(folder, "breaks_at_once").problems == (
        "No task succeeded in any of the 2 runs.",
    )


@pytest.mark.parametrize(
    ("function", "what"), [("streams", "async generator"), ("forgets_await", "coroutine")]
)
def test_program_that_returns_code_which_did_not_run_is_refused(
    folder: Path, function: str, what: str
) -> None:
    with pytest.raises(HarnessError, match=f"the program returned the {what}"):
        outcome_of(folder, function)


def test_what_is_refused_ends_the_run_also_out_of_a_group_of_tasks(folder: Path) -> None:
    with pytest.raises(NotSimulated, match=r"a connection to example\.com:80"):
        outcome_of(folder, "opens_a_socket")


def test_call_that_matches_no_agent_ends_the_run_unless_it_is_allowed(folder: Path) -> None:
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace('"*synthesizer*"', '"*synthesiser*"'))
    with pytest.raises(HarnessError, match=r"(?s)no described agent.*synthesizer .*<- nearest"):
        Simulation(scenario).run()
    spans = Simulation(scenario, overrides=["allow_unmatched=true"]).run().spans
    agents = {agent for agent, kind in spans.rows("agent", "kind") if kind == CALL}
    assert agents == {"planner", "worker", "unmatched:synthesizer"}
