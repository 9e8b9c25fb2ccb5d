"""docs/failures.md names every fault, and each of its lines can be used as it stands."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from harness.faults import FAULTS
from harness.run import Simulation
from harness.sim.sim import Sim
from tests.faults.page import NAMES, PAGE, page, python_line, yaml_line

OURS = [name for name, kind in FAULTS.items() if kind.__module__.startswith("harness.")]


def test_page_is_up_to_date_and_leaves_no_fault_out() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text)
    for name in OURS:
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("name", OURS)
def test_line_of_a_file_is_one_that_a_scenario_takes(name: str) -> None:
    spec: dict[str, Any] = {
        "scenario": "lines",
        "workload": {"tasks": 1},
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "claude-haiku-4-5"}},
        "tools": {"refund": {}},
        "agents": {agent: {"model": "m", "tools": ["refund"]} for agent in NAMES},
        "pattern": {"single": {"agent": "worker"}},
        "faults": yaml.safe_load(yaml_line(name)),
    }
    if name.startswith("process_"):
        for section in ("providers", "models", "tools", "agents", "pattern"):
            del spec[section]
        spec |= {"target": "tests.faults.shop:refund_and_push", "processes": {"git push*": {}}}
    (fault,) = Simulation.from_spec(spec).scenario.spec.faults
    assert type(fault) is FAULTS[name]


@pytest.mark.parametrize("name", [name for name in OURS if not FAULTS[name].only_of_patterns])
def test_line_of_a_test_is_one_that_a_simulation_takes(name: str) -> None:
    sim = Sim()
    eval(python_line(name), {"sim": sim})
