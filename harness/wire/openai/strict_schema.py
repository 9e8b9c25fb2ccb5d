"""What strict mode asks of a schema (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.validate import check_schema

_ONE = ("items",)
_BY_NAME = ("properties", "$defs", "definitions")
_MANY = ("anyOf",)
_NOT_PERMITTED = ("allOf", "oneOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")  # fmt: skip


def check_strict(place: str, what: str, schema: object, code: str | None = None) -> None:
    """Check that every object of a schema names all its properties as required, and allows no others.

    Args:
        place: Where the schema stands.
        what: What it is of, such as `function 'search'`.
        schema: The schema, which is one.
        code: What kind of mistake it is.
    """
    wrong = next(_mistakes(schema, ()), None)
    if wrong is not None:
        raise Rejected(f"Invalid schema for {what}: {wrong}", place, code)


def check_function(place: str, function: JsonObject) -> None:
    """Check the parameters of a function, strictly if it says so.

    Args:
        place: Where its parameters stand.
        function: The function.
    """
    what, code = f"function '{function['name']}'", "invalid_function_parameters"
    check_schema(place, what, function.get("parameters"), code)
    if function.get("strict"):
        check_strict(place, what, function.get("parameters"), code)


def check_arrays(place: str, function: JsonObject) -> None:
    """Check that the parameters of a function, strict or not, say what their arrays hold (as published).

    Args:
        place: Where its parameters stand.
        function: The function.
    """
    context = next(_bare_arrays(function.get("parameters"), ()), None)
    if context is not None:
        raise Rejected(
            f"Invalid schema for function '{function['name']}': In context={context}, array schema missing items.",
            place,
            "invalid_function_parameters",
        )


def _bare_arrays(schema: Any, context: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - any JSON
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "array" and not {"items", "prefixItems"}.intersection(schema):
        yield context
    for part, inner in _parts(schema, context):
        yield from _bare_arrays(part, inner)


def _mistakes(schema: Any, context: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if not isinstance(schema, dict):
        return
    for key in _NOT_PERMITTED:
        if key in schema:
            yield f"In context={context}, '{key}' is not permitted."
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            yield f"In context={context}, 'additionalProperties' is required to be supplied and to be false."
        required = schema.get("required") or []
        missing = [name for name in properties or {} if name not in required]
        if missing:
            yield (
                f"In context={context}, 'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing[0]}'."
            )
    for part, inner in _parts(schema, context):
        yield from _mistakes(part, inner)


def _parts(schema: JsonObject, context: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The schemas inside a schema, each with its context."""
    for key in _ONE:
        yield schema.get(key), (*context, key)
    for key in _BY_NAME:
        named = schema.get(key)
        for name, part in named.items() if isinstance(named, dict) else ():
            yield part, (*context, key, name)
    for key in _MANY:
        many = schema.get(key)
        for number, part in enumerate(many if isinstance(many, list) else ()):
            yield part, (*context, key, str(number))
