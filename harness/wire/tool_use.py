"""One use of a simulated tool by a server: in the kernel's time, with functions of the test beside the program."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import Context
from typing import Any, Protocol

from harness.kernel import Kernel
from harness.kernel.process import Wait
from harness.models.attempt import made_aside
from harness.virtual.aside import Aside
from harness.wire.routing import Scope, context_of

Answer = Generator[Callable[[], Any], Any, Any]
"""What comes of a use of a tool: it gives the functions of the test that are to be called, and is sent their results."""


class UsedTool(Protocol):
    """A simulated tool."""

    def use(
        self, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> AbstractContextManager[tuple[float, Answer]]:
        """One use; gives how long it takes [s], and what comes of it afterwards."""


def used(
    tool: UsedTool, name: str, arguments: dict[str, Any], scope: Scope, kernel: Kernel, aside: Aside
) -> Generator[Wait, Any, Any]:
    """Use a tool; its use ends with this generator.

    Args:
        tool: The tool.
        name: Its name; for reports.
        arguments: What it is given.
        scope: What of the program the use belongs to.
        kernel: The clock.
        aside: Where functions of the test are called.

    Returns:
        Its result.

    Raises:
        ToolError: It did not work, or something breaks.
        Exception: Whatever a function of the test raised.
    """
    context = context_of(scope)
    with _entered(context, tool.use((), arguments)) as (latency_s, answer):
        if latency_s > 0:
            yield kernel.now_s() + latency_s
        given: Any = None
        while True:
            try:
                work = answer.send(given)
            except StopIteration as end:
                return end.value
            given = yield from made_aside(aside, f"tool {name}", work, context.copy())


@contextmanager
def _entered(
    context: Context, manager: AbstractContextManager[tuple[float, Answer]]
) -> Iterator[tuple[float, Answer]]:
    """Context manager: the same as another, which is entered among other context variables."""
    value = context.run(manager.__enter__)
    with ExitStack() as leaving:
        leaving.push(manager)
        yield value
