"""A value that a key may have, for the message that the key is missing."""

from __future__ import annotations

from typing import Any

import yaml

from harness.json_types import JsonObject

NAME = "NAME"
"""Stands for any text in an example: most are names."""

_WITHOUT_END = float("inf")


def example_of(schema: JsonObject, root: JsonObject) -> Any:  # noqa: ANN401 - a JSON value
    """The simplest value that a JSON Schema allows.

    Args:
        schema: What the value must be.
        root: The schema with the definitions to which the other refers.
    """
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "array":
        item = schema.get("items", {})
        if "prefixItems" in schema:
            return [example_of(part, root) for part in schema["prefixItems"]]
        return [example_of(item, root) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind == "object":
        return _mapping(schema, root)
    return False if kind == "boolean" else NAME


def in_a_file(key: str, value: object) -> str:
    """A key with its value, as a scenario file has it."""
    text = yaml.safe_dump(
        {key: value}, default_flow_style=True, width=_WITHOUT_END, sort_keys=False
    )
    return text.strip()[1:-1]


def among(schema: JsonObject, root: JsonObject) -> str:
    """The values among which a JSON Schema leaves the choice, in words; empty if it does not list them."""
    values = _resolved(schema, root).get("enum", ())
    return f"one of {', '.join(map(str, values))}" if values else ""


def _resolved(schema: JsonObject, root: JsonObject) -> JsonObject:
    """A schema without references, and of alternatives the simplest."""
    while True:
        alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        elif alternatives and "type" not in schema:
            schema = min(alternatives, key=_is_mapping)
        else:
            return schema


def _is_mapping(schema: JsonObject) -> bool:
    return "$ref" in schema or schema.get("type") == "object"


def _number(schema: JsonObject) -> float:
    """The smallest round number that is allowed."""
    if schema.get("maximum") == 1:
        return 0.5
    above, least = schema.get("exclusiveMinimum"), schema.get("minimum", 1)
    return int(above) + 1 if above is not None else max(1, int(least))


def _mapping(schema: JsonObject, root: JsonObject) -> dict[str, Any]:
    fields = schema.get("properties", {})
    needed = schema.get("required", [])
    if not needed and schema.get("maxProperties") == 1:
        needed = list(fields)[:1]
    if not fields and isinstance(schema.get("additionalProperties"), dict):
        return {NAME: example_of(schema["additionalProperties"], root)}
    return {key: example_of(fields[key], root) for key in needed}
