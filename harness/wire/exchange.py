"""One attempt at a server: a request for a model, from its arrival to the last byte of its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from harness.kernel.process import Steps
from harness.models import AttemptSpan, ModelError, Reply, Request
from harness.models.attempt import raise_outcome
from harness.models.recorded import failure_of
from harness.models.refused import RefusedError
from harness.models.verdict import Alter, Break, Slow
from harness.provider import Refusal
from harness.provider.service import Attempt
from harness.spans import CANCELLED, OK, RECORDED
from harness.units import Usage
from harness.wire.api import Api, Completion, Ids, Moment, Times
from harness.wire.call import Call
from harness.wire.calls import Calls
from harness.wire.damage import FAILURES, PAGE, Step, damaged, plan_of
from harness.wire.http import Connection, HttpResponse
from harness.wire.replayed_bytes import (
    completion_of,
    response_of,
    steps_of,
    without_recording,
)
from harness.wire.truncation import alter, speak

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


class ToldError(ModelError):
    """The attempt has failed, and the error was sent to its client."""


class Exchange:
    """One attempt: the life that `models/attempt.py` describes, in bytes, from the request's arrival to the last of its answer."""

    def __init__(self, calls: Calls, connection: Connection, api: Api, call: Call) -> None:
        self._calls = calls
        self._connection = connection
        self._api = api
        self._call = call
        self._backend = call.backend
        self._now_s = calls.log.clock
        self._life = AttemptSpan(calls.log, call.request)
        self._span = self._life.span
        if not call.attempts:
            self._span.repeats = call.span.repeats
        call.attempts.append(self._span)
        call.asked = calls.progress.asked()
        self._ids = Ids(call.backend.draws.root(call.request.attempt_key))
        self._is_cut = False

    def steps(self) -> Steps:
        """The steps of the attempt; a client that disconnects ends it at any step."""
        turn = self._call.prompt.turn
        if turn is not None:
            turn.begin()
        self._call.request.cut = self._cut
        try:
            with self._life:
                yield from self._answer()
        except ToldError:
            pass
        finally:
            self._call.request.cut = None
            status = self._span.status
            if status == CANCELLED and self._connection.timed_out:
                self._call.timed_out.append(self._span.ordinal)
            if status != OK:
                self._calls.failed(self._call)
            if turn is not None:
                turn.end(answered=status == OK)

    def _answer(self) -> Steps:
        began_s = self._now_s()
        try:
            request = self._call.request
            changes, broken = yield from self._backend.verdict(request)
            if broken is not None and broken.damage in FAILURES:
                yield from self._break_connection(broken)
            if broken is not None and broken.damage == "html":
                now_s = self._now_s()
                yield now_s + request.refusal_after_s(now_s)
                raise self._told(Refusal("api_error"), began_s, page=PAGE)
            began_s = self._now_s()
            yield from self._serve(changes, broken)
        except RefusedError as error:
            raise self._told(error.refusal, began_s) from None
        except GeneratorExit:
            if not self._is_cut:
                raise
            raise ToldError("connection_error", None, "") from None

    def _serve(self, changes: Sequence[Alter], broken: Break | None) -> Steps:
        call, request = self._call, self._call.request
        usage = Usage(call.prompt.tokens, 0)
        if not call.prompt.only_recorded:
            usage = self._api.usage(call.prompt, self._now_s())
        spoken: Completion

        def size(_: Request, reply: Reply) -> Usage:
            nonlocal spoken, broken
            spoken = completion_of(reply) or speak(call, self._span, reply, usage, self._calls.log)
            if reply.recorded is not None:
                self._calls.log.event(RECORDED, self._span, reply.recorded.source)
            for change in changes:
                try:
                    spoken = alter(
                        without_recording(spoken, call.prompt), change, call.prompt, usage
                    )
                except ModelError:  # the only error that a reply can become is that it is malformed
                    broken = _MALFORMED
            return spoken.usage

        attempt = self._backend.submit(request, size, usage)
        try:
            if not attempt.triggered:
                yield from self._queue(attempt)
            if attempt.value is not None:
                yield attempt
                raise_outcome(attempt.value)
            yield from self._send(attempt, spoken, broken)
        finally:
            self._backend.leave(request, attempt)
        if broken is None and spoken.reply.recorded is not None and spoken.reply.recorded.as_bytes:
            failure = failure_of(spoken.reply.recorded.response)
            if failure is not None:
                raise ToldError(*failure)
        if broken is not None and (
            broken.damage in _LOST or (broken.damage == "cut" and not call.prompt.stream)
        ):
            raise ToldError(broken.damage, None, "")
        self._calls.answered(call, spoken, tuple(self._ids.tools))

    def _cut(self) -> None:
        """End it where it stands: nobody is there any more who could answer."""
        stop, self._is_cut = self._connection.on_hang_up, True
        self._connection.close("reset")
        if stop is not None:
            stop()

    # -- the ways to end without a reply -----------------------------------------------------------------------------

    def _told(self, why: Refusal, arrival_s: float, page: HttpResponse | None = None) -> ToldError:
        """Send the refusal: the API's error, or a proxy's page."""
        status = None
        if why.is_silent:
            self._connection.close("reset")
        else:
            response = page or self._api.refused(why, self._moment(arrival_s))
            status = response.status
            self._connection.respond(response)
        limit = "" if why.limit is None else why.limit.name
        return ToldError(why.kind, status, why.message, why.retry_after_s, limit)

    def _break_connection(self, broken: Break) -> Steps:
        self._connection.is_unreachable = broken.damage != "reset"
        now_s = self._now_s()
        yield now_s + (broken.for_s or self._call.request.refusal_after_s(now_s))
        self._connection.close(FAILURES[broken.damage])
        raise ToldError("connection_error", None, "")

    # -- the parts of a good end --------------------------------------------------------------------------------------

    def _queue(self, attempt: Attempt) -> Steps:
        """Wait until the time of the first token is known."""

        def tell(resume: Callable[[], None]) -> None:
            attempt.on_first_token_known = resume

        yield tell

    def _send(self, attempt: Attempt, spoken: Completion, broken: Break | None) -> Steps:
        """Encode the reply, and send each part at its time."""
        api, prompt, arrival_s = self._api, self._call.prompt, attempt.arrival_s
        self._ids.same_tool_ids = broken is not None and broken.damage == "duplicate_tool_ids"
        recording = spoken.reply.recorded
        if recording is not None and not recording.as_bytes:
            recording = None
        if recording is not None:
            self._ids.tools[:] = recording.tool_ids
            if broken is None:
                yield from self._carry_out(steps_of(recording, attempt))
                return
        first_s = attempt.first_token_s
        if recording is not None or prompt.stream or prompt.asks_for_cache:
            yield first_s
            if not prompt.only_recorded:
                api.remember(prompt, first_s)
        if recording is not None:
            response = response_of(recording.response)
        elif prompt.stream:
            response = api.stream(prompt, spoken, self._moment(arrival_s, attempt))
        else:
            yield attempt
            response = api.whole(prompt, spoken, self._moment(arrival_s, attempt))
            first_s = attempt.end_s
        if broken is None:
            steps = plan_of(response, first_s, attempt.end_s)
        else:
            moment = self._moment(first_s)
            steps = damaged(
                broken,
                response,
                first_s,
                attempt.end_s,
                lambda refusal: api.refused(refusal, moment),
                lambda refusal: api.broken_off(refusal, moment),
            )
        yield from self._carry_out(steps)

    def _carry_out(self, steps: Iterable[Step]) -> Steps:
        for at_s, do in steps:
            if at_s > self._now_s():
                yield at_s
            do(self._connection)

    def _moment(self, arrival_s: float, attempt: Attempt | None = None) -> Moment:
        now_s = self._now_s()
        quota = self._backend.provider.quota(self._backend.served)
        times = Times() if attempt is None else Times.of(attempt)
        return Moment(self._ids, now_s, now_s - arrival_s, quota, times)
