"""What every policy must do, as a check for those who write policies of their own; see `harness.testing.check_policy`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from harness import wall
from harness.chance import Draws
from harness.errors import Deadlock, HarnessError, LimitExceeded
from harness.kernel import Kernel, run
from harness.models import CALL_ERRORS, AttemptSpan, ModelError, Reply, Request
from harness.resilience.api import Call
from harness.spans import CALL, Span, SpanLog, as_json_lines

T = TypeVar("T")

Around = Callable[[Call, SpanLog, Draws], Call]
"""Puts the policy around a call."""

_CALL_S = 1.0
"""How long a call takes."""
_AT_ONCE = 20
_APART_S = 1000.0
"""Between calls that have nothing to do with one another."""
_CALLS_AFTER = 25
"""More than any bound of places that a policy is checked with."""
_TURNS_TO_END = 5
"""Turns of the loop that a call which was cancelled has to end."""
_FAILURE = ModelError("api_error", 500, "a call that was made to fail")


class PolicyCheckError(HarnessError):
    """A policy does not do what every policy must; says what, and how to mend it."""


class _Bug(Exception):  # noqa: N818 - it stands for any mistake in somebody's code
    """A mistake in somebody's code."""


class _Log(SpanLog):
    """A log that knows which spans are open."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.open_names: dict[int, str] = {}

    def open(
        self, kind: str, name: str, parent: Span, agent: str, model: str = "", ordinal: int = -1
    ) -> Span:
        span = super().open(kind, name, parent, agent, model, ordinal)
        self.open_names[span.span_id] = f"span {kind} {name}"
        return span

    def close(self, span: Span, status: str = "ok", end_s: float | None = None) -> None:
        self.open_names.pop(span.span_id, None)
        super().close(span, status, end_s)


class _Stage:
    """A policy around a call that does what it is told."""

    def __init__(self, around: Around, reply: str, clock: Callable[[], float], call_s: float) -> None:  # fmt: skip
        self.log = _Log(clock)
        self.error: Exception | None = None
        self._reply = reply
        self._call_s = call_s
        self._call = around(self._attempt, self.log, Draws(1))
        self._task = self.log.open_task("task", 1)
        self._calls = 0

    async def _attempt(self, request: Request) -> Reply:
        with AttemptSpan(self.log, request):
            await asyncio.sleep(self._call_s)
            if self.error is not None:
                raise self.error
            return Reply(self._reply, output_tokens=1)

    async def call(self) -> Reply | Exception:
        """One call; returns what came of it."""
        self._calls += 1
        span = self.log.open(CALL, "agent", self._task, "agent", "model", self._calls)
        key = f"1/agent/{self._calls}"
        request = Request("agent", "model", f"question {self._calls}", 1, key, 1, self._calls, span)
        try:
            return await self._call(request)
        except Exception as error:  # noqa: BLE001 - it is looked at
            return error
        finally:
            self.log.close(span)

    async def left(self) -> list[str]:
        """What goes on although nobody waits for it."""
        for _ in range(_TURNS_TO_END):
            await asyncio.sleep(0)
        tasks = [
            task.get_coro().__qualname__  # type: ignore[union-attr]  # tasks have coroutines
            for task in asyncio.all_tasks()
            if task is not asyncio.current_task() and not task.done()
        ]
        return sorted(tasks) + list(self.log.open_names.values())


@dataclass(frozen=True, slots=True)
class PolicyCheck:
    """The checks of one policy."""

    around: Around
    reply: str
    """A reply that the policy takes."""
    goes_on: bool
    """Whether it may work on when its caller has an answer."""

    def all(self) -> None:
        """Check everything."""
        spans = self._check_reply()
        if self._check_reply() != spans:
            self._fail(
                "the same call gives another execution",
                "it draws without a key, reads a clock, iterates a set or keeps something in its module",
                "draw with `draws.uniform(request.key, ...)`, and keep state in what the function makes",
            )
        self._check_stock_loop()
        self._check_failure()
        self._check_mistake()
        self._check_many()
        self._check_given_up()

    def _check_reply(self) -> str:
        """A call that has nothing wrong is answered."""

        async def play(stage: _Stage) -> tuple[Reply | Exception, list[str], str]:
            said = await stage.call()
            return said, await stage.left(), _text(stage.log)

        said, left, spans = self._simulated(play)
        self._check_said(said, "a call that has nothing wrong")
        self._check_left(left, "after its reply")
        return spans

    def _check_stock_loop(self) -> None:
        stage = _Stage(self.around, self.reply, wall.elapsed_s, 0.0)
        said = asyncio.run(stage.call())  # noqa: TID251 - the point is asyncio's own loop
        self._check_said(said, "a call on asyncio's own loop")

    def _check_failure(self) -> None:
        """A failure is coped with, or raised as production would."""

        async def play(stage: _Stage) -> tuple[Reply | Exception, list[str]]:
            stage.error = _FAILURE
            return await stage.call(), await stage.left()

        said, left = self._simulated(play)
        if isinstance(said, Exception) and not isinstance(said, CALL_ERRORS):
            self._fail(
                f"when the call fails it raises {said!r}",
                "that is taken for a mistake in the program and ends the whole run",
                "let the error pass, or raise a subclass of PolicyError",
                said,
            )
        self._check_left(left, "when the call fails")

    def _check_mistake(self) -> None:
        """A mistake in somebody's code is passed on."""

        async def play(stage: _Stage) -> Reply | Exception:
            stage.error = _Bug("a mistake")
            return await stage.call()

        said = self._simulated(play)
        if not isinstance(said, _Bug):
            self._fail(
                f"it hides a mistake in the code of the call, and gives {said!r}",
                "an error that is neither a ModelError nor a TimeoutError is a mistake",
                "catch `CALL_ERRORS` alone, not `Exception`",
            )

    def _check_many(self) -> None:
        """Calls at once all come to an end."""

        async def play(stage: _Stage) -> tuple[list[Reply | Exception], list[str]]:
            said = await asyncio.gather(*[stage.call() for _ in range(_AT_ONCE)])
            return list(said), await stage.left()

        said, left = self._simulated(play)
        for one in said:
            if isinstance(one, Exception) and not isinstance(one, CALL_ERRORS):
                self._fail(
                    f"{_AT_ONCE} calls at once make it raise {one!r}",
                    "agents call side by side",
                    "keep what a call needs in variables of the call",
                    one,
                )
        self._check_left(left, f"after {_AT_ONCE} calls at once")

    def _check_given_up(self) -> None:
        """A call that is cancelled ends at once, and gives back what it held."""

        async def play(stage: _Stage) -> tuple[list[str], list[Reply | Exception]]:
            for _ in range(_CALLS_AFTER):
                calls = [asyncio.create_task(stage.call()) for _ in range(3)]
                await asyncio.sleep(_CALL_S / 2)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
            left = await stage.left()
            await asyncio.sleep(_APART_S)
            return left, [await stage.call()]

        left, (said,) = self._simulated(play)
        self._check_left(left, "when its caller gives up")
        self._check_said(said, f"a call after {3 * _CALLS_AFTER} that were cancelled")

    def _check_said(self, said: Reply | Exception, what: str) -> None:
        if not isinstance(said, Reply) or said.text != self.reply:
            self._fail(
                f"{what} gives {said!r}, and not the reply {self.reply!r}",
                "nothing is wrong with it",
                "await the call and return its reply; give back places, permits and reservations in a `finally`",
                said if isinstance(said, Exception) else None,
            )

    def _check_left(self, left: list[str], when: str) -> None:
        if left and not self.goes_on:
            self._fail(
                f"{when} something goes on: {', '.join(left)}",
                "it would make calls that nobody waits for, and pay for them",
                "cancel and await all tasks in a `finally`, and close spans there; or say `goes_on=True` if that is its point",
            )

    def _simulated(self, play: Callable[[_Stage], Coroutine[None, None, T]]) -> T:
        kernel = Kernel()
        try:
            return run(kernel, play(_Stage(self.around, self.reply, kernel.now_s, _CALL_S)))
        except (Deadlock, LimitExceeded) as error:
            self._fail(
                f"a call never ends: {error}",
                "somebody waits for it",
                "give back places, permits and reservations in a `finally`, also when the call is cancelled",
                error,
            )

    def _fail(self, what: str, why: str, how: str, cause: Exception | None = None) -> NoReturn:
        raise PolicyCheckError(f"the policy: {what}\n  Why: {why}\n  How to fix: {how}") from cause


def _text(log: SpanLog) -> str:
    return as_json_lines(log.spans) + as_json_lines(log.events)
