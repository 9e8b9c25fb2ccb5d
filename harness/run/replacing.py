"""Functions of the program that are replaced during a run."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from harness.errors import HarnessError
from harness.virtual.patching import Attribute, on_their_owners


class Replacement(Protocol):
    """A replacement of a function of the program."""

    @property
    def replaces(self) -> str | None:
        """The function, as `module:name`; None means that nothing is replaced."""

    @property
    def uses(self) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The arguments of each use."""

    def in_place_of(self, original: object) -> Any:  # noqa: ANN401 - a function, or what a class has of one
        """What takes the place of the function."""


@contextmanager
def replaced(tools: Iterable[Replacement]) -> Iterator[None]:
    """Context manager that puts tools in the place of the functions that they replace."""
    with ExitStack() as undo:
        for tool in tools:
            if tool.replaces is not None:
                place, name = place_of(tool.replaces)
                original = vars(place).get(name, getattr(place, name))
                there = Attribute(place, name, tool.in_place_of(original))
                undo.enter_context(on_their_owners([there]))
        yield


def place_of(target: str) -> tuple[Any, str]:
    """Where a function is kept that `module:name` names: the module or class, and its name there."""
    module, _, name = target.partition(":")
    *path, last = name.split(".")
    try:
        place: Any = importlib.import_module(module)
        for step in path:
            place = getattr(place, step)
    except (ImportError, AttributeError, ValueError):
        place = None
    if not last or not hasattr(place, last):
        raise HarnessError(
            f"there is no {target!r} to replace\n  How to fix: name it as `module:function`"
        )
    return place, last
