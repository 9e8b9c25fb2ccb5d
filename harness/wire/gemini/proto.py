"""A request's JSON, read as a message of the protocol: both spellings of a name, and the gateway's words for what does not fit.

A client may write `max_output_tokens` or `maxOutputTokens`, one object where a list is expected, and a number as a text; what is
read has one form (https://protobuf.dev/programming-guides/json/).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from harness.json_types import JsonObject
from harness.wire.gemini.errors import DOMAIN, Rejection
from harness.wire.gemini.fields import MESSAGES, Field, snake

_PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_TYPES = {
    "string": "TYPE_STRING",
    "bytes": "TYPE_BYTES",
    "bool": "TYPE_BOOL",
    "int": "TYPE_INT32",
    "float": "TYPE_FLOAT",
    "struct": "type.googleapis.com/google.protobuf.Struct",
}


class _Mistakes(list[tuple[str, str]]):
    """What is wrong with a message: the place and the words of each mistake."""

    def unknown(self, name: str, place: str) -> None:
        at = f" at '{place}'" if place else ""
        said = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
        self.append((place, said))

    def invalid(self, place: str, kind: str, value: object) -> None:
        named = _TYPES.get(kind, f"{_PACKAGE}{kind}")
        shown = json.dumps(value, ensure_ascii=False)
        self.append((place, f"Invalid value at '{place}' ({named}), {shown}"))


def read(body: JsonObject, message: str) -> JsonObject:
    """Read a message.

    Args:
        body: The JSON.
        message: Its name, as `MESSAGES` has it.

    Returns:
        The message with its fields in camel case, without those that are null.

    Raises:
        Rejection: A name is unknown, or a value is not of the kind that its field has.
    """
    mistakes = _Mistakes()
    found = _message(body, message, "", mistakes)
    if mistakes:
        violations = [{"field": place, "description": said} for place, said in mistakes]
        details = [{"@type": f"{DOMAIN}BadRequest", "fieldViolations": violations}]
        raise Rejection("\n".join(said for _, said in mistakes), details=details)
    return found


def _message(body: Any, message: str, place: str, mistakes: _Mistakes) -> JsonObject:  # noqa: ANN401 - JSON is anything
    if not isinstance(body, dict):
        mistakes.invalid(place, message, body)
        return {}
    fields, found = MESSAGES[message], {}
    for name, value in body.items():
        field = fields.get(name)
        if field is None:
            mistakes.unknown(name, place)
        elif value is not None:
            inner = f"{place}.{snake(field.name)}" if place else snake(field.name)
            found[field.name] = _values(value, field, inner, mistakes)
    return found


def _values(value: Any, field: Field, place: str, mistakes: _Mistakes) -> Any:  # noqa: ANN401 - as above
    if field.holds == "*":
        items = value if isinstance(value, list) else [value]
        return [
            _value(item, field.kind, f"{place}[{number}]", mistakes)
            for number, item in enumerate(items)
        ]
    if field.holds == "{}":
        if not isinstance(value, dict):
            mistakes.invalid(place, "struct", value)
            return {}
        return {
            key: _value(item, field.kind, f"{place}[{number}].value", mistakes)
            for number, (key, item) in enumerate(value.items())
        }
    return _value(value, field.kind, place, mistakes)


def _value(value: Any, kind: str, place: str, mistakes: _Mistakes) -> Any:  # noqa: ANN401 - as above
    if kind in MESSAGES:
        return _message(value, kind, place, mistakes)
    if kind == "bytes" and isinstance(value, str) and not _is_base64(value):
        said = (
            f"Invalid value at '{place}' (TYPE_BYTES), Base64 decoding failed for \"{value[:40]}\""
        )
        mistakes.append((place, said))
        return value
    if kind in ("int", "float"):
        return _number(value, kind, place, mistakes)
    if not _is_of(value, kind):
        mistakes.invalid(place, kind, value)
    return value


def _number(value: Any, kind: str, place: str, mistakes: _Mistakes) -> Any:  # noqa: ANN401 - as above
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = None
    if number is None or (kind == "int" and not number.is_integer()):
        mistakes.invalid(place, kind, value)
        return 0
    return int(number) if kind == "int" else number


def _is_of(value: object, kind: str) -> bool:
    match kind:
        case "string" | "bytes":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "struct":
            return isinstance(value, dict)
    return True


def _is_base64(text: str) -> bool:
    """Whether a text is base64 in either alphabet; padding may be left out."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
