"""Except-branches of a program that no run of a search came to; known on Python 3.12 and later, where watching costs next to nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import PurePath
from types import CodeType
from typing import Any

from harness.explore.properties.errors import is_of_program

_monitoring: Any = getattr(sys, "monitoring", None)

IS_KNOWN = _monitoring is not None
"""Whether this Python tells which lines run."""

_NAME = "harness explore"
_IDS = (3, 4)
"""The ids of tools that are nobody's."""

_MOST = 12
"""So many branches are named."""

Line = tuple[str, int]
"""A file, and the number of a line."""


class Branches:
    """Which lines of the program ran, of functions that have except-branches."""

    def __init__(self) -> None:
        self._began: dict[CodeType, None] = {}
        self._ran: set[Line] = set()
        self._fresh: set[Line] = set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Context manager: lines that run are noted."""
        tool = next(
            (one for one in _IDS if _monitoring and _monitoring.get_tool(one) is None), None
        )
        if tool is None:
            yield
            return
        events = _monitoring.events
        _monitoring.use_tool_id(tool, _NAME)
        _monitoring.register_callback(tool, events.PY_START, partial(self._begins, tool))
        _monitoring.register_callback(tool, events.LINE, self._runs)
        _monitoring.restart_events()
        _monitoring.set_events(tool, events.PY_START)
        try:
            yield
        finally:
            _monitoring.set_events(tool, 0)
            for code in self._began:
                _monitoring.set_local_events(tool, code, 0)
            for event in (events.PY_START, events.LINE):
                _monitoring.register_callback(tool, event, None)
            _monitoring.free_tool_id(tool)

    def fresh(self) -> frozenset[Line]:
        """The lines that ran for the first time since this was asked."""
        fresh, self._fresh = frozenset(self._fresh), set()
        return fresh

    def add(self, lines: Set[Line]) -> None:
        """Note lines that ran in another process."""
        self._ran |= lines

    def never_run(self) -> list[str]:
        """The except-branches of functions that began, which never ran, as `file:line`."""
        files = dict.fromkeys(code.co_filename for code in self._began)
        known = {(code.co_filename, code.co_firstlineno) for code in self._began}
        return [
            f"{PurePath(file).name}:{branch}"
            for file in sorted(files)
            for began, branch in handlers_of(file)
            if (file, began) in known and (file, branch) not in self._ran
        ]

    def _begins(self, tool: int, code: CodeType, _: int) -> Any:  # noqa: ANN401 - a constant of Python's
        if code not in self._began and _has_handlers(code):
            self._began[code] = None
            _monitoring.set_local_events(tool, code, _monitoring.events.LINE)
        return _monitoring.DISABLE

    def _runs(self, code: CodeType, line: int) -> Any:  # noqa: ANN401 - see above
        self._ran.add((code.co_filename, line))
        self._fresh.add((code.co_filename, line))
        return _monitoring.DISABLE


def in_words(lines: Iterable[str]) -> str:
    """Some branches, the first ones by name."""
    named = list(lines)
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


@lru_cache(maxsize=256)
def _is_program(file: str) -> bool:
    return is_of_program(file)


def _has_handlers(code: CodeType) -> bool:
    file = code.co_filename
    return _is_program(file) and any(began == code.co_firstlineno for began, _ in handlers_of(file))


@lru_cache(maxsize=256)
def handlers_of(file: str) -> tuple[tuple[int, int], ...]:
    """Of each except-branch in a file, the first line of its function and the first line of its own; one on the line of its `except` is left out."""
    try:
        with open(file, encoding="utf-8") as source:  # noqa: PTH123 - read as Python does
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return ()
    return tuple(_handlers(tree, 0))


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _handlers(node: ast.AST, began: int) -> Iterator[tuple[int, int]]:
    for child in ast.iter_child_nodes(node):
        inner = began
        if isinstance(child, _Function):
            inner = min([child.lineno, *(one.lineno for one in child.decorator_list)])
        if isinstance(child, ast.ExceptHandler) and child.body[0].lineno != child.lineno and began:
            yield began, child.body[0].lineno
        yield from _handlers(child, inner)
