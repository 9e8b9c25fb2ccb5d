"""What a JSON value has that a type of an SDK does not know, and what it lacks.

The SDKs construct their models without validation, so that a wrong field passes through them unseen.
"""

# ruff: noqa: ANN401 - types and JSON are anything
from __future__ import annotations

import base64
import datetime
import enum
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel


def problems(value: Any, kind: Any, place: str = "$") -> list[str]:
    """The violations of a type, each with its place.

    Args:
        value: The JSON value.
        kind: The type: a model, or an annotation made of models.
        place: Where the value stands.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return problems(value, arguments[0], place)
    if origin in (typing.Union, types.UnionType):
        return _closest(value, arguments, place)
    if origin is Literal:
        fits = any(value == one and type(value) is type(one) for one in arguments)
        return [] if fits else [f"{place}: {value!r} is none of {arguments}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{place}: {value!r} is not a list"]
        return [
            p for n, one in enumerate(value) for p in problems(one, arguments[0], f"{place}[{n}]")
        ]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{place}: {value!r} is not an object"]
        return [p for name in value for p in problems(value[name], arguments[1], f"{place}.{name}")]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(_of_model(value, kind, place))
    return [] if _is_plain(value, kind) else [f"{place}: {value!r} is no {kind}"]


def _closest(value: Any, kinds: tuple[Any, ...], place: str) -> list[str]:
    """The violations of that member of a union which fits best; its `type` decides where it has one."""
    named = [kind for kind in kinds if isinstance(value, dict) and value.get("type") in tags(kind)]
    return min((problems(value, kind, place) for kind in named or kinds), key=len)


def _of_model(value: Any, model: type[BaseModel], place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no {model.__name__}"
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name in value:
        if name not in fields:
            yield f"{place}.{name}: {model.__name__} does not know it"
        else:
            yield from problems(value[name], fields[name].annotation, f"{place}.{name}")
    for name, field in fields.items():
        if field.is_required() and name not in value:
            yield f"{place}.{name}: {model.__name__} requires it"


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is None or kind is type(None):
        return value is None
    if kind in (Any, object):
        return True
    if kind is bytes:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return value in [member.value for member in kind]
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is datetime.datetime:
        return isinstance(value, str) and datetime.datetime.fromisoformat(value) is not None
    return type(value) is kind


def members(union: Any) -> list[type[BaseModel]]:
    """The models of a union, however it is nested."""
    if isinstance(union, type):
        return [union] if issubclass(union, BaseModel) else []
    return [model for part in typing.get_args(union) for model in members(part)]


def tags(kind: Any) -> tuple[Any, ...]:
    """The values of a model's `type`; of all its models for a union."""
    found: list[Any] = []
    for model in members(kind):
        field = model.model_fields.get("type")
        if field is not None:
            found += typing.get_args(field.annotation)
    return tuple(found)
