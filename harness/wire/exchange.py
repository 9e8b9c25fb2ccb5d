"""One attempt at a server: a request that asks a model, from its arrival to the last byte of its answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from harness.kernel.process import Steps
from harness.models import ModelError
from harness.models.served import note_service
from harness.models.verdict import Alter, Break, Fail, Silent, Slow, Verdict
from harness.provider import Refusal, refusal
from harness.provider.service import REFUSAL_S, Attempt
from harness.spans import ABSENT, ATTEMPT, CANCELLED, ERROR, OK, WAIT
from harness.wire.api import Api, Completion, Ids, Moment
from harness.wire.call import Call
from harness.wire.damage import FAILURES, PAGE, damaged, plan_of
from harness.wire.http import Connection, HttpResponse
from harness.wire.obedience import AS_IS, disobeys
from harness.wire.truncation import fit

if TYPE_CHECKING:
    from harness.wire.server import Endpoint, Server

_LOST = frozenset(
    {
        "reset_midway",
        "truncated_json",
        "invalid_json",
        "error_event",
        "corrupt_chunk",
        "corrupt_gzip",
        "error_body",
    }
)
"""The damages after which the client has no reply."""

_MALFORMED = Break("invalid_json", Slow(1.0))
"""What a reply that cannot be parsed is, on a wire."""


class Exchange:
    """One attempt: a request that asks a model, from its arrival to the last byte of its answer."""

    def __init__(
        self, server: Server, connection: Connection, site: Endpoint, api: Api, call: Call
    ) -> None:
        self._server = server
        self._connection = connection
        self._api = api
        self._provider = site.provider
        self._call = call
        self._now_s = server.kernel.now_s
        self._log = server.log
        self._served = server.served(site.name, call.prompt.model, call.role.latency)
        self._attempt: Attempt | None = None
        request = call.request
        request.attempt += 1
        request.latency_factor = 1.0
        self._span = self._log.open(
            ATTEMPT, request.model, call.span, call.agent, request.model, request.attempt
        )
        self._span.start_s = ABSENT
        self._span.cost_usd = 0.0
        if not call.attempts:
            self._span.repeats = call.span.repeats
        request.span = self._span
        call.attempts.append(self._span)
        self._ids = Ids(f"{server.draws.seed}\x1f{request.attempt_key}")

    def steps(self) -> Steps:
        """Go through it; a client that hangs up ends it wherever it stands."""
        status = CANCELLED
        try:
            status = yield from self._answer()
        finally:
            if status == CANCELLED and self._attempt is not None:
                self._provider.abandon(self._attempt)
                note_service(self._span, self._attempt)
            self._log.close(self._span, status)
            if status == CANCELLED and self._connection.timed_out:
                self._call.timed_out.append(self._span.ordinal)
            if status != OK:
                self._server.calls.failed(self._call)

    def _answer(self) -> Generator[Any, Any, str]:
        met = self._server.judge(self._call.request)
        verdict: Verdict | None = None
        if met is not None:
            self._span.fault, verdict = met
            silent = isinstance(verdict, Silent)
            self._log.event("fault", self._call.span if silent else self._span, met[0])
        broken: Break | None = None
        match verdict:
            case Slow(factor):
                self._call.request.latency_factor = factor
            case Silent(for_s):
                yield from self._silence(for_s)
            case Fail(why):
                return (yield from self._refuse(why))
            case Break():
                broken = verdict
                if broken.damage in FAILURES:
                    return (yield from self._break_connection(broken))
                if broken.damage == "html":
                    return (yield from self._refuse(refusal("api_error"), page=PAGE))
        return (yield from self._serve(verdict, broken))

    def _serve(self, verdict: Verdict | None, broken: Break | None) -> Generator[Any, Any, str]:
        server, call, request = self._server, self._call, self._call.request
        reply = server.content(call.role, request)
        if disobeys(reply, call.prompt, request, as_is=call.role.as_is) and not self._span.fault:
            self._span.fault = AS_IS
            self._log.event("fault", self._span, AS_IS)
        usage = self._api.usage(call.prompt, self._now_s())
        spoken = fit(reply, call.prompt, server.size(call.role, request), usage)
        if isinstance(verdict, Alter):
            try:
                said = spoken.reply._replace(output_tokens=spoken.usage.output_tokens)
                spoken = fit(verdict.change(said), call.prompt, None, usage)
            except ModelError:  # no other error is made of a reply than that nobody can read it
                broken = _MALFORMED
        arrival_s = self._now_s()
        attempt = self._attempt = self._provider.submit(
            self._served,
            request.attempt_key,
            spoken.usage,
            latency_factor=request.latency_factor * server.latency_factors.get(call.agent, 1.0),
        )
        if not attempt.triggered:
            yield from self._queue(attempt)
        if attempt.value is not None:
            yield attempt
            self._attempt = None
            return (yield from self._refuse(attempt.value, after_s=0.0))
        self._ids.same_tool_ids = broken is not None and broken.damage == "duplicate_tool_ids"
        first_s = attempt.first_token_s
        yield first_s
        self._api.remember(call.prompt, first_s)
        if call.prompt.stream:
            response = self._api.stream(call.prompt, spoken, self._moment(arrival_s))
        else:
            yield attempt
            response = self._api.whole(call.prompt, spoken, self._moment(arrival_s))
            first_s = attempt.end_s
        yield from self._send(response, broken, first_s, attempt.end_s)
        return self._done(spoken, broken)

    def _done(self, spoken: Completion, broken: Break | None) -> str:
        assert self._attempt is not None
        call, span, usage = self._call, self._span, spoken.usage
        note_service(span, self._attempt)
        if usage.cache_read_tokens or usage.cache_write_tokens:
            span.cache_read_tokens = usage.cache_read_tokens
            span.cache_write_tokens = usage.cache_write_tokens
        self._attempt = None
        if broken is not None and (
            broken.damage in _LOST or (broken.damage == "cut" and not call.prompt.stream)
        ):
            span.error = broken.damage
            return ERROR
        self._server.replied(call, spoken, tuple(self._ids.tools))
        return OK

    # -- the ways to end without a reply -----------------------------------------------------------------------------

    def _refuse(
        self, why: Refusal, after_s: float = REFUSAL_S, page: HttpResponse | None = None
    ) -> Generator[Any, Any, str]:
        """Say no, in the words of the API or with the page of somebody else."""
        span = self._span
        span.error = why.error
        if why.retry_after_s is not None:
            span.retry_after_s = why.retry_after_s
        arrival_s = self._now_s()
        yield arrival_s + after_s
        if why.status is None:
            self._connection.close("reset")
        else:
            response = page or self._api.refused(why, self._moment(arrival_s))
            span.http_status = response.status
            self._connection.respond(response)
        return ERROR

    def _break_connection(self, broken: Break) -> Generator[Any, Any, str]:
        self._span.error = "connection_error"
        self._connection.is_unreachable = broken.damage != "reset"
        yield self._now_s() + REFUSAL_S
        self._connection.close(FAILURES[broken.damage])
        return ERROR

    def _silence(self, for_s: float | None) -> Generator[Any, Any, None]:
        """Let time pass before the provider hears of the attempt; it is a wait of the call, and not a queue's."""
        span = self._log.open(WAIT, "silence", self._call.span, self._call.agent)
        status = CANCELLED
        try:
            yield math.inf if for_s is None else self._now_s() + for_s
            status = OK
        finally:
            self._log.close(span, status)
            self._span.arrival_s = self._now_s()

    # -- the parts of a good end --------------------------------------------------------------------------------------

    def _queue(self, attempt: Attempt) -> Generator[Any, Any, None]:
        """Wait until service begins."""

        def tell(resume: Callable[[], None]) -> None:
            attempt.on_start = resume

        yield tell

    def _send(
        self, response: HttpResponse, broken: Break | None, first_s: float, last_s: float
    ) -> Generator[Any, Any, None]:
        if broken is None:
            steps = plan_of(response, first_s, last_s)
        else:
            moment = self._moment(first_s)
            steps = damaged(
                broken,
                response,
                first_s,
                last_s,
                lambda refusal: self._api.refused(refusal, moment),
                lambda refusal: self._api.broken_off(refusal, moment),
            )
        for at_s, do in steps:
            if at_s > self._now_s():
                yield at_s
            do(self._connection)

    def _moment(self, arrival_s: float) -> Moment:
        now_s = self._now_s()
        return Moment(self._ids, now_s, now_s - arrival_s, self._provider.quota(self._served))
