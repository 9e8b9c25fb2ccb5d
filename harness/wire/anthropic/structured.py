"""What a schema must be that replies or strict tools keep.

https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations; words of published errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.models.schemas import mistake
from harness.wire.anthropic.catalogue import Facts
from harness.wire.anthropic.checks import Table, nothing_else, table_at, tag_at
from harness.wire.anthropic.errors import invalid

_UNSUPPORTED = {
    "integer": ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    "number": ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    "string": ("maxLength", "minLength"),
    "array": ("maxItems", "uniqueItems"),
}
"""Keywords that a type may not have, in the order of errors."""

_ONE = ("items", "additionalProperties")
_MANY = ("anyOf", "allOf")
_BY_NAME = ("properties", "$defs", "definitions")


def check_format(wanted: Table, facts: Facts) -> None:
    """Check the format that a request wants."""
    place = "output_config.format"
    tag_at(wanted, place, ("json_schema",))
    nothing_else(wanted, ("type", "schema"), f"{place}.json_schema.")
    schema = table_at(wanted, "schema", f"{place}.json_schema.schema")
    if not facts.takes_formats:
        raise invalid(f"'{facts.dated}' does not support output format.")
    if mistake(schema) is not None:
        raise invalid(f"{place}.schema: Invalid schema")
    check_strict(schema, f"{place}.schema")


def check_strict(schema: Any, place: str) -> None:  # noqa: ANN401 - any JSON
    """Check a schema that replies or arguments are made to keep.

    Args:
        schema: The schema.
        place: Where it stands.
    """
    wrong = next(_mistakes(schema), None)
    if wrong is not None:
        raise invalid(f"{place}: {wrong}")


def _mistakes(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "object" and schema.get("additionalProperties") is not False:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    found = [name for name in _UNSUPPORTED.get(kind, ()) if name in schema] if isinstance(kind, str) else []  # fmt: skip
    if len(found) == 1:
        yield f"For '{kind}' type, property '{found[0]}' is not supported"
    elif found:
        yield f"For '{kind}' type, properties {', '.join(found)} are not supported"
    if kind == "array" and schema.get("minItems", 0) not in (0, 1):
        yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    for key in _ONE:
        yield from _mistakes(schema.get(key))
    for key in _MANY:
        many = schema.get(key)
        for part in many if isinstance(many, list) else ():
            yield from _mistakes(part)
    for key in _BY_NAME:
        named = schema.get(key)
        for part in named.values() if isinstance(named, dict) else ():
            yield from _mistakes(part)
