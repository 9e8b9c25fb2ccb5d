"""Damaged files: whatever is done to a scenario, it loads and runs, or the user is told what is wrong.

Anything else, a traceback above all, is a bug of ours. Numbers stay moderate, so that what loads also ends soon.
"""

from __future__ import annotations

import contextlib
import copy
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance.arrivals import Closed
from harness.errors import HarnessError, ScenarioError
from harness.run import simulate
from harness.scenario import load_scenario
from harness.scenario.schema import Scenario
from tests.examples import examples

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(
    it for it in SCENARIOS.glob("*.yaml") if "\ntarget:" not in it.read_text(encoding="utf-8")
)
"""Those of patterns; a program of one's own would be damaged in Python."""
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in FILES}

SMALL = ("workload.tasks=1", "workload.warmup_tasks=0", "horizon_s=600")
"""Few tasks and a near horizon: enough to meet every part of a scenario once."""

JUNK = [
    "¦", "\t", "{", "}", "[", "]", ":", ": ", "- ", "#", "'", '"', "&a ", "*a", "<<: ", "!!int ", "!x ", "? ", "|", ">",
    "---", "...", "\\", "\x00", "\x1b[31m", "[bold]", "\ufeff", "\u2028", "é", "0", "-1", "1e9", ".inf", "~", "yes", "{}",
    "[]", "x: y\n", "\n", "\r", " ", "%", "@", "`", "{lognormal: {median: 1, sigma: 1}}", "claude-haiku-4-5",
]  # fmt: skip

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 7, 0.0, 0.5, -0.5, 1.5, 100, 10**15, 10**16, 10**30, float("nan"), float("inf"), 1e-9, "", " ",
    "x", "1", "null", "writer", "a b", "\x1b[2J", "[red]", "ü", "a" * 200, "../x.yaml", "x.yaml", "json:dumps", [], {}, [[]], [1],
    ["writer", "writer"], {"x": 1}, {"": 1}, {"lognormal": {"median": 5, "sigma": 1}}, {"uniform": {"high": 3}}, {"hang": {}},
    {"closed": {"users": 3}}, {"at_s": [0, 0, 1]}, {"retry": {"attempts": 2}}, {"single": {"agent": "writer"}},
]  # fmt: skip

KEYS = [
    "x",
    "",
    "kind",
    "agents",
    "model",
    "tasks",
    "latency_s",
    "stub",
    "fallback",
    "probability",
    "1",
    "a b",
    "<<",
    "\x1b",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scenarios with everything that they refer to."""
    root = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(SCENARIOS.parent / "stubs", root / "stubs")
    shutil.copytree(SCENARIOS, root / "scenarios")
    return root / "scenarios"


def check(folder: Path, name: str, text: str) -> None:
    """Load a text; if it loads, run it with one task."""
    file = folder / f"damaged_{name}"
    file.write_text(text, encoding="utf-8", newline="")
    problems: tuple[str, ...] = ()
    with contextlib.suppress(HarnessError):
        try:
            load_scenario(file)
            scenario = load_scenario(file, overrides=SMALL)
            if not takes_long(scenario.of_pattern):
                simulate(scenario, 1)
        except ScenarioError as error:
            problems = error.problems
    for problem in problems:
        assert problem.startswith((str(folder.parent), "--set "))


def takes_long(spec: Scenario) -> bool:
    """Whether even one task is much work: crowds of users, and weather that changes all the time."""
    arrivals = spec.workload.arrivals
    if isinstance(arrivals, Closed) and arrivals.users > 1000:
        return True
    overloads = [provider.overload for provider in spec.providers.values()]
    return any(
        overload is not None and overload.calm_s.mean + overload.overloaded_s.mean < 0.01
        for overload in overloads
    )


# -- damage to the text -----------------------------------------------------------------------------


@st.composite
def damaged_texts(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    for _ in range(draw(st.integers(1, 4))):
        text = damage_text(draw, text)
    return name, text


def damage_text(draw: st.DrawFn, text: str) -> str:
    start = draw(st.integers(0, len(text)))
    length = draw(st.integers(0, 30))
    piece = text[start : start + length]
    match draw(st.sampled_from(["delete", "insert", "overwrite", "repeat", "lines", "cut"])):
        case "delete":
            return text[:start] + text[start + length :]
        case "insert":
            return text[:start] + draw(st.sampled_from(JUNK)) + text[start:]
        case "overwrite":
            return text[:start] + draw(st.sampled_from(JUNK)) + text[start + 1 :]
        case "repeat":
            return text[: start + length] + piece + text[start + length :]
        case "lines":
            lines = text.splitlines(keepends=True) or [""]
            one = draw(st.integers(0, len(lines) - 1))
            other = draw(st.integers(0, len(lines) - 1))
            lines[one], lines[other] = lines[other], lines[one]
            return "".join(lines)
        case _:
            return text[:start]


@settings(derandomize=True, deadline=None, max_examples=examples(300))
@given(damaged_texts())
def test_damaged_text_loads_and_runs_or_is_refused(folder: Path, damaged: tuple[str, str]) -> None:
    check(folder, *damaged)


# -- damage to the data -----------------------------------------------------------------------------


@st.composite
def damaged_data(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(st.sampled_from(sorted(TEXTS)))
    data = yaml.safe_load(TEXTS[name])
    for _ in range(draw(st.integers(1, 2))):
        damage_data(draw, data)
    return name, yaml.safe_dump(data, sort_keys=False, default_flow_style=draw(st.booleans()))


def damage_data(draw: st.DrawFn, data: dict[str, Any]) -> None:
    places = list(paths(data))
    if not places:
        return
    *around, key = draw(st.sampled_from(places))
    parent = inside(data, around)
    value = parent[key]
    ways = ["delete", "replace", "swap", "quote"]
    ways += ["scale"] * 6 if isinstance(value, int | float) else []
    ways += ["insert", "fill"] if isinstance(value, dict) else []
    ways += ["repeat"] * 3 if isinstance(parent, list) else ["rename"]
    match draw(st.sampled_from(ways)):
        case "delete":
            del parent[key]
        case "replace":
            parent[key] = any_value(draw)
        case "swap":
            *others, other = draw(st.sampled_from(places))
            there = inside(data, others)
            parent[key], there[other] = copy.deepcopy(there[other]), copy.deepcopy(value)
        case "quote":
            parent[key] = str(value)
        case "scale":
            parent[key] = value * draw(st.sampled_from([-1, 0, 0.5, 0.01, 1.0, 3, 1000]))
        case "insert":
            value[draw(st.sampled_from(KEYS))] = any_value(draw)
        case "fill":
            value |= copy.deepcopy(
                draw(st.sampled_from([one for one in VALUES if isinstance(one, dict)]))
            )
        case "repeat":
            parent.insert(key, copy.deepcopy(value))
        case "rename":
            parent[draw(st.sampled_from(KEYS))] = parent.pop(key)


def any_value(draw: st.DrawFn) -> object:
    return copy.deepcopy(draw(st.sampled_from(VALUES)))


def paths(data: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values inside some data."""
    items: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def inside(data: Any, path: Sequence[Any]) -> Any:  # noqa: ANN401 - a YAML value
    for key in path:
        data = data[key]
    return data


@settings(derandomize=True, deadline=None, max_examples=examples(400))
@given(damaged_data())
def test_damaged_data_loads_and_runs_or_is_refused(folder: Path, damaged: tuple[str, str]) -> None:
    check(folder, *damaged)


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_anything_at_all_is_refused_with_a_reason(folder: Path, content: bytes) -> None:
    file = folder / "anything.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"anything\.yaml"):
        load_scenario(file)


def test_undamaged_files_load_and_run(folder: Path) -> None:
    """Otherwise the tests above would show nothing."""
    for name in TEXTS:
        simulate(load_scenario(folder / name, overrides=SMALL), 1)
