"""Single values of a request, checked in the words of the API, which are those of pydantic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from harness.json_types import JsonObject
from harness.wire.anthropic.errors import invalid

_NO_VALUE = object()

Table = Mapping[str, Any]
"""An object of JSON."""


def text_at(table: Table, name: str, place: str) -> str:
    """A required text."""
    value = _given(table, name, place)
    if not isinstance(value, str):
        raise invalid(f"{place}: Input should be a valid string")
    return value


def whole_number_at(table: Table, name: str, place: str, least: int) -> int:
    """A required whole number."""
    value = _given(table, name, place)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{place}: Input should be a valid integer")
    if value < least:
        raise invalid(f"{place}: Input should be greater than or equal to {least}")
    return value


def list_at(table: Table, name: str, place: str) -> list[Any]:
    """A required list."""
    value = _given(table, name, place)
    if not isinstance(value, list):
        raise invalid(f"{place}: Input should be a valid list")
    return value


def table_at(table: Table, name: str, place: str) -> JsonObject:
    """A required object."""
    return as_table(_given(table, name, place), place)


def as_table(value: object, place: str) -> JsonObject:
    """Something that must be an object."""
    if not isinstance(value, dict):
        raise invalid(f"{place}: Input should be a valid dictionary")
    return value


def truth_at(table: Table, name: str, place: str) -> bool:
    """A boolean; false if absent."""
    value = table.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"{place}: Input should be a valid boolean")
    return bool(value)


def tag_at(table: Table, place: str, tags: Collection[str]) -> str:
    """The `type` of an object."""
    kind = table.get("type", _NO_VALUE)
    if kind is _NO_VALUE:
        raise invalid(f"{place}: Unable to extract tag using discriminator 'type'")
    if not isinstance(kind, str) or kind not in tags:
        expected = ", ".join(f"'{tag}'" for tag in tags)
        raise invalid(
            f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        )
    return kind


def nothing_else(table: Table, allowed: Collection[str], place: str = "") -> None:
    """Reject unknown fields."""
    for name in table:
        if name not in allowed:
            raise invalid(f"{place}{name}: Extra inputs are not permitted")


def _given(table: Table, name: str, place: str) -> object:
    value = table.get(name, _NO_VALUE)
    if value is _NO_VALUE:
        raise invalid(f"{place}: Field required")
    return value
