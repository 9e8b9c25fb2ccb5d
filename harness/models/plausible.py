"""What an agent says of whom nobody has said anything: something short that fits what is asked for.

Where a schema is asked for, the reply keeps it, with the plainest values that do; where a tool must be used, it is.
"""

from __future__ import annotations

import json
from typing import Any

from harness.models.api import Reply, Request, ToolCall

_DEPTH_MAX = 12
"""Schemas may refer to themselves; a plain value is never so deep."""

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "duration": "PT1S",
    "email": "text@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""The plainest text of each format that schemas name."""


class Plausible:
    """A model that says the plainest thing that fits.

    Args:
        agent: Whose words they are.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent

    async def reply(self, request: Request) -> Reply:
        """One sentence, always the same; or the plainest JSON that keeps the schema."""
        if request.wanted_tool:
            arguments = example(request.wanted or {})
            return Reply(
                "",
                (ToolCall(request.wanted_tool, arguments if isinstance(arguments, dict) else {}),),
            )
        if request.wanted is not None:
            return Reply(json.dumps(example(request.wanted)))
        return Reply(f"{self._agent} has done its part")


def example(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The plainest value that keeps a JSON Schema, `pattern` left out: first choices, least numbers, shortest lists."""
    return _example(schema, schema, 0)


def _example(schema: Any, root: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return _example(_resolve(schema["$ref"], root), root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _example(schema[key][0], root, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged |= _resolve(part["$ref"], root) if "$ref" in part else part
        return _example(merged, root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 - any JSON
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    match kind:
        case "object":
            wanted = schema.get("required", list(schema.get("properties", {})))
            properties = schema.get("properties", {})
            return {name: _example(properties.get(name, {}), root, depth + 1) for name in wanted}
        case "array":
            first = schema.get("prefixItems", [])
            count = max(schema.get("minItems", 1 if depth == 0 else 0), len(first))
            rest = [schema.get("items", {})] * (count - len(first))
            return [_example(item, root, depth + 1) for item in (*first, *rest)]
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            text = _FORMATS.get(schema.get("format", ""), "text")
            return text.ljust(schema.get("minLength", 0), "t")[: schema.get("maxLength")]


def _number(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - whole or broken, as the schema has it
    """Zero, or the number next to it that the bounds allow."""
    number: float
    if "minimum" in schema:
        number = schema["minimum"]
    elif "exclusiveMinimum" in schema:
        number = schema["exclusiveMinimum"] + 1
    elif "exclusiveMaximum" in schema:
        number = min(0, schema["exclusiveMaximum"] - 1)
    else:
        number = min(0, schema.get("maximum", 0))
    return number


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    part: Any = root
    for step in reference.removeprefix("#/").split("/"):
        part = part.get(step, {}) if isinstance(part, dict) else {}
    return part if isinstance(part, dict) else {}
