"""A process-wide change that several threads may need at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, ParamSpec

P = ParamSpec("P")


class SharedChange(Generic[P]):
    """The first who enters makes the change, and the last who leaves undoes it.

    Args:
        change: Makes the change while inside.
    """

    def __init__(self, change: Callable[P, AbstractContextManager[None]]) -> None:
        self._change = change
        self._inside: list[AbstractContextManager[None]] = []
        self._door = threading.Lock()

    @contextmanager
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[None]:
        """Context manager: the change is made; the arguments of the first count."""
        with self._door:
            made = self._inside[0] if self._inside else self._change(*args, **kwargs)
            if not self._inside:
                made.__enter__()
            self._inside.append(made)
        try:
            yield
        finally:
            with self._door:
                self._inside.pop()
                if not self._inside:
                    made.__exit__(None, None, None)
