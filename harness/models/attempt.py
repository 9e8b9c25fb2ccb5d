"""The life of one attempt, whoever makes it: an agent of a pattern, or a program on the wire.

    open span -> verdict of the fault plan -> content -> admission -> service -> change of the reply -> close span

`AttemptSpan` is the first and the last of these, `Backend` has the others, and is all that decides an attempt. What takes time
is a generator of waits: a task of a pattern goes through it (`kernel.gone_through`), or a process of the wire. The wire adds
bytes, a pattern adds nothing (`served.py`).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from types import TracebackType

from harness.chance import Draws
from harness.chance.distributions import AnyDistribution
from harness.models.api import CALL_ERRORS, Model, ModelError, Request, error_name
from harness.models.refused import RefusedError
from harness.models.verdict import Fail, Judge, Silent, Slow, Verdict
from harness.provider import Provider, Served
from harness.provider.service import REFUSAL_S, Attempt
from harness.spans import ABSENT, ATTEMPT, CANCELLED, ERROR, OK, WAIT, Span, SpanLog
from harness.units import Usage


class AttemptSpan:
    """The span of the next attempt of a call: open from now to the end of its `with` block, which says how it ended.

    Args:
        log: Where it goes.
        request: The call.
    """

    __slots__ = ("_log", "_request", "span")

    def __init__(self, log: SpanLog, request: Request) -> None:
        self._log = log
        self._request = request
        request.attempt += 1
        request.latency_factor = 1.0
        model = request.model
        span = log.open(ATTEMPT, model, request.call_span, request.agent, model, request.attempt)
        span.start_s = ABSENT
        span.cost_usd = 0.0  # until somebody serves it, and knows better
        self.span = request.span = span

    def __enter__(self) -> Span:
        return self.span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        span, status = self.span, OK
        if error is not None:
            status = CANCELLED
            if isinstance(error, CALL_ERRORS):
                status, span.error = ERROR, error_name(error)
            if isinstance(error, ModelError):
                if error.status is not None:
                    span.http_status = error.status
                if error.retry_after_s is not None:
                    span.retry_after_s = error.retry_after_s
        self._request.span = self._request.call_span
        self._log.close(span, status)


@dataclass(slots=True, kw_only=True)
class Backend:
    """What decides the attempts of one agent at one model."""

    log: SpanLog
    draws: Draws
    content: Model
    """Who decides what is said."""
    provider: Provider
    """Who decides when, and whether."""
    served: Served
    """The model as the provider serves it."""
    judge: Judge | None = None
    """The fault plan."""
    output_tokens: AnyDistribution | None = None
    """Size of a reply [tokens]; None where nobody has stated it."""
    accuracy: float | None = None
    """Share of replies that are right; None when nobody asks."""
    latency_factor: float = 1.0
    """How many times as long as others' its attempts take to serve; beside what a fault says."""

    def verdict(self, request: Request) -> Generator[float, None, Verdict | None]:
        """Ask the fault plan, and do what comes before service: be slow, silent or refused.

        Returns:
            What is left to do: an `Alter`, or a `Break` where there are bytes.

        Raises:
            RefusedError: A fault refuses it.
        """
        met = None if self.judge is None else self.judge(request)
        if met is None:
            return None
        request.span.fault, verdict = met
        # An attempt that meets silence begins after it, so the event is the call's.
        span = request.call_span if isinstance(verdict, Silent) else request.span
        self.log.event("fault", span, request.span.fault)
        match verdict:
            case Slow(factor):
                request.latency_factor = factor
            case Silent(for_s):
                yield from self._silence(request, for_s)
            case Fail(refusal):
                yield self.log.clock() + REFUSAL_S
                raise RefusedError(refusal)
        return verdict

    def _silence(self, request: Request, for_s: float | None) -> Generator[float, None, None]:
        """Let time pass before the attempt reaches the provider; it is a wait of the call, and not a queue's."""
        span = self.log.open(WAIT, "silence", request.call_span, request.agent)
        status = CANCELLED
        try:
            yield math.inf if for_s is None else self.log.clock() + for_s
            status = OK
        finally:
            self.log.close(span, status)
            request.span.arrival_s = self.log.clock()

    def size(self, request: Request) -> int | None:
        """How many tokens the reply has, where somebody has stated it of the agent."""
        if self.output_tokens is None:
            return None
        # Keyed by the call and not by the attempt: a retry gets the answer that the first try would have got.
        return max(1, round(self.output_tokens.sample(self.draws, request.key, "output_tokens")))

    def is_correct(self, request: Request, said: bool | None = None) -> bool | None:  # noqa: FBT001 - what a reply says
        """Whether the reply is right: by the agent's accuracy, else as the reply says of itself."""
        if self.accuracy is None:
            return said
        return self.draws.uniform(request.key, "accuracy") < self.accuracy

    def submit(self, request: Request, usage: Usage) -> Attempt:
        """Send the attempt to the provider now; `leave` comes after it, however it ends."""
        return self.provider.submit(
            self.served,
            request.attempt_key,
            usage,
            latency_factor=request.latency_factor * self.latency_factor,
        )

    def leave(self, request: Request, attempt: Attempt) -> None:
        """Take what came or hang up, and write into the span what the provider knows."""
        self.provider.abandon(attempt)
        span = request.span
        span.start_s = attempt.start_s
        span.cost_usd = attempt.cost_usd
        if attempt.start_s == attempt.start_s:  # nothing was read or billed before service began
            if attempt.first_token_s <= self.log.clock():  # else the client hung up before it
                span.first_token_s = attempt.first_token_s
            usage = attempt.usage
            span.input_tokens, span.output_tokens = usage.input_tokens, usage.output_tokens
            if usage.cache_read_tokens or usage.cache_write_tokens:
                span.cache_read_tokens = usage.cache_read_tokens
                span.cache_write_tokens = usage.cache_write_tokens
