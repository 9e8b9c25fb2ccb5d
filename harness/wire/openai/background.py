"""Responses that are made in the background: what is told of them while they are made, whole or event by event.

    queued -> in_progress -> completed, incomplete or failed         `GET` tells how it stands
           -> cancelled                                              `POST .../cancel` ends it

Source: https://developers.openai.com/api/docs/guides/background. Limits, overload and faults end the response as `failed`; its
error has a code of the SDK's type `ResponseError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.kernel.process import Steps
from harness.provider.service import Attempt
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Completion, Ids, Job, Moment, Times
from harness.wire.openai.encoding import named_event
from harness.wire.openai.errors import Problem, problem_of
from harness.wire.openai.response_stream import Events

_BAD_REQUEST = 400
_TOO_MANY = 429


class Event(NamedTuple):
    """One event of a stream."""

    at_s: float
    """When it is sent at the earliest [s]."""
    data: bytes


Write = Callable[[Completion, Ids, int], JsonObject]
"""Writes a response as it is at its end: from the reply, the source of its items' names, and its end [s since 1970]."""


class Background:
    """One response in the background.

    Args:
        job: The work on it.
        queued: The response as it is told at first.
        write: Writes it as it is at its end.
        moment: When it was asked for.
    """

    def __init__(self, job: Job, queued: JsonObject, write: Write, moment: Moment) -> None:
        self._job = job
        self._queued = queued
        self._write = write
        self._written = queued
        """As it will be, once that is known."""
        self._end: JsonObject | None = None
        self._waiting: list[Callable[[], None]] = []
        """Those who read events, and have read all that there are."""
        opening = ("response.created", "response.queued")
        self._events = [_event(name, queued, n, moment.at_s) for n, name in enumerate(opening)]
        job.on_change = self._changes

    @property
    def body(self) -> JsonObject:
        """The response as it stands."""
        if self._end is not None:
            return self._end
        return self._queued | {"status": "in_progress"} if self._job.begun else self._queued

    def is_asked_for(self) -> None:
        """Note that its client asks what became of it."""
        if self._end is None:
            self._job.is_asked_for()

    def cancel(self, now_s: float) -> None:
        """End it where it stands; what has ended stays as it is."""
        if self._end is None:
            self._job.give_up()
            self._breaks_off(self._queued | {"status": "cancelled"}, now_s)

    def feed(self, send: Callable[[bytes], None], after: int) -> Steps:
        """Send its events, each at its time, until the last.

        Args:
            send: Sends one.
            after: The number of the last event that the client has; -1 for none.
        """
        place = after + 1
        while place < len(self._events) or self._end is None:
            if place >= len(self._events):
                yield self._waiting.append
                continue
            yield self._events[place].at_s
            if place < len(self._events):  # it was not cancelled meanwhile
                send(self._events[place].data)
                place += 1

    def _changes(self, moment: Moment) -> None:
        """Take note that it is known what is said, or that the work is over."""
        job = self._job
        if job.refusal is not None:
            problem = problem_of(job.refusal, moment)
            error = {"code": _code_of(problem), "message": problem.message}
            self._breaks_off(self._queued | {"status": "failed", "error": error}, moment.at_s)
        elif job.is_over:
            self._end = self._written
            self._tell()
        else:
            assert job.attempt is not None
            assert job.spoken is not None
            self._written = self._write(job.spoken, moment.ids, int(EPOCH_S + job.attempt.end_s))
            if job.prompt.stream:
                self._events += self._coming(job.spoken, job.attempt, moment)
                self._tell()

    def _coming(self, spoken: Completion, attempt: Attempt, moment: Moment) -> Iterator[Event]:
        """The events from the beginning of service on."""
        prompt, sent = self._job.prompt, len(self._events)
        then = moment._replace(times=Times.of(attempt))
        written = Events(self._written, prompt, spoken, then, prompt.details.asked, sent).parts()
        yield Event(attempt.start_s, written[0].data)
        first_s, last_s = attempt.first_token_s, attempt.end_s
        for part in written[1:]:
            yield Event(first_s + (last_s - first_s) * part.share, part.data)

    def _breaks_off(self, body: JsonObject, now_s: float) -> None:
        self._end = body
        sent = [event for event in self._events if event.at_s <= now_s]
        self._events = [*sent, _event("response.failed", body, len(sent), now_s)]
        self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()


def _event(name: str, body: JsonObject, number: int, at_s: float) -> Event:
    told = {"type": name, "response": body, "sequence_number": number}
    return Event(at_s, named_event(name, told))


def _code_of(problem: Problem) -> str:
    if problem.status == _TOO_MANY:
        return "rate_limit_exceeded"
    return "invalid_prompt" if problem.status == _BAD_REQUEST else "server_error"
