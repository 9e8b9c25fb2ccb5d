"""Group the requests that reach the server into calls of the program.

A program awaits one call and its SDK makes several attempts of it; the server sees the attempts. The SDKs number them,
and make them one after the other in one task. So a request with a number above 0 belongs to the latest call of its task
that sent the same bytes and whose last attempt failed. A client that numbers nothing makes attempts of one call as long
as it sends the same bytes after a failure. A program that tries again around its SDK makes another call, which is linked
to the one before (`repeats.py`). A tool's work is seen from both its ends: from the reply that asked for it to the
request that contains its result.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.kernel.lineage import Lineage
from harness.metrics.history import LEFT_ASKING, SAME_STEP
from harness.models import Backend, Request, ToolCall
from harness.models.written import prompt_text, reply_text
from harness.spans import ERROR, OK, TOOL, Span, SpanLog
from harness.texts import PROMPT, REPLY, Texts
from harness.wire.api import Completion, Prompt
from harness.wire.cache import Repetition
from harness.wire.call import Call, nearest
from harness.wire.effects import Effect, effect
from harness.wire.progress import FAILED, Progress
from harness.wire.repeats import Repeats
from harness.wire.routing import AgentRule, Scope
from harness.wire.sources import Sources
from harness.wire.steps import left_asking, same_step

_WORTH_CACHING_TOKENS = 1024
"""The shortest prefix that most models cache."""


@dataclass(slots=True)
class Calls:
    """All calls of a run, as they are made.

    Args:
        log: Where their spans go.
        texts: Where their prompts and replies go; None if they are not kept.
        progress: Whether they bring the tasks anything new.
    """

    log: SpanLog
    texts: Texts | None = None
    progress: Progress = field(default_factory=lambda: Progress(math.inf))
    is_passing: Callable[[], bool] = bool
    """Whether what makes attempts fail at this time is known to end: a client may try again until then."""
    made: list[Call] = field(default_factory=list)
    """In the order in which they began."""
    sources: Sources = field(default_factory=Sources)
    """What was said in them."""
    _failed: dict[bytes, dict[Call, None]] = field(default_factory=dict)
    """In the order of failure, calls whose last attempt failed, and which may be tried again, by the digest of their bytes."""
    effects: list[tuple[Effect, Span]] = field(default_factory=list)
    """What the program's tools did, in the order in which their results came to a model, each with its span."""
    _asked_tools: dict[str, tuple[Call, ToolCall, float]] = field(default_factory=dict)
    """By the id of each tool call: the call whose reply asked for it, the wish, and when that was [s]."""
    _counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    _rejected: dict[tuple[int, bytes], list[tuple[Lineage | None, float]]] = field(
        default_factory=dict
    )
    """By task of the user's and digest: who sent a request that the API rejected, and when that was told [s]."""
    _repeats: Repeats = field(default_factory=Repeats)
    _repetition: Repetition = field(default_factory=Repetition)

    def retried(
        self, digest: bytes, caller: Lineage | None, scope: Scope, retries: int | None
    ) -> Call | None:
        """The call that a request retries; None if it starts a new one.

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
        # Of an unknown caller the latest, since earlier ones may have been given up.
        others = reversed(waiting) if caller is None else waiting
        found = next(filter(fits, own), None) or nearest(caller, filter(fits, others))
        if found is not None:
            del waiting[found]
            found.retries = retries or 0
            self._repeats.tried_again(found)
        return found

    def begin(
        self,
        role: AgentRule,
        backend: Backend,
        prompt: Prompt,
        request: Request,
        scope: Scope,
        caller: Lineage | None,
        digest: bytes,
        provider: str,
        retries: int | None,
    ) -> Call:
        """Record a new call; its span is the request's."""
        call = Call(
            len(self.made) + 1,
            role.name,
            role,
            backend,
            prompt,
            request,
            request.call_span,
            scope,
            caller,
            digest,
            "" if caller is None else caller.path,
            provider,
            retries or 0,
        )
        self.made.append(call)
        if self.texts is not None:
            self.texts.add(call.span, PROMPT, prompt_text(request))
        repeated = self._repeats.began(call)
        if repeated is not None:
            call.repeats, call.span.repeats = repeated.number, repeated.span.span_id
        self._note_prompt(call)
        return call

    def _note_prompt(self, call: Call) -> None:
        """Note what of a prompt was said or sent before."""
        prompt, span, task = call.prompt, call.span, call.scope.span.task
        call.sources = self.sources.asked(task, call.number, prompt.told)
        for source in call.sources:
            self.log.event("heard", span, str(self.made[source - 1].span.span_id))
        repeated = self._repetition.of(prompt, task, call.number)
        if repeated.tokens >= _WORTH_CACHING_TOKENS:
            self.log.event("repeated_prefix", span, str(repeated.tokens))
        if repeated.same is not None:
            if self.made[repeated.same - 1].reply is not None:
                self.log.event("asked_again", span)
        elif repeated.goes_on and not prompt.result_ids:
            self.log.event("goes_on", span)

    def count(self, *what: object) -> int:
        """Count one occurrence, and return its ordinal."""
        number = self._counts[what] = self._counts.get(what, 0) + 1
        return number

    def answered(self, call: Call, spoken: Completion, tool_ids: tuple[str, ...]) -> None:
        """Record the reply of a call."""
        reply, at_s = spoken.reply, self.log.clock()
        wishes = [json.dumps(wish.arguments) for wish in reply.tool_calls]
        self.sources.said(call.scope.span.task, call.number, [reply.text, *wishes])
        correct = call.backend.is_correct(call.request)
        if correct is not None:
            call.span.correct = int(correct)
        call.reply = reply
        call.done = True
        if self.texts is not None:
            self.texts.add(call.span, REPLY, reply_text(reply))
        self._repeats.answered(call, at_s)
        self._note_outcome(call, " ".join([reply.text, *wishes]).strip())
        # It will not be asked again, and a server that runs for long would keep every prompt for ever.
        call.prompt = call.prompt._replace(sections=(), details=None)
        tools = same_step(call.request, reply)
        if tools:
            self.log.event(SAME_STEP, call.span, tools)
        for tool_id, wish in zip(tool_ids, reply.tool_calls, strict=False):
            self._asked_tools[tool_id] = (call, wish, at_s)
        self.log.close(call.span, OK, at_s)

    def failed(self, call: Call) -> None:
        """Record the failure of the last attempt of a call; another may follow."""
        self._failed.setdefault(call.digest, {})[call] = None
        last = call.attempts[-1]
        self._repeats.failed(call, last.end_s)
        if not self.is_passing():
            self._note_outcome(call, f"{FAILED}{last.error or last.status}")

    def used(self, task: int, tool: str, given: object, asked: int, error: str) -> None:
        """Note the end of one use of a tool or a command; see `Progress.used`."""
        if not (error and self.is_passing()):
            self.progress.used(task, tool, given, asked, error)

    def _note_outcome(self, call: Call, outcome: str) -> None:
        sender = self.made[max(call.sources) - 1].agent if call.sources else "program"
        self.progress.ended(call, call.asked, outcome, sender)

    def rejected(
        self, digest: bytes, scope: Scope, caller: Lineage | None, answer_s: float
    ) -> bool:
        """Record a request that the API rejects.

        Args:
            digest: Of the request's bytes.
            scope: What it belongs to.
            caller: The task that made it, if it is known.
            answer_s: When the client is told [s].

        Returns:
            Whether the program sends again what was rejected before.
        """
        before = self._rejected.setdefault((scope.span.task, digest), [])
        again = next((each for each in reversed(before) if _follows(caller, *each)), None)
        if again is not None:
            before.remove(again)
        before.append((caller, answer_s))
        return again is not None

    def bring_results(self, prompt: Prompt, scope: Scope) -> None:
        """Record a span for every tool result in a prompt."""
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
                self.effects.append((effect(tool, "wire", kwargs=wish.arguments), span))
            self.log.close(span, ERROR if result.is_error else OK)

    def end(self) -> None:
        """Close abandoned calls: those whose last attempt failed end with that attempt."""
        asked = {call.number: (call, wish) for call, wish, _ in self._asked_tools.values()}
        for call, wish in asked.values():
            if left := left_asking(call.request, wish):
                self.log.event(LEFT_ASKING, call.span, left)
        for call in self.made:
            if call.done or not call.attempts:
                continue
            last = call.attempts[-1]
            call.span.error = last.error
            self.log.close(call.span, last.status, last.end_s)
            call.done = True


def _follows(caller: Lineage | None, earlier: Lineage | None, told_s: float) -> bool:
    if caller is None or earlier is None:
        return True
    return caller.steps_to(earlier, told_s) is not None
