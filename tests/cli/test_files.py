"""`harness validate`, `schema` and `init`: scenario files without running them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.scenario.json_schema import json_schema
from harness.scenario.reference import reference

Cli = Callable[..., CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
FIRST = ("scenarios/hello.yaml", "stubs/hello.yaml")


# -- validate ---------------------------------------------------------------------------------------


def test_right_files_are_said_to_be_right(harness: Cli) -> None:
    result = harness("validate", "scenario.yaml", ROOT / "scenarios" / "hang.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "scenario.yaml: ok, base with 2 agents",
        f"{ROOT}/scenarios/hang.yaml: ok, hang with 3 agents",
    ]


def test_each_file_is_checked_for_itself(harness: Cli) -> None:
    Path("wrong.yaml").write_text("scenario: a b\n", encoding="utf-8")
    result = harness("validate", "wrong.yaml", "scenario.yaml", "nowhere.yaml", "wrong.yaml")
    assert result.returncode == 2
    assert result.stdout == "scenario.yaml: ok, base with 2 agents\n"
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert [line.split(":")[1].strip() for line in errors] == [
        "wrong.yaml",
        "nowhere.yaml",
        "wrong.yaml",
    ]


def test_validate_runs_nothing(harness: Cli) -> None:
    harness("validate", "scenario.yaml")
    assert [path.name for path in Path().iterdir()] == ["scenario.yaml"]


# -- schema -----------------------------------------------------------------------------------------


def test_schema_is_valid_json(harness: Cli) -> None:
    result = harness("schema")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == json_schema()
    assert result.stdout.endswith("}\n")


def test_reference_is_the_page_as_it_is(harness: Cli) -> None:
    assert harness("schema", "--reference").stdout == reference()


# -- init -------------------------------------------------------------------------------------------


def test_first_scenario_simulates(harness: Cli) -> None:
    result = harness("init", "project")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "wrote project/scenarios/hello.yaml, project/stubs/hello.yaml, project/scenarios/scenario.schema.json",
        "next: harness simulate project/scenarios/hello.yaml",
    ]
    simulated = harness("simulate", "project/scenarios/hello.yaml")
    assert (simulated.returncode, simulated.stderr) == (0, "")
    assert "never met" not in simulated.stdout


def test_first_scenario_goes_into_the_current_folder_unless_one_is_named(harness: Cli) -> None:
    assert harness("init").returncode == 0
    assert [Path(name).is_file() for name in FIRST] == [True, True]


def test_next_command_can_be_copied_even_if_the_folder_has_spaces(harness: Cli) -> None:
    assert (
        "next: harness simulate 'my project/scenarios/hello.yaml'"
        in harness("init", "my project").stdout
    )


@pytest.mark.parametrize("there", FIRST)
def test_init_overwrites_nothing_and_writes_nothing_then(harness: Cli, there: str) -> None:
    Path("project", there).parent.mkdir(parents=True)
    Path("project", there).write_text("mine", encoding="utf-8")
    result = harness("init", "project")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"project/{there}" in result.stderr
    assert "nothing was written" in result.stderr
    assert [path.read_text() for path in Path("project").rglob("*") if path.is_file()] == ["mine"]


@pytest.mark.parametrize("in_the_way", ["project", "project/scenarios", "project/stubs"])
def test_init_into_a_file_writes_nothing(harness: Cli, in_the_way: str) -> None:
    Path(in_the_way).parent.mkdir(exist_ok=True)
    Path(in_the_way).write_text("mine", encoding="utf-8")
    result = harness("init", "project")
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert not list(Path("project").rglob("*.yaml"))


def test_first_scenario_names_the_schema_beside_it_for_editors(harness: Cli) -> None:
    assert harness("init", "project").returncode == 0
    first = Path("project/scenarios/hello.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    schema = Path("project/scenarios/scenario.schema.json").read_text(encoding="utf-8")
    assert schema == harness("schema").stdout


@pytest.mark.parametrize(
    ("name", "meant"),
    [("scenario.yml", "scenario.yaml"), ("helo.yaml", "scenarios/hello.yaml"), ("scenaros/hello.yaml", "scenarios/hello.yaml")],
)  # fmt: skip
def test_a_scenario_that_is_not_there_suggests_the_nearest(
    harness: Cli, name: str, meant: str
) -> None:
    assert harness("init", ".").returncode == 0
    done = harness("simulate", name)
    assert done.returncode == 2
    assert f"did you mean '{meant}'?" in done.stderr
