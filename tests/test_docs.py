"""The pages that are made from the code are up to date; `make docs` writes them again."""

from __future__ import annotations

import json
from pathlib import Path

from harness.metrics import AGENT_METRICS, METRICS
from harness.scenario.json_schema import json_schema
from harness.scenario.reference import reference

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_scenario_reference_is_up_to_date() -> None:
    assert (DOCS / "scenario-reference.md").read_text(encoding="utf-8") == reference()


def test_json_schema_is_up_to_date() -> None:
    assert json.loads((DOCS / "scenario.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_scenario_reference_names_every_metric() -> None:
    page = reference()
    for name in {**METRICS, **AGENT_METRICS}:
        assert f"| `{name}` |" in page


def test_examples_point_editors_to_the_schema() -> None:
    for file in sorted((ROOT / "scenarios").glob("*.yaml")):
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        mark, _, path = first.partition("$schema=")
        assert mark == "# yaml-language-server: ", file.name
        assert (file.parent / path).resolve() == DOCS / "scenario.schema.json", file.name
