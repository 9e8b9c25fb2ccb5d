"""Stub functions of a scenario file that a test uses."""

from __future__ import annotations

from collections.abc import Callable

from harness.kernel.current_world import World, this_thread
from harness.models import Reply, Request
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

    def find(self, name: str) -> Callable[[Request], str | Reply]:
        """A function that calls the stub of that name, in the modules of the run in progress."""

        def call(request: Request) -> str | Reply:
            if this_thread.world is not self._world:
                self._world, self._modules = this_thread.world, OwnModules(self._folder)
            with self._modules.entered():
                answer: str | Reply = find_function(name)(request)
            return answer

        return call
