"""Modules of somebody's program, made before a run."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

NAME = "module_of_a_program"


def module_with(text: str) -> Callable[[], AbstractContextManager[types.ModuleType]]:
    """What prepares a module with this text, and takes it away."""

    @contextmanager
    def prepare() -> Iterator[types.ModuleType]:
        module = types.ModuleType(NAME)
        module.__file__ = f"/somewhere/{NAME}.py"
        sys.modules[NAME] = module
        exec(compile(text, module.__file__, "exec"), vars(module))
        try:
            yield module
        finally:
            del sys.modules[NAME]

    return prepare
