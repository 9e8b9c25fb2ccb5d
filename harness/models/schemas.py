"""Whether a value keeps a JSON Schema; which draft a schema is of, it says itself, and otherwise it is of 2020-12."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_SHOWN_CHARACTERS = 200


def violation(value: Any, schema: dict[str, Any]) -> str | None:  # noqa: ANN401 - any JSON
    """Where and how a value breaks a schema, such as `.city: 3 is not of type 'string'`; None if it does not.

    A schema that cannot be understood, such as one that refers to another file, is broken by nothing.
    """
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    validator = _validator(json.dumps(schema))
    if validator is None:
        return None
    try:
        error = best_match(validator.iter_errors(value))
    except (Unresolvable, re.error, RecursionError):
        return None
    if error is None:
        return None
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path)
    said = error.message
    if len(said) > _SHOWN_CHARACTERS:
        said = f"{said[:_SHOWN_CHARACTERS]}..."
    return f"{place}: {said}"


@lru_cache(maxsize=256)
def _validator(schema_text: str) -> Validator | None:
    """Checks values; None if the schema itself is wrong. By text, as programs send the same schemas again and again."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    schema = json.loads(schema_text)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except (SchemaError, RecursionError):
        return None
    # An empty registry: the default one would fetch what a schema refers to.
    validator: Validator = kind(schema, registry=Registry())
    return validator
