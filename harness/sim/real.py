"""A function of the program that stays real inside a run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.agents import ToolError
from harness.chance.distributions import AnyDistribution
from harness.errors import HarnessError
from harness.faults.of_tools import wait
from harness.kernel.current_world import this_thread
from harness.run.tools import Use, use_of
from harness.units import whole_microseconds
from harness.virtual.reality import really, really_awaited

if TYPE_CHECKING:
    from harness.run.program_world import ProgramWorld


class RealFunction:
    """A function that is called outside of the simulated world; its outcome becomes visible after a virtual latency.

    Virtual time stands still while it works, and no other thread of the run goes on. So the order of what it does follows from the
    seed; what it gives is as deterministic as itself.

    Args:
        target: The function, as `module:name`.
        latency_s: How long a use takes in virtual time [s].
    """

    def __init__(self, target: str, latency_s: AnyDistribution) -> None:
        self.name = target.rpartition(":")[2].rpartition(".")[2]
        self.replaces = target
        self.uses: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        """The arguments of each use."""
        self._latency_s = latency_s
        self._world: Callable[[], ProgramWorld | None] = lambda: None

    def attach(self, world: Callable[[], ProgramWorld | None]) -> None:
        """Set the source of the active run."""
        self._world = world

    def in_place_of(self, original: Any) -> Any:  # noqa: ANN401 - a function, or what a class has of one
        """What stands where the function is, for the time of a run.

        Raises:
            HarnessError: It is none that gives its result when it returns.
        """
        if isinstance(original, classmethod | staticmethod):
            return type(original)(self.in_place_of(original.__func__))
        bare = inspect.unwrap(original) if callable(original) else None
        if bare is None or inspect.isclass(bare) or _gives_one_by_one(bare):
            raise HarnessError(
                f"{self.replaces!r} cannot stay real: it is not a function that returns its whole result at once\n"
                "  How to fix: name a function that calls it and returns what it gives, such as a list."
            )
        if inspect.iscoroutinefunction(bare):
            return self._async(original)
        return self._blocking(original)

    def _blocking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the function's
            world, place = self._world(), this_thread.world
            if world is None or place is None:  # it is called by something that is real already
                return original(*args, **kwargs)
            self.uses.append((args, kwargs))
            with use_of(world, self.name, args, kwargs) as use:
                outcome = _outcome(really, original, *args, **kwargs)
                place.block(self._sample_s(world, use))
                return self._told(use, outcome)

        return call

    def _async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the function's
            world = self._world()
            if world is None or this_thread.world is None:
                return await original(*args, **kwargs)
            self.uses.append((args, kwargs))
            with use_of(world, self.name, args, kwargs) as use:
                outcome = _outcome(really_awaited, original, *args, **kwargs)
                await wait(self._sample_s(world, use))
                return self._told(use, outcome)

        return call

    def _sample_s(self, world: ProgramWorld, use: Use) -> float:
        latency_s = whole_microseconds(self._latency_s.sample(world.draws, use.key, "latency"))
        return latency_s + (0.0 if use.mishap is None else use.mishap.wait_s)

    def _told(self, use: Use, outcome: Callable[[], Any]) -> Any:  # noqa: ANN401 - the function's
        """What its caller is told; it really did what it does, whatever a fault makes of the answer."""
        result = outcome()
        use.is_done, use.effects = True, 1
        if use.mishap is None:
            return result
        if use.mishap.error:
            raise ToolError(use.mishap.error, breaks=use.mishap.breaks)
        return use.mishap.altered(result)


def _gives_one_by_one(function: Callable[..., object]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _outcome(call: Callable[..., object], *args: object, **kwargs: object) -> Callable[[], Any]:
    """Call something now; what is returned gives its result, or raises its exception."""
    try:
        result = call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - raised when its time has come
        failure = error

        def fail() -> Any:  # noqa: ANN401 - see above
            raise failure

        return fail
    return lambda: result
