"""The page docs/your-own-pattern.md: its pattern is found wanting as it says, and passes once it is mended."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import Simulation
from harness.spans import AGENT
from harness.testing import PatternCheckError, check_pattern

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-pattern.md").read_text(encoding="utf-8")
PATTERN, TEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(SCENARIO,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ALL_OF = "            answers = await all_of([team[name].handle(*told) for name in self.panel])\n"
GROUP = """\
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(team[name].handle(*told)) for name in self.panel]
            answers = [one.result() for one in asked]
"""
GATHER = ALL_OF.replace("all_of([", "asyncio.gather(*[")


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    yield
    sys.modules.pop("panel", None)


def panel(source: str) -> Any:  # noqa: ANN401 - a module
    module = types.ModuleType("panel")
    sys.modules["panel"] = module
    exec(source, vars(module))
    return module


def checked() -> None:
    found: dict[str, Any] = {}
    exec(TEST, found)
    found["test_panel_is_a_pattern"]()


def test_pattern_of_the_page_is_some_twenty_lines() -> None:
    body = PATTERN.partition("class Panel:")[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 24


def test_pattern_of_the_page_passes() -> None:
    module = panel(PATTERN)
    checked()
    check_pattern(module.Panel(panel=("a",), chair="a"), {"a": "done"}, answer="done")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (GROUP, "when a fails it raises ExceptionGroup"),
        (GATHER, "when a fails something goes on: Agent.handle"),
    ],
)
def test_check_finds_what_the_page_says(other: str, says: str) -> None:
    assert ALL_OF in PATTERN
    panel(
        f"import asyncio\n{PATTERN.replace('from __future__ import annotations', '').replace(ALL_OF, other)}"
    )
    with pytest.raises(PatternCheckError, match=says):
        checked()


def test_scenario_of_the_page_runs(tmp_path: Path) -> None:
    tmp_path.joinpath("panel.py").write_text(PATTERN, encoding="utf-8")
    whole = Path(__file__).parents[2] / "scenarios" / "code_review.yaml"
    text = whole.read_text(encoding="utf-8").replace("../stubs", str(whole.parents[1] / "stubs"))
    spec = {**yaml.safe_load(text), **yaml.safe_load(SCENARIO)}
    spec["workload"]["tasks"], spec["workload"]["warmup_tasks"] = 1, 0
    tmp_path.joinpath("review.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    run = Simulation(tmp_path / "review.yaml").run(1)
    turns = {row[1] for row in run.spans.rows("kind", "agent") if row[0] == AGENT}
    assert turns == {"style", "security", "lead"}
