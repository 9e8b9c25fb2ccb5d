"""Requests of batches: no client waits for them, no queue or rate limit applies, and they cost half.

    created -> its turn comes -> judged by the fault plan -> content from the agent's model -> done

What goes wrong with one of them is its own result: an error, or that it expires with its batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace

from harness.kernel import Kernel
from harness.kernel.process import Process, Steps
from harness.metrics.history import BATCHED
from harness.models import AttemptSpan, ModelError
from harness.models.attempt import Left
from harness.models.refused import RefusedError
from harness.models.verdict import without_wire
from harness.provider import Refusal
from harness.spans import OK
from harness.units import Usage
from harness.wire.api import Completion, Job
from harness.wire.call import Call
from harness.wire.calls import Calls
from harness.wire.truncation import alter, speak

PRICE_FACTOR = 0.5
"""What a token costs in a batch, against its usual price, at Anthropic and at OpenAI
(https://docs.claude.com/en/docs/build-with-claude/batch-processing, https://platform.openai.com/docs/guides/batch)."""

EXPIRED = "batch_expired"


class BatchWork:
    """One request of a batch, from its creation to its end.

    Args:
        kernel: The clock.
        calls: The calls of the run.
        call: The call that it is.
        job: What the API is told of it.
        at_s: When its turn comes [s].
        until_s: When its batch expires [s].
        refusal_for: Gives the result for an error in it, or raises.
    """

    def __init__(
        self,
        kernel: Kernel,
        calls: Calls,
        call: Call,
        job: Job,
        at_s: float,
        until_s: float,
        refusal_for: Callable[[str, Exception], Refusal],
    ) -> None:
        self._calls = calls
        self._call = call
        self._backend = replace(call.backend, judge=without_wire(call.backend.judge))
        self._job = job
        self._at_s = at_s
        self._until_s = until_s
        self._refusal_for = refusal_for
        self._now_s = kernel.now_s
        self._life = AttemptSpan(calls.log, call.request)
        self._span = self._life.span
        call.attempts.append(self._span)
        call.awaited = False
        calls.log.event(BATCHED, call.span)
        self._process = Process(kernel, self._steps())
        job.give_up = self.stop

    def stop(self) -> None:
        """Stop it: its batch was cancelled, or the run is over."""
        if self._job.done_s == math.inf:
            self._process.stop()
            self._job.done_s = self._now_s()

    def _steps(self) -> Steps:
        job = self._job
        try:
            with self._life:
                yield from self._whole()
        except RefusedError as error:
            job.refusal, job.expired = error.refusal, error.error == EXPIRED
        finally:
            if self._span.status != OK:
                self._calls.failed(self._call)
        job.done_s = self._now_s()

    def _whole(self) -> Steps:
        try:
            yield from self._answer()
        except RefusedError:
            raise
        except Exception as error:
            raise RefusedError(self._refusal_for("a request of a batch", error)) from error

    def _answer(self) -> Steps:
        call = self._call
        yield self._at_s
        changes = (yield from self._verdict()).changes
        usage = Usage(call.prompt.tokens, 0)
        reply = yield from self._backend.said(call.request)
        spoken = speak(call, self._span, reply, usage, self._calls.log)
        for change in changes:
            try:
                spoken = alter(spoken, change, call.prompt, usage)
            except ModelError as error:
                raise RefusedError(Refusal("api_error", message=error.message)) from None
        yield from self._generate(spoken)
        self._job.spoken = spoken
        self._calls.answered(call, spoken, ())

    def _verdict(self) -> Generator[float, None, Left]:
        """Meet the fault plan; what waits longer than the batch expires with it."""
        steps = self._backend.verdict(self._call.request)
        try:
            while True:
                until_s = next(steps)
                if until_s >= self._until_s:
                    yield self._until_s
                    raise RefusedError(Refusal(EXPIRED))
                yield until_s
        except StopIteration as end:
            left: Left = end.value
            return left
        finally:
            steps.close()

    def _generate(self, spoken: Completion) -> Steps:
        span, usage, now_s = self._span, spoken.usage, self._now_s()
        request, backend = self._call.request, self._backend
        prefill_s, generate_s = backend.served.latency.sample(
            backend.draws,
            request.attempt_key,
            usage.input_tokens,
            usage.output_tokens - usage.at_once_tokens,
            request.latency_factor * backend.latency_factor,
        )
        span.start_s = now_s
        yield now_s + (prefill_s + generate_s + usage.tools_s)
        span.first_token_s = now_s + prefill_s
        span.input_tokens, span.output_tokens = usage.input_tokens, usage.output_tokens
        prices = backend.served.prices
        tokens_alone = usage._replace(fees_usd=0.0)
        span.cost_usd = (
            math.nan
            if prices is None
            else PRICE_FACTOR * prices.cost_usd(tokens_alone) + usage.fees_usd
        )
