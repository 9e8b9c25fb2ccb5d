"""The calls that a program makes, put together from the requests that reach the server.

A program awaits one call and its SDK makes several attempts of it. The server sees the attempts: it takes a request for
a retry when the same bytes come again after an attempt that failed, and the SDK says that it is one; of a client that says
nothing, any repetition is. A program that tries again around its SDK makes another call. A tool's work is
seen from both its ends: from the reply that asked for it to the request that brings what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from harness.models import Reply, Request, ToolCall
from harness.spans import ERROR, OK, TOOL, Span, SpanLog
from harness.wire.agents import Role, Scope
from harness.wire.api import Prompt
from harness.wire.effects import Effect, effect


@dataclass(slots=True, eq=False)
class Call:
    """One call: what was asked, by whom, and what came of it."""

    number: int
    """1 for the first call of the run."""
    agent: str
    role: Role
    prompt: Prompt
    request: Request
    span: Span
    scope: Scope
    caller: object
    """The task that made it, if it is known."""
    digest: bytes
    """Of the request's bytes."""
    attempts: list[Span] = field(default_factory=list)
    reply: Reply | None = None
    """What was answered; None while there is no answer, and when there never was one."""
    sources: tuple[int, ...] = ()
    """Numbers of the calls whose replies are part of this prompt."""
    done: bool = False
    """Whether its last attempt was answered."""


@dataclass(slots=True)
class Calls:
    """All calls of a run, as they are made.

    Args:
        log: Where their spans go.
    """

    log: SpanLog
    made: list[Call] = field(default_factory=list)
    """In the order in which they began."""
    _failed: dict[bytes, list[Call]] = field(default_factory=dict)
    """Calls whose last attempt failed, and which may be tried again, by the digest of their bytes."""
    effects: list[Effect] = field(default_factory=list)
    """What the program's tools did, in the order in which their results came to a model."""
    _asked_tools: dict[str, tuple[Call, ToolCall, float]] = field(default_factory=dict)
    """By the id of each tool call: the call whose reply asked for it, the wish, and when that was [s]."""
    _counts: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def retried(
        self, digest: bytes, caller: object, scope: Scope, retries: str | None
    ) -> Call | None:
        """The call that a request tries again; None if it begins a new one.

        Args:
            digest: Of the request's bytes.
            caller: The task that made it, if it is known.
            scope: What it belongs to.
            retries: How many retries there were with this one, if the client says so. A client that says 0 begins
                a new call: its program tries again by itself.
        """
        waiting = self._failed.get(digest, ())
        if (
            retries is None
        ):  # not by task: `asyncio.wait_for` makes one for each try up to Python 3.11
            same = [call for call in waiting if call.scope.span is scope.span]
        elif retries == "0":
            return None
        elif caller is None:
            same = [call for call in waiting if str(len(call.attempts)) == retries]
        else:
            same = [call for call in waiting if call.caller is caller]
        if not same:
            return None
        self._failed[digest].remove(same[0])
        return same[0]

    def begin(
        self,
        role: Role,
        agent: str,
        prompt: Prompt,
        request: Request,
        scope: Scope,
        caller: object,
        digest: bytes,
    ) -> Call:
        """Note a new call; its span has been opened as the request's."""
        call = Call(
            len(self.made) + 1,
            agent,
            role,
            prompt,
            request,
            request.call_span,
            scope,
            caller,
            digest,
        )
        self.made.append(call)
        return call

    def count(self, *what: object) -> int:
        """Note one more of something, and say the how-manieth it is."""
        number = self._counts[what] = self._counts.get(what, 0) + 1
        return number

    def answered(self, call: Call, reply: Reply, tool_ids: tuple[str, ...], at_s: float) -> None:
        """Note that a call has got its reply."""
        call.reply = reply
        call.done = True
        # It will not be asked again, and a server that runs for long would keep every prompt for ever.
        call.prompt = replace(call.prompt, sections=(), details=None)
        for tool_id, wish in zip(tool_ids, reply.tool_calls, strict=False):
            self._asked_tools[tool_id] = (call, wish, at_s)
        self.log.close(call.span, OK, at_s)

    def failed(self, call: Call) -> None:
        """Note that the last attempt of a call failed; another may follow."""
        self._failed.setdefault(call.digest, []).append(call)

    def bring_results(self, prompt: Prompt, scope: Scope) -> None:
        """Leave a span for every tool whose result a prompt brings."""
        if not prompt.result_ids:
            return
        results = prompt.conversation[-1].tool_results
        for tool_id, result in zip(prompt.result_ids, results, strict=True):
            asked = self._asked_tools.pop(tool_id, None)
            if asked is None:
                continue  # it was brought before, as part of a longer conversation
            call, wish, at_s = asked
            tool = wish.tool
            span = self.log.open(TOOL, tool, call.scope.span, call.agent)
            span.arrival_s = span.start_s = at_s
            span.ordinal = self.count("tool", scope.span.task, call.agent, tool)
            if result.is_error:
                span.error = "tool_error"
            else:
                self.effects.append(effect(tool, "wire", kwargs=wish.arguments))
            self.log.close(span, ERROR if result.is_error else OK)

    def end(self) -> None:
        """Close what the program has given up: calls whose last attempt failed, at the end of that attempt."""
        for call in self.made:
            if call.done or not call.attempts:
                continue
            last = call.attempts[-1]
            call.span.error = last.error
            self.log.close(call.span, last.status, last.end_s)
            call.done = True
