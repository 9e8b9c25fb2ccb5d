"""Run async tests in the simulation, whichever async plugin is installed.

pytest is not needed by anything else here: only the plugin imports this file.
"""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

import pytest

from harness.sim.sim import Sim


@contextmanager
def run_in(simulation: Sim, item: pytest.Item) -> Iterator[None]:
    """Context manager: an async test that pytest calls is the program of a run.

    pytest-asyncio goes by the class of the item, anyio by the function and a fixture. So a plain function takes the place
    of the async one, and pytest's own `runtest` that of the item's.

    Args:
        simulation: What it runs in.
        item: The test; one that is not async is left alone.
    """
    if not isinstance(item, pytest.Function):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        holder, name = _place_of_test(item)
        test = getattr(holder, name)
        if inspect.iscoroutinefunction(test):
            _skip_if_not_asyncio(item)
            if item.cls is not None and issubclass(item.cls, unittest.TestCase):
                whole = functools.partial(simulation.run, item.runtest)  # it makes its own loop
                patch.setattr(item, "runtest", whole)
            else:
                patch.setattr(holder, name, _as_program(simulation, test))
                patch.setattr(item, "runtest", functools.partial(pytest.Function.runtest, item))
        yield


def _place_of_test(item: pytest.Function) -> tuple[object, str]:
    """Where the author's function is; Hypothesis keeps it in one of its own, which calls it for each example."""
    if getattr(item.obj, "is_hypothesis_test", False) is True:
        return item.obj.hypothesis, "inner_test"
    return item, "obj"


def _as_program(
    simulation: Sim, test: Callable[..., Coroutine[object, None, None]]
) -> Callable[..., None]:
    @functools.wraps(test, updated=())  # what marks a function as async may stand in its dictionary
    def run_test(*args: object, **kwargs: object) -> None:
        __tracebackhide__ = True
        simulation.run(test(*args, **kwargs))

    return run_test


def _skip_if_not_asyncio(item: pytest.Function) -> None:
    """Skip a test that anyio's plugin wants to run on another library than asyncio."""
    backend = item.funcargs.get("anyio_backend")
    library = backend[0] if isinstance(backend, tuple) and backend else backend
    if isinstance(library, str) and library != "asyncio":
        pytest.skip(f"a simulation runs on asyncio, not on {library}")
