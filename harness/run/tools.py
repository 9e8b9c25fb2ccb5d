"""A simulated tool: a function that takes virtual time; async, unless it replaces a plain function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from harness.agents import ToolError
from harness.agents.mishap import Mishap
from harness.chance.distributions import AnyDistribution
from harness.errors import HarnessError, did_you_mean
from harness.faults.of_tools import wait
from harness.kernel.current_world import lineage_here, this_thread
from harness.run.program_world import ProgramWorld
from harness.run.replacing import place_of
from harness.spans import CANCELLED, ERROR, OK, TOOL
from harness.units import whole_microseconds
from harness.wire.routing import scope_here


@dataclass(slots=True)
class Use:
    """One use of a tool, while it goes on."""

    key: str
    """Names its draws."""
    mishap: Mishap | None
    """What a fault makes of it; None for nothing."""
    effects: int
    """How often it takes effect, if it does not fail."""
    is_done: bool = False
    """Whether it has taken effect, whatever its caller is told."""
    is_noted: bool = False
    """Whether an earlier use of the same idempotency key was cancelled, and its effect was noted then."""


@contextmanager
def use_of(
    world: ProgramWorld,
    name: str,
    args: tuple[object, ...],
    kwargs: dict[str, Any],
    *,
    used_before: bool = False,
) -> Iterator[Use]:
    """One use of a tool, as a span.

    Args:
        world: The run.
        name: The tool.
        args: Its positional arguments.
        kwargs: Its arguments by name.
        used_before: Whether it has answered before in this run.
    """
    number, asked = world.begin_use(name)
    scope = scope_here(world.root)
    span = world.log.open(TOOL, name, scope.span, scope.agent or "", ordinal=number)
    key = f"{scope.span.task}/tool/{name}/{number}"
    mishap = world.mishap(name, span, key, used_before=used_before)
    use = Use(key, mishap, 1 if mishap is None else mishap.effects)
    status = CANCELLED
    try:
        yield use
        status = OK
    except Exception as error:
        status, span.error = ERROR, type(error).__name__
        raise
    finally:
        world.log.close(span, status)
        world.end_use(name, (args, kwargs), span, asked)
        # One that was cancelled may have done its work.
        if (status != ERROR or use.is_done) and not use.is_noted:
            for _ in range(use.effects):
                world.note_effect(name, span, args, kwargs)


Answer = Generator[Callable[[], Any], Any, Any]
"""What comes of a use: it gives the functions of the test that are to be called, and is sent their results."""


async def _awaited(answer: Answer) -> Any:  # noqa: ANN401 - the program's
    """The answer, for which functions of the test are called, and awaited if they are async."""
    result: Any = None
    while True:
        try:
            work = answer.send(result)
        except StopIteration as end:
            return end.value
        result = work()
        if inspect.isawaitable(result):
            result = await result


def _at_once(name: str, answer: Answer) -> Any:  # noqa: ANN401 - the program's
    """The answer where nothing can be awaited.

    Raises:
        HarnessError: A function of the test is async.
    """
    result: Any = None
    while True:
        try:
            work = answer.send(result)
        except StopIteration as end:
            return end.value
        result = work()
        if inspect.iscoroutine(result):
            result.close()
            raise HarnessError(
                f"tool {name!r}: its result is an async function, and it replaces one that is not awaited\n"
                "  How to fix: give it a plain function, which may wait with time.sleep"
            )


class SimTool:
    """A simulated tool; await it with any arguments.

    Args:
        name: Its name in spans.
        result: Its result, or a function of its arguments, sync or async, that returns it.
        latency_s: How long one use takes [s].
        failure_probability: Share of uses that fail, after their latency.
        replaces: The function that it replaces, as `module:name`.
        idempotency_key: The argument that is its idempotency key; None means that each use has a key of its own.
    """

    def __init__(
        self,
        name: str,
        result: object,
        latency_s: AnyDistribution,
        failure_probability: float,
        replaces: str | None,
        idempotency_key: str | None = None,
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
        self._idempotency_key = idempotency_key
        self._signature: inspect.Signature | None = None
        """Of the function that it replaces, where it has one."""
        self._answers: WeakKeyDictionary[ProgramWorld, dict[object, Any]] = WeakKeyDictionary()
        """By run: what was answered to each idempotency key, and last."""

    def in_place_of(self, original: object) -> Any:  # noqa: ANN401 - a function, or what a class has of one
        """Itself for what is awaited; for a function that gives its result when it returns, one that does so too."""
        if isinstance(original, classmethod | staticmethod):
            original = original.__func__
        if callable(original):
            with suppress(TypeError, ValueError):
                self._signature = inspect.signature(original)
        self._check_key()
        if not callable(original) or _is_awaited(original):
            return self

        def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the program's
            with self.use(args, kwargs) as (latency_s, answer):
                if (
                    this_thread.world is not None
                ):  # otherwise something real calls it, for which no time passes
                    this_thread.world.block(latency_s)
                return _at_once(self.name, answer)

        blocking = functools.update_wrapper(call, original)
        assert self.replaces is not None, "it stands in for something"
        # Like the async tool, one that stands in for a method is not given the object.
        return staticmethod(blocking) if inspect.isclass(place_of(self.replaces)[0]) else blocking

    def _check_key(self) -> None:
        """Check that the function which is replaced has the argument that is the idempotency key.

        Raises:
            HarnessError: It has no such argument.
        """
        name, signature = self._idempotency_key, self._signature
        if name is None or signature is None or name in signature.parameters:
            return
        parameters = signature.parameters.values()
        if any(it.kind is it.VAR_KEYWORD for it in parameters):
            return
        hint = did_you_mean(name, signature.parameters)
        raise HarnessError(
            f"tool {self.name!r}: idempotency_key is {name!r}, and {self.replaces} has no such argument{hint}\n"
            f"  Known: {', '.join(signature.parameters) or 'none'}"
        )

    def attach(self, world: Callable[[], ProgramWorld | None]) -> None:
        """Set the source of the active run."""
        self._world = world

    async def __call__(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the program's
        """Wait, then answer.

        Raises:
            ToolError: This use was drawn to fail.
        """
        with self.use(args, kwargs) as (latency_s, answer):
            await wait(latency_s)
            return await _awaited(answer)

    @contextmanager
    def use(
        self, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[float, Answer]]:
        """One use; gives how long it takes [s], and what comes of it afterwards."""
        world = self._world()
        if world is None:
            raise HarnessError(f"tool {self.name!r} works inside a run only")
        self.uses.append((args, kwargs))
        answers = self._answers.setdefault(world, {})
        with use_of(world, self.name, args, kwargs, used_before=_LAST in answers) as use:
            known = self._key_of(args, kwargs)
            if known in answers:
                use.effects = 0
            elif known is not None:
                use.effects = min(use.effects, 1)
            given_up = (_GIVEN_UP, known)
            use.is_noted = given_up in answers
            mishap = use.mishap
            fails = world.draws.uniform(use.key, "failure") < self._failure_probability
            latency_s = whole_microseconds(self._latency_s.sample(world.draws, use.key, "latency"))
            outcome, latency_s = chosen(world, self.name, "fails" if fails else "done", latency_s)

            def answer() -> Answer:
                if outcome == "fails":
                    raise ToolError(f"{self.name} failed")
                if mishap is not None and mishap.error and not mishap.effects:
                    raise ToolError(mishap.error, breaks=mishap.breaks)
                if outcome == "dropped":
                    use.effects = 0
                    return answers.get(_LAST) if callable(self._result) else self._result
                result = yield from self._answer(args, kwargs, answers, known)
                before = answers.get(_LAST)
                if outcome == "twice" and known is None:
                    use.effects *= 2
                for _ in range(use.effects - 1):
                    yield from self._answer(args, kwargs, answers, known)
                use.is_done = True
                answers[_LAST] = result
                if known is not None and use.effects:
                    answers[known] = result
                if outcome == "lost":
                    raise ToolError(f"{self.name} did its work, and the answer was lost")
                if mishap is None:
                    return result
                if mishap.error:
                    raise ToolError(mishap.error, breaks=mishap.breaks, result=result)
                if mishap.is_stale:
                    answers[_LAST] = before
                    return before
                return mishap.altered(result) if mishap.result is None else mishap.result

            try:
                yield latency_s + (0.0 if mishap is None else mishap.wait_s), answer()
            except Exception:
                raise
            except BaseException:
                if known is not None and use.effects:
                    answers[given_up] = True
                raise

    def _answer(
        self,
        args: tuple[object, ...],
        kwargs: dict[str, Any],
        answers: dict[object, Any],
        key: object,
    ) -> Answer:
        if key in answers:
            return answers[key]
        if not callable(self._result):
            return self._result
        return (yield functools.partial(self._result, *args, **kwargs))

    def _key_of(self, args: tuple[object, ...], kwargs: dict[str, Any]) -> object:
        """The idempotency key of a use; None for a use without one."""
        name = self._idempotency_key
        if name is None:
            return None
        if name not in kwargs and self._signature is not None:
            with suppress(TypeError):
                kwargs = self._signature.bind_partial(*args, **kwargs).arguments
        key = kwargs.get(name)
        return None if key is None else (name, key)


_LAST = object()
"""Stands for the last answer among those that are kept by idempotency key."""

_GIVEN_UP = object()
"""Beside an idempotency key: a use of that key was cancelled, and may have done its work."""


def chosen(world: ProgramWorld, name: str, outcome: str, latency_s: float) -> tuple[str, float]:
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
