"""What strict mode asks of a schema (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.validate import check_schema

_ONE = ("items", "not")
_BY_NAME = ("properties", "$defs", "definitions")
_MANY = ("anyOf",)


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


def _mistakes(schema: Any, context: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if not isinstance(schema, dict):
        return
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
    for key in _ONE:
        yield from _mistakes(schema.get(key), (*context, key))
    for key in _BY_NAME:
        inner = schema.get(key)
        for name, part in inner.items() if isinstance(inner, dict) else ():
            yield from _mistakes(part, (*context, key, name))
    for key in _MANY:
        many = schema.get(key)
        for number, part in enumerate(many if isinstance(many, list) else ()):
            yield from _mistakes(part, (*context, key, str(number)))
