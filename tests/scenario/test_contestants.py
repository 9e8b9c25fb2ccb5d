"""The section `bakeoff`: which of its entries a file is simulated with, and what is said of one that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.errors import ScenarioError
from harness.patterns import Pattern
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.pipeline import Pipeline
from harness.patterns.single import Single
from harness.scenario import Scenario, TargetScenario, load_scenario
from harness.scenario.json_schema import json_schema

Write = Callable[..., str]

HEAD = """
scenario: several
workload: {tasks: 2}
providers: {anthropic: {}, ours: {}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents:
  a: {model: fast, system: "You are a [small] agent."}
  b: {model: fast}
  c: {model: fast, match: {model: "claude-haiku*"}}
policies: {default: {timeout_s: 30}}
"""

BAKEOFF = """
bakeoff:
  single: {agent: a}
  pipeline: {stages: [a, b]}
  team: {orchestrator_worker: {workers: [a, b]}}
  mine: {target: "mine:work", allow_unmatched: true}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("def work(task):\n    pass\n")

    def write_file(more: str, head: str = HEAD) -> str:
        Path("file.yaml").write_text(head + more)
        return "file.yaml"

    return write_file


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(json.dumps(json_schema())))


def pattern_of(file: str, *overrides: str) -> Pattern:
    return load_scenario(file, overrides=overrides).of_pattern.pattern


def test_the_first_entry_is_simulated_when_no_pattern_is_named(write: Write) -> None:
    assert pattern_of(write(BAKEOFF)) == Single(agent="a")


def test_the_pattern_may_name_an_entry_in_the_file_and_on_the_command_line(write: Write) -> None:
    file = write(BAKEOFF + "pattern: pipeline\n")
    assert pattern_of(file) == Pipeline(stages=("a", "b"))
    assert pattern_of(file, "pattern=team") == OrchestratorWorker(workers=("a", "b"))


def test_a_pattern_beside_bakeoff_stays_what_it_is(write: Write) -> None:
    assert pattern_of(write(BAKEOFF + "pattern: {single: {agent: b}}\n")) == Single(agent="b")


def test_an_entry_has_the_digest_of_the_same_pattern_written_out(write: Write) -> None:
    chosen = load_scenario(write(BAKEOFF), overrides=("pattern=pipeline",)).digest
    alone = load_scenario(write("pattern: {pipeline: {stages: [a, b]}}\n")).digest
    assert chosen == alone


def test_entries_can_be_changed_from_the_command_line(write: Write) -> None:
    changed = pattern_of(write(BAKEOFF), "bakeoff.pipeline.stages=[b]", "pattern=pipeline")
    assert changed == Pipeline(stages=("b",))


@pytest.mark.parametrize("override", ["pattern=mine", "target=mine:work"])
def test_a_program_gets_the_agents_of_the_file_and_none_of_its_policies(
    write: Write, override: str
) -> None:
    spec = load_scenario(write(BAKEOFF), overrides=(override,)).spec
    assert isinstance(spec, TargetScenario)
    assert spec.target == "mine:work"
    assert spec.agents["a"].match.system == "You are a [[]small] agent."
    assert spec.agents["b"].match.headers == {"x-harness-agent": "b"}
    assert spec.agents["c"].match.model == "claude-haiku*"
    assert spec.providers["ours"].api == "anthropic"
    assert spec.allow_unmatched == (override == "pattern=mine")
    of_pattern = load_scenario("file.yaml").spec
    assert isinstance(of_pattern, Scenario)
    assert spec.horizon_s == of_pattern.horizon_s


def test_a_program_takes_the_place_of_the_pattern_of_a_file_without_bakeoff(write: Write) -> None:
    file = write("pattern: {single: {agent: a}}\n")
    assert isinstance(load_scenario(file, overrides=("target=mine:work",)).spec, TargetScenario)


def test_a_file_that_states_both_a_pattern_and_a_program_is_still_wrong(write: Write) -> None:
    with pytest.raises(ScenarioError, match="unknown key 'pattern'"):
        load_scenario(write("pattern: {single: {agent: a}}\ntarget: mine:work\n"))


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("bakeoff: {single: {agnt: a}}", "bakeoff.single: unknown key 'agnt'; did you mean 'agent'"),
        ("bakeoff: {single: {agent: d}}", "bakeoff.single.agent: there is no 'd' under agents"),
        ("bakeoff: {single: 3}", "bakeoff.single: must be a mapping, not 3"),
        ("bakeoff: {team: {singel: {agent: a}}}", "bakeoff.team: unknown key 'singel'"),
        ("bakeoff: {team: {}}", "bakeoff.team: give exactly one of"),
        ("bakeoff: {team: a}", "bakeoff.team: must be a mapping"),
        ("bakeoff: {mine: {target: 'mine:work', agents: {}}, single: {agent: a}}\npattern: single",
         "bakeoff.mine: unknown key 'agents'"),
        ("bakeoff: {'my way': {single: {agent: a}}}", "must be one word of letters"),
        ("bakeoff: {}", "bakeoff: must hold at least one entry"),
        ("bakeoff: [single]", "bakeoff: must be a mapping, not a list"),
        ("bakeoff: {single: {agent: a}}\npattern: singel",
         "pattern: there is no 'singel' under bakeoff; did you mean 'single'"),
        ("bakeoff: {single: {agent: a}}\npattern: [single]", "pattern: must be a mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_and_where_it_stands(
    write: Write, section: str, problem: str
) -> None:
    with pytest.raises(ScenarioError) as error:
        load_scenario(write(f"{section}\n"))
    lines = [
        line
        for line in str(error.value).splitlines()
        if line.startswith("file.yaml") and "is missing" not in line
    ]
    assert len(lines) == 1
    assert problem in lines[0]


def test_every_entry_is_checked_though_one_is_simulated(write: Write) -> None:
    with pytest.raises(ScenarioError, match=r"bakeoff.pipeline.stages\[0\]: there is no 'd'"):
        load_scenario(write("bakeoff: {single: {agent: a}, pipeline: {stages: [d]}}\n"))


@pytest.mark.parametrize(
    ("more", "is_right"),
    [
        (BAKEOFF, True),
        (BAKEOFF + "pattern: team\n", True),
        ("pattern: {single: {agent: a}}\n", True),
        ("", False),
        ("bakeoff: {}\n", False),
        ("bakeoff: {single: {agnt: a}}\n", False),
    ],
)
def test_the_json_schema_agrees(
    schema: jsonschema.Draft202012Validator, more: str, *, is_right: bool
) -> None:
    assert schema.is_valid(yaml.safe_load(HEAD + more)) == is_right
