"""Stub functions of a scenario file that a test uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.kernel.fresh import OwnModules
from harness.kernel.here import World, here
from harness.models import Request
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

    def find(self, name: str) -> Callable[[Request], Any]:
        """A function that calls the stub of that name, in the modules of the run in progress."""

        def call(request: Request) -> Any:  # noqa: ANN401 - whatever the function gives
            if here.world is not self._world:
                self._world, self._modules = here.world, OwnModules(self._folder)
            with self._modules.entered():
                return find_function(name)(request)

        return call
