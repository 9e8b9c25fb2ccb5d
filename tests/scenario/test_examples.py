"""The scenarios that come with the house."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from harness.run import Simulation
from harness.scenario import load_scenario
from harness.scenario.json_schema import json_schema
from harness.spans import TASK

Cli = Callable[..., CompletedProcess[str]]

FILES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))

each_file = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])


def test_there_are_examples() -> None:
    assert len(FILES) >= 10


@each_file
def test_example_is_right(harness: Cli, file: Path) -> None:
    result = harness("validate", file)
    assert (result.returncode, result.stderr) == (0, "")
    scenario = load_scenario(file)
    agents = len(scenario.spec.agents)
    assert result.stdout == f"{file}: ok, {scenario.spec.scenario} with {agents} agents\n"


@each_file
def test_example_says_what_it_asks(file: Path) -> None:
    spec = load_scenario(file).spec
    assert spec.scenario == file.stem.replace("_", "-")
    assert spec.description
    assert spec.budgets


@each_file
def test_example_runs_and_measures_what_its_budgets_bound(file: Path) -> None:
    simulation = Simulation(file)
    outcome = simulation.run_many(runs=1)
    spec = simulation.scenario.spec
    assert outcome.tasks > 0
    assert all(budget.value is not None for budget in outcome.budgets)
    assert outcome.agents.keys() == spec.agents.keys()
    assert not [note for note in outcome.notes if "price" in note or "horizon" in note]


@each_file
def test_example_gives_the_same_run_again_and_another_with_another_seed(file: Path) -> None:
    simulation = Simulation(file, overrides=["workload.tasks=5", "workload.warmup_tasks=0"])
    first, again, other = simulation.run(1), simulation.run(1), simulation.run(2)
    assert list(first.spans.rows()) != []
    assert repr(list(first.spans.rows())) == repr(list(again.spans.rows()))
    assert repr(list(first.spans.rows())) != repr(list(other.spans.rows()))


@each_file
def test_every_task_of_an_example_ends_once(file: Path) -> None:
    simulation = Simulation(file)
    run = simulation.run()
    tasks = Counter(task for kind, task in run.spans.rows("kind", "task") if kind == TASK)
    assert set(tasks.values()) == {1}
    assert run.status == "done"
    wanted = simulation.scenario.spec.workload.tasks
    assert wanted is None or len(tasks) == wanted


# -- the JSON Schema --------------------------------------------------------------------------------


def failures(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> list[str]:  # noqa: ANN401 - a YAML value
    """What a value breaks of the keywords of JSON Schema that ours uses; jsonschema is not installed here."""
    found: list[str] = []
    known: dict[str, Callable[[Any], bool]] = {
        "type": lambda name: (
            isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        ),
        "enum": lambda allowed: value in allowed,
        "minimum": lambda bound: not is_number(value) or value >= bound,
        "maximum": lambda bound: not is_number(value) or value <= bound,
        "exclusiveMinimum": lambda bound: not is_number(value) or value > bound,
        "minItems": lambda count: not isinstance(value, list) or len(value) >= count,
        "minProperties": lambda count: not isinstance(value, dict) or len(value) >= count,
        "maxProperties": lambda count: not isinstance(value, dict) or len(value) <= count,
        "required": lambda names: (
            not isinstance(value, dict) or all(name in value for name in names)
        ),
        "anyOf": lambda branches: any(not failures(branch, value, root) for branch in branches),
        "oneOf": lambda branches: (
            sum(not failures(branch, value, root) for branch in branches) == 1
        ),
        "$ref": lambda ref: not failures(root["$defs"][ref.removeprefix("#/$defs/")], value, root),
        "items": lambda items: (
            not isinstance(value, list) or not any(failures(items, one, root) for one in value)
        ),
        "prefixItems": lambda parts: (
            not isinstance(value, list)
            or not any(failures(part, one, root) for part, one in zip(parts, value, strict=False))
        ),
        "maxItems": lambda count: not isinstance(value, list) or len(value) <= count,
        "propertyNames": lambda _: True,
        "pattern": lambda _: True,
        "maxLength": lambda _: True,
        "minLength": lambda length: not isinstance(value, str) or len(value) >= length,
        "const": lambda only: value == only,
    }
    for keyword, argument in schema.items():
        if keyword in known and not known[keyword](argument):
            found.append(f"{value!r} breaks {keyword}")
        assert keyword in {*known, *ABOUT, *MAPPINGS}, keyword
    if isinstance(value, dict):
        patterns = schema.get("patternProperties", {})
        for key, inner in value.items():
            rest = schema.get("additionalProperties", True)
            rest = next((it for pattern, it in patterns.items() if re.search(pattern, key)), rest)
            part = schema.get("properties", {}).get(key, rest)
            if part is False:
                found.append(f"{key!r} is unknown")
            elif isinstance(part, dict):
                found += failures(part, inner, root)
    return found


def is_number(value: object) -> bool:
    return isinstance(value, int | float)


TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None),
}  # fmt: skip
ABOUT = {"$schema", "$defs", "title", "description", "default"}
MAPPINGS = {"properties", "additionalProperties", "patternProperties"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


@each_file
def test_json_schema_accepts_an_example(schema: dict[str, Any], file: Path) -> None:
    assert failures(schema, yaml.safe_load(file.read_text(encoding="utf-8")), schema) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["seeds"], 1),
        (["runs"], 0),
        (["workload", "tasks"], "50"),
        (["workload", "arrivals"], {"poisson": {}}),
        (["workload", "arrivals", "every_s"], 5),
        (["models", "fast", "latency"], {"ttft_s": {"lognormal": {"median": 1}}}),
        (["agents", "lead", "accuracy"], 2),
        (["pattern"], {"pipline": {}}),
        (["faults"], [{"hang": {}, "malformed": {}}]),
        (["budgets", "success_rate"], 1),
    ],
)
def test_json_schema_refuses_what_the_loader_refuses(
    schema: dict[str, Any], path: list[str], value: object
) -> None:
    (review,) = [file for file in FILES if file.stem == "code_review"]
    data = yaml.safe_load(review.read_text(encoding="utf-8"))
    part = data
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert failures(schema, data, schema)
