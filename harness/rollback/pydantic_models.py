"""Pydantic models: their compiled validators keep copies of field values from definition time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

from harness.rollback.reach import Place

_COMPILED = ("__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__", "__signature__")  # fmt: skip
_COMPILED_ADAPTER = ("core_schema", "validator", "serializer")
_ABSENT = object()

_known: WeakKeyDictionary[Any, tuple[object, dict[str, Any]]] = WeakKeyDictionary()
"""What was compiled for each model, with the validator that it took the place of: to compile takes milliseconds."""


@contextmanager
def rebuilt(places: Iterable[Place], changed: Sequence[Place]) -> Iterator[None]:
    """Context manager: the program's models are compiled from the fields as they are now.

    Args:
        places: All places of the program.
        changed: Those whose contents have changed. If none is a field, nothing is compiled.
    """
    if not any(_is_of_pydantic(type(place.thing)) for place in changed):
        yield
        return
    models = list({id(place.thing): place.thing for place in places if _is_model(place.thing)}.values())  # fmt: skip
    before = [(model, _compiled(model)) for model in models]
    try:
        _compile(before)
        yield
    finally:
        for model, attributes in before:
            _put(model, attributes)


def _compile(before: list[tuple[Any, dict[str, Any]]]) -> None:
    new = [
        model
        for model, attributes in before
        if model not in _known or _known[model][0] is not attributes[_names(model)[1]]
    ]
    for model in new:
        # A model is compiled with the models in it as they have been compiled, so those are forgotten first.
        _put(model, dict.fromkeys(_names(model)[:1], _ABSENT))
    for model in new:
        with suppress(Exception):  # a model that could not be compiled before either
            _compile_one(model)
    for model, attributes in before:
        if model in new:
            _known[model] = attributes[_names(model)[1]], _compiled(model)
        else:
            _put(model, _known[model][1])


def _compile_one(model: Any) -> None:  # noqa: ANN401 - pydantic may not be installed
    if not isinstance(model, type):
        model.rebuild(force=True)
    elif hasattr(model, "model_rebuild"):
        model.model_rebuild(force=True)
    else:
        sys.modules["pydantic.dataclasses"].rebuild_dataclass(model, force=True)


def _compiled(model: object) -> dict[str, Any]:
    return {name: vars(model).get(name, _ABSENT) for name in _names(model)}


def _put(model: object, attributes: dict[str, Any]) -> None:
    write, delete = (type.__setattr__, type.__delattr__) if isinstance(model, type) else (setattr, delattr)  # fmt: skip
    for name, value in attributes.items():
        if value is not _ABSENT:
            write(model, name, value)
        elif name in vars(model):
            delete(model, name)


def _names(model: object) -> tuple[str, ...]:
    return _COMPILED if isinstance(model, type) else _COMPILED_ADAPTER


def _is_model(thing: object) -> bool:
    if isinstance(thing, type):
        return "__pydantic_validator__" in type.__dict__["__dict__"].__get__(thing)
    adapter = getattr(sys.modules.get("pydantic"), "TypeAdapter", None)
    return adapter is not None and type(thing) is adapter


def _is_of_pydantic(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "pydantic"
