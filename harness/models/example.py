"""The simplest value that satisfies a JSON Schema: first alternatives, lowest numbers, shortest lists."""

from __future__ import annotations

import math
from typing import Any

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.models.text_of_pattern import text_of

_DEPTH_MAX = 12
"""Schemas may refer to themselves; a plain value is never so deep."""
_PARTS_MAX = 10_000
"""How many values and characters one example has at most."""

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


class _TooDeep(Exception):  # noqa: N818 - another choice may be less deep
    """The schema refers to itself in every alternative."""


def example(schema: JsonObject) -> Any:  # noqa: ANN401 - any JSON
    """The simplest value that satisfies a JSON Schema, as far as it is found without search.

    Raises:
        NotSimulated: The value would have more than 10,000 parts.
    """
    try:
        return _Maker(schema).make(schema, 0, 0)
    except _TooDeep:
        return None


class _Maker:
    """Makes one example.

    Args:
        root: The whole schema, which its parts may refer to.
    """

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._parts = 0

    def make(self, schema: object, depth: int, variant: int) -> Any:  # noqa: ANN401 - any JSON
        """The example of a part.

        Args:
            schema: The part.
            depth: How deep it lies.
            variant: 0 for the plainest value; others differ from it as far as the schema allows.
        """
        self._count(1)
        if depth > _DEPTH_MAX:
            raise _TooDeep
        if not isinstance(schema, dict):
            return None
        for key in ("const", "default"):
            if key in schema and (key == "const" or variant == 0):
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][variant % len(schema["enum"])]
        if "$ref" in schema:
            rest = {key: schema[key] for key in schema if key != "$ref"}
            return self.make(_merged([self._resolve(schema["$ref"]), rest]), depth + 1, variant)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self._one_of(key, schema, depth, variant)
        if schema.get("allOf"):
            rest = {key: schema[key] for key in schema if key != "allOf"}
            parts = [self._resolved(part) for part in schema["allOf"]]
            return self.make(_merged([*parts, rest]), depth + 1, variant)
        return self._of_type(schema, depth, variant)

    def _one_of(self, key: str, schema: JsonObject, depth: int, variant: int) -> Any:  # noqa: ANN401 - any JSON
        rest = {name: schema[name] for name in schema if name != key}
        for choice in schema[key]:
            try:
                return self.make(_merged([rest, self._resolved(choice)]), depth + 1, variant)
            except _TooDeep:
                continue
        raise _TooDeep

    def _of_type(self, schema: JsonObject, depth: int, variant: int) -> Any:  # noqa: ANN401 - any JSON
        kind = schema.get("type") or _type_by_keys(schema)
        if isinstance(kind, list):
            kind = kind[0]
        match kind:
            case "object":
                return self._object(schema, depth, variant)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number":
                return _number(schema, kind, variant)
            case "boolean":
                return variant % 2 == 0
            case "null":
                return None
        return self._text(schema, variant)

    def _object(self, schema: JsonObject, depth: int, variant: int) -> JsonObject:
        properties: JsonObject = schema.get("properties", {})
        wanted = list(schema.get("required", properties))
        least = int(schema.get("minProperties", 0))
        self._count(max(0, least - len(wanted)))
        wanted += [name for name in properties if name not in wanted][: max(0, least - len(wanted))]
        wanted += [f"key{number}" for number in range(1, least - len(wanted) + 1)]
        others = schema.get("additionalProperties", {})
        others = {} if isinstance(others, bool) else others
        return {
            name: self.make(properties.get(name, others), depth + 1, variant) for name in wanted
        }

    def _array(self, schema: JsonObject, depth: int) -> list[Any]:
        first = list(schema.get("prefixItems", ()))
        if "contains" in schema and not first:
            first = [schema["contains"]] * int(schema.get("minContains", 1))
        count = max(int(schema.get("minItems", 1 if depth == 0 else 0)), len(first))
        if schema.get("maxItems") is not None:
            count = min(count, max(int(schema["maxItems"]), len(first)))
        self._count(count)
        items = [*first, *([schema.get("items", {})] * (count - len(first)))]
        unique = bool(schema.get("uniqueItems"))
        return [
            self.make(item, depth + 1, number if unique else 0) for number, item in enumerate(items)
        ]

    def _text(self, schema: JsonObject, variant: int) -> str:
        least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
        self._count(least)
        if schema.get("pattern"):
            return text_of(schema["pattern"], least, _PARTS_MAX)
        text = _FORMATS.get(schema.get("format", ""), "text")
        if variant:
            text = f"{variant}{text}"
        return text.ljust(least, "t")[: None if most is None else int(most)]

    def _count(self, parts: float) -> None:
        self._parts += int(parts)
        if self._parts > _PARTS_MAX:
            raise NotSimulated(
                f"a made-up value of more than {_PARTS_MAX:,} parts, which a JSON Schema of the request asks for",
                "ask for less, or give the agent a reply",
            )

    def _resolved(self, part: object) -> JsonObject:
        if isinstance(part, dict) and "$ref" in part:
            return self._resolve(part["$ref"])
        return part if isinstance(part, dict) else {}

    def _resolve(self, reference: str) -> JsonObject:
        part: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - as JSON Pointer has it
            part = part.get(step, {}) if isinstance(part, dict) else {}
        return part if isinstance(part, dict) else {}


def _merged(schemas: list[JsonObject]) -> JsonObject:
    """One schema that asks for what several do; what two of them bound, the later one does."""
    merged: JsonObject = {}
    for schema in schemas:
        properties = {**merged.get("properties", {}), **schema.get("properties", {})}
        required = dict.fromkeys([*merged.get("required", ()), *schema.get("required", ())])
        merged |= schema
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = list(required)
    return merged


def _type_by_keys(schema: JsonObject) -> str:
    """The type that a schema means which does not name it."""
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
    return "number" if any(key in schema for key in bounds) else "string"


def _number(schema: JsonObject, kind: str, variant: int) -> Any:  # noqa: ANN401 - whole or broken, as the schema has it
    """Zero, or the number next to it that the bounds allow."""
    step = schema.get("multipleOf") or (1 if kind == "integer" else None)
    low = _bound(schema, "minimum", "exclusiveMinimum", max)
    high = _bound(schema, "maximum", "exclusiveMaximum", min)
    number: float = 0
    if low is not None:
        number = low
    elif high is not None:
        number = min(0, high)
    if step is None:
        number = _inside(schema, number, low, high)
        return (
            number + variant if high is None else number + (high - number) * variant / (1 + variant)
        )
    rounded = math.floor(number / step) if low is None else math.ceil(number / step)
    if rounded * step == schema.get("exclusiveMinimum"):
        rounded += 1
    if rounded * step == schema.get("exclusiveMaximum"):
        rounded -= 1
    value = (rounded + (variant if low is not None or high is None else -variant)) * step
    return int(value) if kind == "integer" else value


def _bound(schema: JsonObject, loose: str, strict: str, tighter: Any) -> Any:  # noqa: ANN401 - numbers
    bounds = [schema[key] for key in (loose, strict) if isinstance(schema.get(key), int | float)]
    return tighter(bounds) if bounds else None


def _inside(schema: JsonObject, number: float, low: float | None, high: float | None) -> float:
    """A number that is no bound which it may not be."""
    if number == schema.get("exclusiveMinimum"):
        return number + 1 if high is None or number + 1 < high else (number + high) / 2
    if number == schema.get("exclusiveMaximum"):
        return number - 1 if low is None or number - 1 > low else (number + low) / 2
    return number
