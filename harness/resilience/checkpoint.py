"""Keep what a run has achieved, so that a run that is killed can be resumed.

What is kept are outcomes: the reply or the failure of each call of an agent, and of each use of a tool. A resumed run goes
through its tasks again from the beginning, and is given these outcomes at the times at which they came before, without a
call; so it takes the same way, to where the killed one stood. From then on it works.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import count
from typing import Any, Protocol

from harness.errors import HarnessError
from harness.models import CALL_ERRORS, ModelError, Reply, Request, ToolCall
from harness.resilience.api import Call, Meaning
from harness.spans import SpanLog

_SHOWN_MAX = 60
"""Longer answers are cut in messages [characters]."""


class Storage(Protocol):
    """Where progress is kept, outside of the run: what was put is there when `put` returns, whatever happens then."""

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none."""

    def put(self, key: str, value: str) -> None:
        """Keep a value, in the place of an earlier one of that key."""


class Memory:
    """Storage that lives as long as this object."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none."""
        return self.values.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a value."""
        self.values[key] = value


class Timeline(Protocol):
    """How a resumed run goes through time that the killed one has been through."""

    async def outcome(self, at_s: float, number: int) -> None:
        """Wait for the time of an outcome [s]; of several at one time, the one with the lowest number comes first."""

    async def until(self, at_s: float) -> None:
        """Wait until a time [s]."""


class Journal:
    """A list of JSON values in a storage, each kept when `append` returns.

    Args:
        storage: Where they are kept.
        name: Tells this list from others there.
    """

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name
        self.found = list(self._read())
        """What was there in the beginning."""
        self._next = len(self.found) + 1

    def append(self, value: object) -> int:
        """Keep one more value; returns its number, 1 for the first.

        Raises:
            HarnessError: JSON cannot say it.
        """
        number = self._next
        try:
            text = json.dumps(value)
        except TypeError as error:
            raise HarnessError(
                f"this cannot be kept: {_shown(value)}: {error}\n"
                "  How to fix: let what stubs say, and the arguments of tools, be what JSON can say"
            ) from error
        self._storage.put(f"{self._name}/{number}", text)
        self._next += 1
        return number

    def _read(self) -> Iterator[Any]:
        for number in count(1):
            text = self._storage.get(f"{self._name}/{number}")
            if text is None:
                return
            yield json.loads(text)


class Progress:
    """What one run has achieved: kept as it goes, given back when it is resumed.

    Args:
        storage: Where it is kept; of this run alone.
        clock: Tells the virtual time [s].
        timeline: How time passes.
        restart_s: How long after the last outcome of the killed run a resumed one works again [s]; above 0, so that
            everything that was kept has come before.
    """

    def __init__(
        self, storage: Storage, clock: Callable[[], float], timeline: Timeline, restart_s: float
    ) -> None:
        assert restart_s > 0, "what was kept comes before what is new"
        self.timeline = timeline
        self.calls_restored = 0
        """Calls whose outcome was given back."""
        self.tool_uses_restored = 0
        """Uses of tools whose outcome was given back."""
        self.tool_uses_in_doubt = 0
        """Uses of tools that had begun and whose outcome was unknown; they were repeated with their keys."""
        self._clock = clock
        self._journal = Journal(storage, "progress")
        before = self._journal.found
        self._before = {one["key"]: {**one, "number": number} for number, one in enumerate(before)}
        self._works_from_s = before[-1]["at_s"] + restart_s if before else float("-inf")

    def find(self, key: str) -> dict[str, Any] | None:
        """What the killed run has kept under a key; None if nothing, or if the run works again."""
        return self._before.get(key) if self._clock() < self._works_from_s else None

    async def work(self) -> None:
        """Wait until the run works again; nothing to wait for if it was not resumed."""
        if self._clock() < self._works_from_s:
            await self.timeline.until(self._works_from_s)

    def begin(self, key: str) -> None:
        """Keep that something has begun whose outcome is not known yet."""
        self._journal.append({"key": key, "at_s": self._clock(), "ended": False})

    def keep(self, key: str, **outcome: Any) -> None:  # noqa: ANN401 - JSON values
        """Keep an outcome."""
        self._journal.append({"key": key, "at_s": self._clock(), "ended": True, **outcome})

    def end_task(self, number: int, **outcome: Any) -> None:  # noqa: ANN401 - JSON values
        """Keep how a task ended, and check that it ended so before, if it had ended when the run was killed.

        Args:
            number: The task.
            outcome: Its answer, or its error.

        Raises:
            HarnessError: It ended in another way before, so that the resumed run did not go the way of the killed one.
        """
        before = self._before.get(f"task/{number}")
        if before is None:
            self.keep(f"task/{number}", **outcome)
        elif any(before.get(name) != value for name, value in outcome.items()):
            raise HarnessError(
                f"the resumed run went another way: task {number} ended with {_shown(_said(outcome))} now, "
                f"and with {_shown(_said(before))} before\n"
                "  How to fix: see what the program does that does not follow from its inputs, such as a stub function that "
                "counts its calls; or begin anew, without this checkpoint"
            )


def _said(outcome: dict[str, Any]) -> object:
    return outcome.get("answer", outcome.get("error"))


def _shown(said: object) -> str:
    text = repr(said)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def digest_of(*parts: object) -> str:
    """A short text that differs when one of the parts does, so that an outcome is given to its own question alone."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def with_checkpoint(
    call: Call, progress: Progress | None, log: SpanLog, meaning: Meaning | None = None
) -> Call:
    """Keep the outcome of a call, and give it back in a run that is resumed.

    Args:
        call: What is asked when there is no outcome; with all its other policies.
        progress: What the run has achieved; None leaves the call as it is.
        log: Where it is noted that an outcome was given back.
        meaning: The claims of the replies; None if they have none.
    """
    if progress is None:
        return call

    async def call_once(request: Request) -> Reply:
        key = f"call/{request.key}/{digest_of(request.system, request.prompt, request.said)}"
        found = progress.find(key)
        if found is not None:
            await progress.timeline.outcome(found["at_s"], found["number"])
            progress.calls_restored += 1
            log.event("restored", request.call_span)
            reply = _outcome(found, request)
            if "meaning" in found and meaning is not None:
                meaning.restore(request, reply, found["meaning"])
            return reply
        await progress.work()
        try:
            reply = await call(request)
        except CALL_ERRORS as error:
            progress.keep(key, error=_of_error(error))
            raise
        recorded = None if meaning is None else meaning.recorded(request)
        more = {} if recorded is None else {"meaning": recorded}
        progress.keep(key, reply=_of_reply(reply), **more)
        return reply

    return call_once


def _of_reply(reply: Reply) -> dict[str, Any]:
    """What a reply is made again from; without its claims, which are kept beside it, and what only the wire reads."""
    left_out = ("body", "claims", "server_tools", "cites", "alternatives")
    return {
        name: value
        for name, value in zip(Reply._fields, reply, strict=True)
        if name not in left_out
    }


def _of_error(error: Exception) -> list[Any] | None:
    """What a failure is made again from; None for a timeout."""
    if isinstance(error, ModelError):
        return [error.error, error.status, error.message, error.retry_after_s]
    return None


def _outcome(found: dict[str, Any], request: Request) -> Reply:
    if "reply" not in found:
        raise TimeoutError if found["error"] is None else ModelError(*found["error"])
    wanted = [ToolCall(*wish) for wish in found["reply"].pop("tool_calls")]
    reply = Reply(**found["reply"], tool_calls=tuple(wanted))
    if reply.correct is not None:
        request.call_span.correct = int(reply.correct)
    return reply
