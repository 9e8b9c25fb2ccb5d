"""The JSON Schema of scenario files, for completion in editors."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from harness.json_types import JsonObject
from harness.scenario.docstrings import field_docs
from harness.scenario.reference import RECORDS
from harness.scenario.schema import AnyScenario, Scenario, TargetScenario, rebuild_if_registered

_OF_A_MODULE: Final[JsonObject] = {
    "type": "object",
    "patternProperties": {r"^[\w.]+:\w+$": {"type": "object"}},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
"""A pattern as `module:Class`."""


def _field_of(record: type[object], key: str) -> str:
    """The field that a file calls by this key."""
    fields = getattr(record, "model_fields", {})
    return next((name for name, info in fields.items() if info.alias == key), key)


def json_schema() -> JsonObject:
    """The schema that pydantic derives from the records, with what stands under their fields."""
    for kind in (Scenario, TargetScenario):
        rebuild_if_registered(kind)
    schema: JsonObject = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(AnyScenario).json_schema(),
    }
    _let_bakeoff_replace_pattern(schema["$defs"]["Scenario"])
    for record in RECORDS:
        part = schema["$defs"].get(record.__name__, {})
        docs = field_docs(record)
        for name, field in part.get("properties", {}).items():
            field.pop("title", None)
            said = docs.get(name) or docs.get(_field_of(record, name))
            if said:
                field["description"] = said
    return schema


def _let_bakeoff_replace_pattern(scenario: JsonObject) -> None:
    """Say that `pattern` may be a name, or absent, beside `bakeoff`: the loader resolves it before it validates.

    It may also be a class of a module of the user's, whose fields no schema knows.
    """
    pattern = scenario["properties"]["pattern"]
    scenario["properties"]["pattern"] = {"anyOf": [pattern, _OF_A_MODULE, {"type": "string"}]}
    scenario["required"].remove("pattern")
    scenario["anyOf"] = [{"required": ["pattern"]}, {"required": ["bakeoff"]}]
