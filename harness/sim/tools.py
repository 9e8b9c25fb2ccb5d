"""A simulated tool: a function that takes virtual time; async, unless it replaces a plain function."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from harness.agents import ToolError
from harness.chance.distributions import AnyDistribution
from harness.errors import HarnessError
from harness.kernel.current_world import lineage_here, this_thread
from harness.sim.program import place_of
from harness.spans import CANCELLED, ERROR, OK, TOOL
from harness.units import whole_microseconds
from harness.virtual.patching import Attribute, on_their_owners
from harness.wire.routing import scope_here

if TYPE_CHECKING:
    from harness.run.program_world import ProgramWorld


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


@contextmanager
def use_of(
    world: ProgramWorld, name: str, args: tuple[object, ...], kwargs: dict[str, Any]
) -> Iterator[str]:
    """One use of a tool, as a span; gives the key of what is drawn for it."""
    number = world.count_tool(name)
    scope = scope_here(world.root)
    span = world.log.open(TOOL, name, scope.span, scope.agent or "", ordinal=number)
    status = CANCELLED
    try:
        yield f"{scope.span.task}/tool/{name}/{number}"
        status = OK
    except Exception as error:
        status, span.error = ERROR, type(error).__name__
        raise
    finally:
        world.log.close(span, status)
        if status != ERROR:  # one that was cancelled may have done its work
            world.note_effect(name, span, args, kwargs)


class SimTool:
    """A simulated tool; await it with any arguments.

    Args:
        name: Its name in spans.
        result: Its result, or a function of its arguments that returns it.
        latency_s: How long one use takes [s].
        failure_probability: Share of uses that fail, after their latency.
        replaces: The function that it replaces, as `module:name`.
    """

    def __init__(
        self,
        name: str,
        result: object,
        latency_s: AnyDistribution,
        failure_probability: float,
        replaces: str | None,
    ) -> None:
        # What `inspect` asks a thing for that is like a function: frameworks must see that it is an async one.
        self.__name__ = name
        self.__code__ = SimTool.__call__.__code__
        self.__defaults__ = self.__kwdefaults__ = None
        self.__annotations__: dict[str, Any] = {}
        self.name = name
        self.replaces = replaces
        self.uses: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        """The arguments of each use."""
        self._result = result
        self._latency_s = latency_s
        self._failure_probability = failure_probability
        self._world: Callable[[], ProgramWorld | None] = lambda: None

    def in_place_of(self, original: object) -> Any:  # noqa: ANN401 - a function, or what a class has of one
        """Itself for what is awaited; for a function that gives its result when it returns, one that does so too."""
        if isinstance(original, classmethod | staticmethod):
            original = original.__func__
        if not callable(original) or _is_awaited(original):
            return self

        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the program's
            with self._use(args, kwargs) as (latency_s, answer):
                if (
                    this_thread.world is not None
                ):  # otherwise something real calls it, for which no time passes
                    this_thread.world.block(latency_s)
                return answer()

        blocking = functools.update_wrapper(call, original)
        assert self.replaces is not None, "it stands in for something"
        # Like the async tool, one that stands in for a method is not given the object.
        return staticmethod(blocking) if inspect.isclass(place_of(self.replaces)[0]) else blocking

    def attach(self, world: Callable[[], ProgramWorld | None]) -> None:
        """Set the source of the active run."""
        self._world = world

    async def __call__(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the program's
        """Wait, then answer.

        Raises:
            ToolError: This use was drawn to fail.
        """
        with self._use(args, kwargs) as (latency_s, answer):
            await asyncio.sleep(latency_s)
            return answer()

    @contextmanager
    def _use(
        self, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[float, Callable[[], Any]]]:
        """One use; gives how long it takes [s], and what is called afterwards for the answer."""
        world = self._world()
        if world is None:
            raise HarnessError(f"tool {self.name!r} works inside a run only")
        self.uses.append((args, kwargs))
        with use_of(world, self.name, args, kwargs) as key:
            fails = world.draws.uniform(key, "failure") < self._failure_probability
            latency_s = whole_microseconds(self._latency_s.sample(world.draws, key, "latency"))
            outcome, latency_s = _chosen(world, self.name, "fails" if fails else "done", latency_s)

            def answer() -> Any:  # noqa: ANN401 - the program's
                if outcome == "fails":
                    raise ToolError(f"{self.name} failed")
                result = self._result(*args, **kwargs) if callable(self._result) else self._result
                if outcome == "lost":
                    world.note_effect(self.name, None, args, kwargs)
                    raise ToolError(f"{self.name} did its work, and the answer was lost")
                return result

            yield latency_s, answer


def _chosen(world: ProgramWorld, name: str, outcome: str, latency_s: float) -> tuple[str, float]:
    """What a use of a tool comes to and how long it takes [s], which may be overridden."""
    choices = world.draws.choices
    if choices is None:
        return outcome, latency_s
    line = lineage_here()
    path = "" if line is None else line.path
    return choices.choose_use(path, name, world.kernel.now_s(), outcome, latency_s)


def _is_awaited(function: Callable[..., object]) -> bool:
    """Whether a function gives its result later: to `await` or `async for`."""
    bare = inspect.unwrap(function)
    candidates = (function, bare, getattr(type(bare), "__call__", None))  # noqa: B004 - an object may be async to call
    if any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in candidates
    ):
        return True
    said = getattr(bare, "__annotations__", {}).get("return", "")
    name = said if isinstance(said, str) else getattr(said, "__qualname__", repr(said))
    return name.rpartition(".")[2].partition("[")[0] in _AWAITED


_AWAITED = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
"""Annotations of a function that is no `async def` and gives something to await."""
