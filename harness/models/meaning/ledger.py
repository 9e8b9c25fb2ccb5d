"""The claims of all tasks of a run, and what is noted of them when a task ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass

from harness.models.api import Injection, Request
from harness.models.meaning.claims import Claim, TaskMeaning
from harness.models.meaning.traced import InjectedCall, TracedClaim
from harness.spans import CLAIMS, FALSE_CLAIM, INJECTED_CALL, Span, SpanLog

_DEEPEST = 20
"""How deep an output is looked through."""


@dataclass(slots=True)
class Ledger:
    """The claims of a run. Nothing is noted while no agent judges and no fault is one of meaning.

    Args:
        log: Where the events go.
        is_active: Whether there is something to note.
    """

    log: SpanLog
    is_active: bool
    traced: list[TracedClaim] = field(default_factory=list)
    """The claims of tasks that have ended."""
    injected: list[InjectedCall] = field(default_factory=list)
    """Tool calls that injected instructions caused."""
    _tasks: dict[int, TaskMeaning] = field(default_factory=dict)

    @property
    def claims(self) -> list[TracedClaim]:
        """All claims so far; those of a task that goes on are in no output yet."""
        return [*self.traced, *(it for task in self._tasks.values() for it in task.traced(()))]

    def task(self, request: Request) -> TaskMeaning:
        """The claims of the task that a request is part of."""
        number = request.call_span.task
        if number not in self._tasks:
            self._tasks[number] = TaskMeaning(number)
        return self._tasks[number]

    def new_claim(
        self,
        request: Request,
        *,
        is_true: bool,
        cause: str,
        text: str = "",
        about: int | None = None,
        opposes: int | None = None,
    ) -> Claim:
        """Note a claim that is made in the reply to a request; `about` the same as another, or something new."""
        claims = self.task(request).claims
        number = len(claims) + 1
        key = f"{request.key}/claim {sum(it.call == request.call_span.span_id for it in claims)}"
        claim = Claim(
            number, is_true, request.agent, request.call_span.span_id, self.log.clock(), cause, key, about or number, text,
            opposes,
        )  # fmt: skip
        claims.append(claim)
        return claim

    def obeyed(self, request: Request, injection: Injection) -> None:
        """Note a tool call that an injected instruction has caused."""
        call, at_s = request.call_span, self.log.clock()
        made = InjectedCall(
            call.task, request.agent, injection.tool, injection.arguments, call.span_id, at_s
        )
        if made in self.injected:  # by the attempt before
            return
        self.injected.append(made)
        detail = {"tool": injection.tool, "arguments": json.loads(injection.arguments)}
        self.log.event(INJECTED_CALL, call, json.dumps(detail))

    def end_task(self, span: Span, output: object) -> None:
        """Note which claims are in the output of a task.

        Args:
            span: The task's.
            output: What it gave; None if nothing, as of a task that failed.
        """
        task = self._tasks.pop(span.task, None)
        if task is None or not task.claims:
            return
        traced = task.traced(list(texts_of(output)))
        self.traced += traced
        inside = [claim for claim in traced if claim.in_output]
        false = [claim for claim in traced if not claim.is_true]
        counts = {"claims": len(inside), "false": sum(not claim.is_true for claim in inside)}
        if output is not None:
            self.log.event(CLAIMS, span, json.dumps(counts))
        for claim in false:
            detail = {
                "cause": claim.cause,
                "call": claim.call,
                "made_s": claim.at_s,
                "way": claim.way,
                "hops": claim.hops,
                "in_output": claim.in_output,
                **({"text": claim.text} if claim.text else {}),
                **({"opposes": claim.opposes} if claim.opposes else {}),
            }
            self.log.event(FALSE_CLAIM, span, json.dumps(detail), claim.agent)


def texts_of(output: object, depth: int = 0) -> Iterator[str]:
    """The texts in what a program returns, in any nesting of lists, dictionaries and records."""
    if output is None or depth > _DEEPEST:
        return
    if isinstance(output, str):
        yield output
    elif isinstance(output, bytes):
        yield output.decode("utf-8", "replace")
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from texts_of(value, depth + 1)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from texts_of(value, depth + 1)
    elif is_dataclass(output) and not isinstance(output, type):
        for part in fields(output):
            yield from texts_of(getattr(output, part.name, None), depth + 1)
    elif callable(dump := getattr(output, "model_dump", None)):  # a pydantic model
        yield from texts_of(dump(), depth + 1)
    else:
        yield str(output)
