"""The page on policies: its table has every policy, and both lines of a row say the same."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

import harness.resilience
from harness.resilience import ORDER, Policies
from harness.scenario import load_spec
from tests.resilience.team import spec

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [^|]+ \| `([^`]+)` \| `(Policies\([^`]*)` \|", PAGE, re.MULTILINE)


def test_table_has_a_row_for_each_policy() -> None:
    assert sorted(NAMES) == sorted(field.name for field in fields(Policies))


NAMES = [line.partition(":")[0] for line, _ in ROWS]


@pytest.mark.parametrize(("line", "python"), ROWS, ids=NAMES)
def test_lines_of_a_row_say_the_same(line: str, python: str) -> None:
    others = {"a": {"model": "m"}, "b": {"model": "m"}, "role": {"model": "m"}}
    of_role = {"fallback": "b", **yaml.safe_load(line)}
    scenario = load_spec(spec(agents=others) | {"policies": {"agents": {"role": of_role}}})
    stated = scenario.of_pattern.policies_of("role")
    expected = eval(python, vars(harness.resilience))
    assert expected.over(Policies(fallback="b")) == stated


def test_order_on_the_page_is_the_order_in_the_code() -> None:
    steps = PAGE.partition("## The order")[2].partition("## What agents share")[0]
    named = [
        name
        for line in re.findall(r"^\d+\. (.+?):", steps, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    ]
    assert named == list(ORDER)
    assert set(ORDER) == {field.name for field in fields(Policies)}


def test_every_event_of_a_policy_is_on_the_page() -> None:
    folder = Path(harness.resilience.__file__).parent
    stated = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    names = set(re.findall(r'^[A-Z_]+ = "([a-z_]+)"$', stated, re.MULTILINE))
    assert len(names) > 10
    for name in names:
        assert f"`{name}`" in PAGE
