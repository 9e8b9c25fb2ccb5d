"""The API's own schemas, which are a subset of OpenAPI's, as JSON Schema (https://ai.google.dev/api/caching#Schema)."""

from __future__ import annotations

from typing import Any

from harness.json_types import JsonObject

_SAME = ("title", "description", "enum", "required", "pattern", "minimum", "maximum")
_NUMBERS = ("maxItems", "minItems", "minProperties", "maxProperties", "minLength", "maxLength")


def json_schema(schema: JsonObject) -> JsonObject:
    """A schema of the API as JSON Schema."""
    found: JsonObject = {name: schema[name] for name in (*_SAME, *_NUMBERS) if name in schema}
    kind = schema.get("type", "").lower()
    if kind and kind != "type_unspecified":
        found["type"] = kind
    if "ref" in schema:
        found["$ref"] = schema["ref"].replace("#/defs/", "#/$defs/")
    if "items" in schema:
        found["items"] = json_schema(schema["items"])
    for name, plain in (("properties", "properties"), ("defs", "$defs")):
        if name in schema:
            found[plain] = {key: json_schema(value) for key, value in schema[name].items()}
    if "anyOf" in schema:
        found["anyOf"] = [json_schema(one) for one in schema["anyOf"]]
    more = schema.get("additionalProperties")
    if isinstance(more, bool):
        found["additionalProperties"] = more
    return _nullable(found) if schema.get("nullable") else found


def _nullable(schema: JsonObject) -> JsonObject:
    """The schema of what may also be null."""
    found: dict[str, Any] = dict(schema)
    if "type" in found:
        found["type"] = [found["type"], "null"]
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    if "anyOf" in found:
        found["anyOf"] = [*found["anyOf"], {"type": "null"}]
    return found
