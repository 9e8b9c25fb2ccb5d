"""Push notifications of A2A agents in one run: each is a use of a tool, so that what meets tools meets them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.agents import ToolError
from harness.run.program_world import ProgramWorld
from harness.run.tools import Answer, chosen, use_of
from harness.wire.a2a.agent import Push
from harness.wire.a2a.push import post
from harness.wire.routing import Scope

FAILED = "notification_failed"
"""The event of one that did not arrive."""


def name_of(agent: str) -> str:
    """The tool that the notifications of an agent are uses of."""
    return f"{agent} push"


def push_of(agent: str, world: ProgramWorld) -> Push:
    """How the notifications of an agent are sent in a run."""

    def failed(scope: Scope, why: str) -> None:
        world.log.event(FAILED, scope.span, why)

    return Push(name_of(agent), _Pushing(name_of(agent), world), failed)


class _Pushing:
    """A tool whose effects are the requests that it makes: one without effect makes none.

    Args:
        name: Its name.
        world: The run.
    """

    def __init__(self, name: str, world: ProgramWorld) -> None:
        self._name = name
        self._world = world

    @contextmanager
    def use(
        self, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[float, Answer]]:
        """One notification; gives how long it waits to be sent [s], and the sending."""
        with use_of(self._world, self._name, args, kwargs) as use:
            mishap = use.mishap
            outcome, latency_s = chosen(self._world, self._name, "done", 0.0)
            wanted = {"fails": 0, "dropped": 0, "twice": 2}.get(outcome, 1) * use.effects
            error = "" if mishap is None else mishap.error
            if outcome in ("fails", "lost"):
                error = f"{self._name} failed"
            use.effects = 0

            def answer() -> Answer:
                for _ in range(wanted):
                    yield functools.partial(post, kwargs["event"], kwargs["url"])
                    use.effects += 1
                    use.is_done = True
                if error:
                    raise ToolError(error)

            yield latency_s + (0.0 if mishap is None else mishap.wait_s), answer()
