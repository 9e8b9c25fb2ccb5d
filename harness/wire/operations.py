"""Which operations an API has: those that are simulated, and those that are refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

ANY: Final = "{}"
"""Stands for one segment of a path."""


class Operation(NamedTuple):
    """A method at a path, as an SDK has it."""

    method: str
    path: str
    """From the API's base path, with `{}` for a segment that varies; it may have a verb behind it, as `{}:cancel` has."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def is_at(self, method: str, segments: list[str]) -> bool:
        """Whether a request is for it."""
        own = self.path.split("/")
        return (
            method == self.method
            and len(own) == len(segments)
            and all(_fits(one, there) for one, there in zip(own, segments, strict=True))
        )


def _fits(own: str, there: str) -> bool:
    name, mark, verb = own.partition(":")
    if name == ANY and mark:
        return there.partition(":")[2] == verb
    return own in (ANY, there)


class Operations:
    """Operations in a table with lines such as `/files GET POST`.

    Args:
        table: The table.
    """

    def __init__(self, table: str) -> None:
        self._all = sorted(_read(table), key=lambda one: (one.path.count(ANY), one))

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def at(self, method: str, path: str) -> Operation | None:
        """The operation that a request is for.

        Args:
            method: Its method.
            path: Its path behind the base path.
        """
        segments = path.rstrip("/").split("/")
        return next((one for one in self._all if one.is_at(method, segments)), None)

    def behind_any_base(self, method: str, path: str) -> Operation | None:
        """Likewise, behind a base path that is unknown."""
        starts = (n for n, letter in enumerate(path) if letter == "/")
        return next((found for n in starts if (found := self.at(method, path[n:]))), None)


def _read(table: str) -> Iterator[Operation]:
    for line in table.split("\n"):
        path, *methods = line.split() or [""]
        yield from (Operation(method, path) for method in methods)
