"""JSON Schema validation. A schema without `$schema` is read as draft 2020-12."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.json_types import JsonObject

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_SHOWN_CHARACTERS = 200


def violation(value: Any, schema: JsonObject) -> str | None:  # noqa: ANN401 - any JSON
    """Where and how a value violates a schema, such as `.city: 3 is not of type 'string'`; None if it does not.

    A schema that cannot be used, such as one that refers to another file, is never violated.
    """
    return checker(schema)(value)


def checker(schema: JsonObject) -> Callable[[Any], str | None]:
    """`violation` for many values and one schema."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    validator = _read(json.dumps(schema)).validator

    def check(value: Any) -> str | None:  # noqa: ANN401 - any JSON
        if validator is None:
            return None
        try:
            errors = [*validator.iter_errors(value)]
            return _told(best_match(errors)) if errors else None
        except (Unresolvable, re.error, RecursionError):
            return None

    return check


def _told(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path)
    said = error.message
    if len(said) > _SHOWN_CHARACTERS:
        said = f"{said[:_SHOWN_CHARACTERS]}..."
    return f"{place}: {said}"


def mistake(schema: object) -> str | None:
    """What is wrong with a schema itself; None if nothing is."""
    return _read(json.dumps(schema)).mistake


class _Read(NamedTuple):
    """A schema that was read."""

    validator: Validator | None
    """Checks values; None if the schema is wrong."""
    mistake: str | None


@lru_cache(maxsize=256)
def _read(schema_text: str) -> _Read:
    """By text, as programs send the same schemas again and again."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    schema = json.loads(schema_text)
    if not isinstance(schema, dict):
        return _Read(None, "x")
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        return _Read(None, error.message[:_SHOWN_CHARACTERS])
    except RecursionError:
        return _Read(None, "too deep")
    # An empty registry: the default one would fetch what a schema refers to.
    return _Read(kind(schema, registry=Registry()), None)
