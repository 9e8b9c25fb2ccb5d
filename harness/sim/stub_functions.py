"""Stub functions of a scenario file that a test uses."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import coroutine
from typing import Any

from harness.kernel.current_world import World, this_thread
from harness.models import Request
from harness.rollback.fresh import OwnModules
from harness.scenario import LoadedScenario
from harness.scenario.functions import find_function


class StubFunctions:
    """The stub functions of a scenario, in modules that are imported anew for each run of a test.

    The test's own modules stay as they are: a stub sees none of their state.

    Args:
        scenario: Names the functions.
    """

    def __init__(self, scenario: LoadedScenario) -> None:
        self._folder = scenario.folder
        self._modules = OwnModules(self._folder)
        self._world: World | None = None
        self._now: AbstractContextManager[None] | None = None

    def find(self, name: str) -> Callable[[Request], Any]:
        """A function that calls the stub of that name, in the modules of the run in progress."""

        def call(request: Request) -> Any:  # noqa: ANN401 - whatever the function gives
            if this_thread.world is not self._world:
                self._world, self._modules = this_thread.world, OwnModules(self._folder)
            with self._running():
                said = find_function(name)(request)
            return self._in_steps(said) if inspect.isawaitable(said) else said

        return call

    # The modules belong to the process: they are there while a stub runs, and not while it waits and others run.

    def enter(self) -> None:
        """Put the modules in."""
        self._now = self._modules.entered()
        self._now.__enter__()

    def leave(self) -> None:
        """Take them out."""
        assert self._now is not None
        self._now.__exit__(None, None, None)
        self._now = None

    @contextmanager
    def _running(self) -> Iterator[None]:
        assert this_thread.world is not None, "stubs are called in a run"
        thread = this_thread.world.kernel.baton.current
        self.enter()
        thread.entered = self
        try:
            yield
        finally:
            thread.entered = None
            self.leave()

    @coroutine
    def _in_steps(self, saying: Awaitable[object]) -> Generator[Any, Any, Any]:
        """Await something, with the modules there in each step."""
        steps = saying.__await__()
        error: BaseException | None = None
        while True:
            with self._running():
                try:
                    wanted = next(steps) if error is None else steps.throw(error)
                except StopIteration as end:
                    return end.value
            error = None
            try:
                yield wanted
            except BaseException as thrown:  # noqa: BLE001 - it is for what is awaited
                error = thrown
