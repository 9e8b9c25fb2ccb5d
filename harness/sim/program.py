"""The program that is passed to a run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any, TypeVar

from harness.errors import HarnessError
from harness.kernel import deadlock_report

T = TypeVar("T")


class Watch:
    """Remembers what every task was doing when the program failed."""

    def __init__(self) -> None:
        self.tasks = ""
        self._raised: BaseException | None = None

    def tasks_at(self, error: BaseException) -> str:
        """What every task was doing when the program raised an error; empty if the run ended by another one.

        A run that cannot go on cancels the program, which says nothing of why.
        """
        return self.tasks if error is self._raised else ""

    def over(self, program: object) -> Any:  # noqa: ANN401 - a coroutine, or a function
        """The same program, watched."""
        if not inspect.iscoroutine(program):
            return program
        watched: Any = self._watched(program)
        watched.__qualname__ = getattr(program, "__qualname__", "?")  # what reports call its task
        return watched

    async def _watched(self, program: Coroutine[object, None, T]) -> T:
        try:
            return await program
        except BaseException as error:
            loop, me = asyncio.get_running_loop(), asyncio.current_task()
            assert me is not None
            self._raised = error
            name = getattr(program, "__qualname__", "?")
            self.tasks = f"  {me.get_name()} ({name}) raised {type(error).__name__}"
            if len(asyncio.all_tasks(loop)) > 1:
                self.tasks += "\n" + deadlock_report.report(loop, but=me)
            raise


def bind(program: object, args: tuple[object, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - the program's
    """A function and its arguments, as something to be run; an async one as its coroutine."""
    if not callable(program):
        raise HarnessError(
            f"{program!r} is not a program\n  How to fix: give sim.run a coroutine, or a function and its arguments"
        )
    if inspect.iscoroutinefunction(program):
        return program(*args, **kwargs)
    return lambda: program(*args, **kwargs)


def close_if_unstarted(program: Coroutine[object, object, object]) -> None:
    """Close a coroutine that never began, which would complain; one that swallows everything must not run again."""
    if inspect.getcoroutinestate(program) == inspect.CORO_CREATED:
        program.close()
