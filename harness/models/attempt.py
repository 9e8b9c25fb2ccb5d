"""The life of one attempt, for an agent of a pattern and for a program on the wire.

    open span -> verdict of the fault plan -> admission -> service: content, first token, last token -> close span

`AttemptSpan` is the first and the last of these, `Backend` has the others, and is all that decides an attempt. What takes time
is a generator of waits: a task of a pattern goes through it (`kernel.gone_through`), or a process of the wire. The wire adds
bytes, a pattern adds nothing (`served.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextvars import Context
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, cast

from harness.chance import Draws
from harness.chance.distributions import AnyDistribution
from harness.kernel.process import Wait
from harness.models.api import (
    CALL_ERRORS,
    Content,
    Mislead,
    ModelError,
    Reply,
    Request,
    Work,
    error_name,
)
from harness.models.meaning.traits import Traits, is_right
from harness.models.refused import RefusedError
from harness.models.verdict import (
    Alter,
    Break,
    Dearer,
    Fail,
    Judge,
    Late,
    Silent,
    Slow,
    Starved,
    in_turn,
)
from harness.provider import Provider, Refusal, Served
from harness.provider.latency import Latency
from harness.provider.service import Attempt
from harness.provider.stated import EndsAt, Takes, Treatment
from harness.spans import ABSENT, ATTEMPT, CANCELLED, ERROR, OK, WAIT, Span, SpanLog
from harness.units import Usage
from harness.virtual.aside import Aside, Outcome

Sizer = Callable[[Request, Reply], Usage]
"""Gives what an attempt reads and generates whose content says something."""


class Left(NamedTuple):
    """The part of an attempt's verdicts that is applied during service."""

    changes: tuple[Alter, ...] = ()
    """What they make of the reply, in order."""
    broken: Break | None = None
    """What they do to the bytes, where there are any."""


NOTHING_LEFT = Left()


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
        request.attempt = number = request.attempt + 1
        request.latency_factor, request.stated, request.misled = 1.0, None, ()
        request.treatment = None
        model = request.model
        span = log.open(ATTEMPT, model, request.call_span, request.agent, model, number)
        span.start_s = ABSENT
        span.cost_usd = 0.0  # until a provider serves it
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
                span.limited_by = error.limit
        self._request.span = self._request.call_span
        self._log.close(span, status)


def _treat(request: Request, verdict: Late | Dearer | Starved) -> None:
    """Let an attempt be treated as a verdict says."""
    treatment = request.treatment = request.treatment or Treatment()
    match verdict:
        case Late(by_s):
            treatment.late_s += by_s
        case Dearer(factor):
            treatment.cost_factor *= factor
        case Starved():
            treatment.is_last = True


def _raise(error: BaseException) -> NoReturn:
    raise error


@dataclass(slots=True, kw_only=True)
class Backend:
    """Serves the attempts of one agent at one model."""

    log: SpanLog
    draws: Draws
    content: Content
    """Who decides what is said."""
    aside: Aside
    """Where content that takes its time is made."""
    context: Context = field(default_factory=Context)
    """The context variables that it sees."""
    provider: Provider
    """Who decides when, and whether."""
    served: Served
    """The model as the provider serves it."""
    judge: Judge | None = None
    """The fault plan."""
    output_tokens: AnyDistribution | None = None
    """Size of a reply [tokens]; None if not stated."""
    traits: Traits = Traits()
    """How well the agent judges."""
    lost: Callable[[BaseException], None] = _raise
    """Told what goes wrong when a reply is made whose client has hung up."""
    latency_factor: float = 1.0
    """How many times as long as others' its attempts take to serve; beside what a fault says."""

    def verdict(self, request: Request) -> Generator[float, None, Left]:
        """Query the fault plan, and apply the verdicts that take effect before service: slow, silent, refused.

        Returns:
            What is left to do.

        Raises:
            RefusedError: A fault refuses it.
        """
        met = None if self.judge is None else self.judge(request)
        if met is None:
            return NOTHING_LEFT
        request.span.fault, verdicts = met[0], in_turn(met[1])
        # An attempt that meets silence begins after it, so the event is the call's.
        silent = any(isinstance(verdict, Silent) for verdict in verdicts)
        self.log.event("fault", request.call_span if silent else request.span, met[0])
        changes: list[Alter] = []
        broken: Break | None = None
        for verdict in verdicts:
            match verdict:
                case Slow(factor):
                    request.latency_factor *= factor
                case Takes() | EndsAt():
                    request.stated = verdict
                case Late() | Dearer() | Starved():
                    _treat(request, verdict)
                case Silent(for_s):
                    yield from self._silence(request, for_s)
                case Fail(refusal):
                    now_s = self.log.clock()
                    yield now_s + request.refusal_after_s(now_s)
                    raise RefusedError(refusal)
                case Alter():
                    changes.append(verdict)
                case Mislead():
                    request.misled += (verdict,)
                case Break():
                    broken = verdict
        return Left(tuple(changes), broken)

    def _silence(self, request: Request, for_s: float | None) -> Generator[float, None, None]:
        """Let time pass before the attempt reaches the provider. It counts as a wait of the call, not of a queue."""
        span = self.log.open(WAIT, "silence", request.call_span, request.agent)
        status = CANCELLED
        try:
            yield math.inf if for_s is None else self.log.clock() + for_s
            status = OK
        finally:
            self.log.close(span, status)
            request.span.arrival_s = self.log.clock()

    def size(self, request: Request) -> int | None:
        """Size of the reply [tokens], if stated for the agent."""
        if self.output_tokens is None:
            return None
        # Keyed by the call and not by the attempt: a retry gets the answer that the first try would have got.
        return max(1, round(self.output_tokens.sample(self.draws, request.key, "output_tokens")))

    def is_correct(self, request: Request) -> bool | None:
        """Whether the reply is right, by the agent's accuracy; None if no accuracy is stated."""
        return is_right(self.draws, request, self.traits)

    def said(self, request: Request) -> Generator[Wait, Any, Reply]:
        """Wait for the content's reply."""
        said = self.content.reply(request)
        if isinstance(said, Reply):
            return said
        name = _name_of_work(request)
        reply: Reply = yield from made_aside(self.aside, name, said, self.context.copy())
        return reply

    def submit(self, request: Request, size: Sizer, read: Usage | None = None) -> Attempt:
        """Send the attempt to the provider now; `leave` comes after it, however it ends.

        Args:
            request: The attempt.
            size: Told what the content says; gives what is read and generated. It is asked now if the content knows its
                reply, else when the reply has been made, in service.
            read: What is read; None means the tokens of the request.

        Returns:
            The event of its end; it carries the reply.
        """
        said = self.content.reply(request)
        if not isinstance(said, Reply):
            return self._submit_work(said, request, size, read or Usage(request.input_tokens, 0))
        attempt = self.provider.submit(
            as_recorded(self.served, said),
            request.attempt_key,
            size(request, said),
            latency_factor=request.latency_factor * self.latency_factor,
            stated=request.stated,
            treatment=request.treatment,
        )
        attempt.carries = said
        return attempt

    def _submit_work(self, work: Work, request: Request, size: Sizer, read: Usage) -> Attempt:
        def make() -> None:
            self._call_aside(work, request, done)

        def done(reply: Reply, error: BaseException | None) -> None:
            try:
                if error is not None:
                    raise error
                attempt.carries, attempt.usage = reply, size(request, reply)
                attempt.model = as_recorded(self.served, reply)
            except BaseException as wrong:  # noqa: BLE001 - raised where the attempt is waited for
                self.provider.fail(attempt, wrong, self.lost if attempt.abandoned else None)
            else:
                self.provider.serve(attempt)

        attempt = self.provider.submit(
            self.served,
            request.attempt_key,
            read,
            latency_factor=request.latency_factor * self.latency_factor,
            stated=request.stated,
            make=make,
            treatment=request.treatment,
        )
        return attempt

    def _call_aside(self, work: Work, request: Request, done: Outcome) -> None:
        self.aside.call(_name_of_work(request), work, self.context.copy(), done)

    def leave(self, request: Request, attempt: Attempt) -> None:
        """Take the reply or abandon the attempt, and write the provider's data into the span."""
        span, start_s = request.span, attempt.start_s
        span.start_s = start_s
        span.cost_usd = attempt.cost_usd
        if request.treatment is not None:
            span.cost_usd *= request.treatment.cost_factor
        if start_s != start_s:  # nothing was read or billed before service began
            self.provider.abandon(attempt)
            return
        if attempt.first_token_s <= attempt.env._now:  # noqa: SLF001 - else the client hung up before it
            span.first_token_s = attempt.first_token_s
        # Unpacked, because a name of a named tuple is looked up at a price, and this runs for every attempt.
        span.input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, _, _, _, _ = (
            attempt.usage
        )
        if attempt.end_s == attempt.end_s:
            span.output_tokens = output_tokens
        else:
            attempt.abandoned = True  # before its reply was made
        if cache_read_tokens or cache_write_tokens:
            span.cache_read_tokens = cache_read_tokens
            span.cache_write_tokens = cache_write_tokens


def _name_of_work(request: Request) -> str:
    return f"the reply of {request.agent!r} to its call {request.call_in_task} of task {request.call_span.task}"


def made_aside(
    aside: Aside, name: str, work: Callable[[], Any], context: Context
) -> Generator[Wait, Any, Any]:
    """Wait for something that is made beside the program, and return it.

    Args:
        aside: Where it is made.
        name: What is being done; for reports.
        work: Makes it.
        context: The context variables that it sees.

    Raises:
        BaseException: What the work raises.
    """
    outcome: list[Any] = []

    def begin(resume: Callable[[], None]) -> None:
        def done(*came: object) -> None:
            outcome.extend(came)
            resume()

        aside.call(name, work, context, done)

    yield begin
    made, error = outcome
    if error is not None:
        raise error
    return made


def as_recorded(served: Served, reply: Reply) -> Served:
    """A model as its provider serves one reply: a recorded one in its recorded time."""
    recording = reply.recorded
    if recording is None or recording.latency is None:
        return served
    profile = served.latency
    assert isinstance(profile, Latency), "a model has a profile before it has a recording"
    return replace(served, latency=replace(recording.latency, profile=profile))


def raise_outcome(outcome: object) -> None:
    """Raise the error that the event of an attempt carries in place of a reply.

    Raises:
        RefusedError: The provider has refused it.
        BaseException: The error raised while the reply was made.
    """
    if isinstance(outcome, BaseException):
        raise outcome
    if outcome is not None:
        raise RefusedError(cast("Refusal", outcome))
