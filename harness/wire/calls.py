"""The calls that a program makes, put together from the requests that reach the server.

A program awaits one call and its SDK makes several attempts of it; the server sees the attempts. The SDKs number them,
and make them one after the other in one task. So a request with a number above 0 belongs to the latest call of its task
that sent the same bytes and whose last attempt failed. A client that numbers nothing makes attempts of one call as long
as it sends the same bytes after a failure. A program that tries again around its SDK makes another call, which is linked
to the one before (`repeats.py`). A tool's work is seen from both its ends: from the reply that asked for it to the
request that brings what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from harness.kernel.lineage import Lineage
from harness.models import Reply, Request
from harness.spans import ERROR, OK, TOOL, Span, SpanLog
from harness.wire.agents import Role, Scope
from harness.wire.api import Prompt


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
    caller: Lineage | None
    """The task that made it, if it is known."""
    digest: bytes
    """Of the request's bytes."""
    retries: int = 0
    """What its client said of the latest attempt: how many it had made before. 0 if the client says nothing."""
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
    _failed: dict[bytes, dict[Call, None]] = field(default_factory=dict)
    """In the order of failure, calls whose last attempt failed, and which may be tried again, by the digest of their bytes."""
    _asked_tools: dict[str, tuple[Call, str, float]] = field(default_factory=dict)
    """By the id of each tool call: the call whose reply asked for it, the tool, and when that was [s]."""
    _counts: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def retried(
        self, digest: bytes, caller: Lineage | None, scope: Scope, retries: int | None
    ) -> Call | None:
        """The call that a request tries again; None if it begins a new one.

        Args:
            digest: Of the request's bytes.
            caller: The task that made it, if it is known.
            scope: What it belongs to.
            retries: How many attempts its client made before, if the client says so.
        """
        waiting = self._failed.get(digest)
        if retries == 0 or not waiting:
            return None

        def fits(call: Call) -> bool:
            return call.scope.span is scope.span and (retries is None or call.retries < retries)

        own = (call for call in reversed(waiting) if call.caller is caller is not None)
        found = next(filter(fits, own), None) or nearest(caller, filter(fits, waiting))
        if found is not None:
            del waiting[found]
            found.retries = retries or 0
        return found

    def begin(
        self,
        role: Role,
        agent: str,
        prompt: Prompt,
        request: Request,
        scope: Scope,
        caller: Lineage | None,
        digest: bytes,
        retries: int | None,
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
            retries or 0,
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
            self._asked_tools[tool_id] = (call, wish.tool, at_s)
        self.log.close(call.span, OK, at_s)

    def failed(self, call: Call) -> None:
        """Note that the last attempt of a call failed; another may follow."""
        self._failed.setdefault(call.digest, {})[call] = None

    def bring_results(self, prompt: Prompt, scope: Scope) -> None:
        """Leave a span for every tool whose result a prompt brings."""
        if not prompt.result_ids:
            return
        results = prompt.conversation[-1].tool_results
        for tool_id, result in zip(prompt.result_ids, results, strict=True):
            asked = self._asked_tools.pop(tool_id, None)
            if asked is None:
                continue  # it was brought before, as part of a longer conversation
            call, tool, at_s = asked
            span = self.log.open(TOOL, tool, call.scope.span, call.agent)
            span.arrival_s = span.start_s = at_s
            span.ordinal = self.count("tool", scope.span.task, call.agent, tool)
            if result.is_error:
                span.error = "tool_error"
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


def nearest(caller: Lineage | None, failed: Iterable[Call]) -> Call | None:
    """Of some calls that failed, the one that a task most likely goes on with; None if there is no reason to think so.

    Args:
        caller: The task, if it is known.
        failed: The calls, in the order of failure.
    """
    found: list[tuple[int, int, Call]] = []
    for call in failed:
        steps: int | None = 0  # nobody knows better
        if caller is not None and call.caller is not None:
            steps = caller.steps_to(call.caller, call.attempts[-1].end_s)
        if steps is not None:
            found.append((steps, -call.retries, call))
    return min(found, key=lambda each: each[:2], default=(0, 0, None))[2]
