"""A request whose client does not wait: it is served like any other, and its client asks later what became of it.

    answered at once -> judged by the fault plan -> submitted to the provider -> service -> done

Faults, limits and overload meet the work and not the requests that ask for it; what fails is told by the API in its own words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from harness.kernel import Kernel
from harness.kernel.process import Process, Steps
from harness.metrics.history import IN_BACKGROUND
from harness.models import AttemptSpan, ModelError, Reply, Request
from harness.models.attempt import Left, raise_outcome
from harness.models.refused import RefusedError
from harness.models.verdict import Alter, without_wire
from harness.provider import Refusal
from harness.provider.service import Attempt
from harness.spans import OK
from harness.units import Usage
from harness.wire.api import Api, Ids, Job, Moment
from harness.wire.call import Call
from harness.wire.calls import Calls
from harness.wire.truncation import alter, speak

_NEVER = "a reply that never comes"
_QUESTIONS_EVERY_S = 10.0
"""How often a client that asks for what never comes is noted to bring nothing new [s]; more often would end programs that are about
to lose patience."""


class BackgroundWork:
    """One attempt without a client, from its request to its end.

    Args:
        kernel: The clock.
        calls: The calls of the run.
        api: Who counts what is read.
        call: The call that it is an attempt of.
        job: What the API is told of it.
        refusal_for: Gives the result for an error in it, or raises.
    """

    def __init__(
        self,
        kernel: Kernel,
        calls: Calls,
        api: Api,
        call: Call,
        job: Job,
        refusal_for: Callable[[str, Exception], Refusal],
    ) -> None:
        self._calls = calls
        self._api = api
        self._call = call
        self._backend = replace(call.backend, judge=without_wire(call.backend.judge))
        self._job = job
        self._refusal_for = refusal_for
        self._now_s = kernel.now_s
        self._arrival_s = kernel.now_s()
        self._turn = call.prompt.turn
        self._life = AttemptSpan(calls.log, call.request)
        self._span = self._life.span
        if not call.attempts:
            self._span.repeats = call.span.repeats
            calls.log.event(IN_BACKGROUND, call.span)
        call.attempts.append(self._span)
        call.asked = calls.progress.asked()
        call.awaited = False
        self.ids = Ids(call.backend.draws.root(call.request.attempt_key))
        """Where the names in its answer come from."""
        if self._turn is not None:
            self._turn.begin()
        self._hangs = False
        """Whether it waits for what never comes."""
        self._asked_s = -math.inf
        """When it was last noted that its client asks for it [s]."""
        self._is_cut = False
        self._process = Process(kernel, self._steps())
        job.give_up, job.is_asked_for = self.stop, self._note_question

    def stop(self) -> None:
        """Stop it: it was cancelled, or the run is over."""
        if not self._job.is_over:
            self._process.stop()
            self._end()

    def moment(self) -> Moment:
        """This moment, for an answer about it."""
        now_s, backend = self._now_s(), self._backend
        quota = backend.provider.quota(backend.served)
        return Moment(self.ids, now_s, now_s - self._arrival_s, quota)

    def _steps(self) -> Steps:
        job = self._job
        self._call.request.cut = self._cut
        try:
            with self._life:
                yield from self._whole()
        except RefusedError as error:
            job.refusal = error.refusal
        finally:
            self._call.request.cut = None
        self._end()
        job.on_change(self.moment())

    def _end(self) -> None:
        self._job.done_s = self._now_s()
        answered = self._span.status == OK
        if not answered:
            self._calls.failed(self._call)
        if self._turn is not None:
            self._turn.end(answered=answered)

    def _whole(self) -> Steps:
        try:
            yield from self._answer()
        except RefusedError:
            raise
        except GeneratorExit:
            if not self._is_cut:
                raise
            raise RefusedError(Refusal("connection_error")) from None
        except Exception as error:
            raise RefusedError(self._refusal_for("a request in the background", error)) from error

    def _cut(self) -> None:
        """Let it fail where it stands: nobody is there any more who could answer."""
        self._is_cut = True
        self._process.stop()

    def _note_question(self) -> None:
        """Note that its client asks for it in vain; other questions bring news one day."""
        now_s, call, progress = self._now_s(), self._call, self._calls.progress
        if self._hangs and now_s >= self._asked_s + _QUESTIONS_EVERY_S:
            self._asked_s = now_s
            words = f"program > {call.agent}: asks for a reply that never comes"
            task = call.scope.span.task
            state = call.digest
            progress.note(task, call.agent, _NEVER, lambda: state, progress.asked(), lambda: words)

    def _verdict(self) -> Generator[float, None, Left]:
        """Meet the fault plan."""
        steps = self._backend.verdict(self._call.request)
        try:
            while True:
                until_s = next(steps)
                self._hangs = until_s == math.inf
                yield until_s
        except StopIteration as end:
            left: Left = end.value
            return left
        finally:
            steps.close()

    def _answer(self) -> Steps:
        changes = (yield from self._verdict()).changes
        yield from self._serve(changes)

    def _serve(self, changes: Sequence[Alter]) -> Steps:
        call, job = self._call, self._job
        usage = self._api.usage(call.prompt, self._now_s())
        is_malformed = False

        def size(_: Request, reply: Reply) -> Usage:
            nonlocal is_malformed
            spoken = speak(call, self._span, reply, usage, self._calls.log)
            for change in changes:
                try:
                    spoken = alter(spoken, change, call.prompt, usage)
                except ModelError:  # the only error that a reply can become is that it is malformed
                    is_malformed = True
            job.spoken = spoken
            return spoken.usage

        attempt = job.attempt = self._backend.submit(call.request, size, usage)
        try:
            if not attempt.triggered:
                yield from _queue(attempt)
            if attempt.value is None:
                if not is_malformed:
                    job.on_change(self.moment())
                yield attempt.first_token_s
                self._api.remember(call.prompt, attempt.first_token_s)
            yield attempt
            raise_outcome(attempt.value)
        except GeneratorExit:
            if job.begun:
                self._backend.provider.stop(attempt)
            raise
        finally:
            self._backend.leave(call.request, attempt)
        if is_malformed:
            raise RefusedError(Refusal("api_error"))
        assert job.spoken is not None
        self._calls.answered(call, job.spoken, tuple(self.ids.tools))


def _queue(attempt: Attempt) -> Steps:
    """Wait until the time of the first token is known, or that there will be none."""

    def tell(resume: Callable[[], None]) -> None:
        attempt.on_first_token_known = resume

    yield tell
