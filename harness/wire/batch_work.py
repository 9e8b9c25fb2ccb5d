"""The requests of batches: calls that no client waits for, beside queue and rate limits, at half the price.

    created -> its turn comes -> judged by the fault plan -> content from the agent's model -> done

What goes wrong with one of them is its own result: an error, or that it expires with its batch.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from harness.kernel.process import Process, Steps
from harness.models import ModelError
from harness.models.verdict import Alter, Break, Fail, Silent, Slow, Verdict
from harness.provider import Refusal
from harness.spans import ABSENT, ATTEMPT, CANCELLED, ERROR, OK
from harness.units import Usage
from harness.wire.api import Completion, Job
from harness.wire.call import Call
from harness.wire.obedience import AS_IS, disobeys
from harness.wire.truncation import fit

if TYPE_CHECKING:
    from harness.wire.server import Endpoint, Server

PRICE_FACTOR = 0.5
"""What a token costs in a batch, against its usual price, at Anthropic and at OpenAI
(https://docs.claude.com/en/docs/build-with-claude/batch-processing, https://platform.openai.com/docs/guides/batch)."""

EXPIRED = "batch_expired"


class BatchWork:
    """One request of a batch, from its creation to its end.

    Args:
        server: Who knows agents and faults.
        site: Where the batch was created.
        call: The call that it is.
        job: What the API is told of it.
        at_s: When its turn comes [s].
        until_s: When its batch expires [s].
    """

    def __init__(
        self, server: Server, site: Endpoint, call: Call, job: Job, at_s: float, until_s: float
    ) -> None:
        self._server = server
        self._call = call
        self._job = job
        self._at_s = at_s
        self._until_s = until_s
        self._now_s = server.kernel.now_s
        self._served = server.served(site.name, call.prompt.model, call.role.latency)
        request = call.request
        request.attempt += 1
        request.latency_factor = 1.0
        self._span = server.log.open(
            ATTEMPT, request.model, call.span, call.agent, request.model, request.attempt
        )
        self._span.start_s = ABSENT
        self._span.cost_usd = 0.0
        request.span = self._span
        call.attempts.append(self._span)
        self._process = Process(server.kernel, self._steps())
        job.give_up = self.stop

    def stop(self) -> None:
        """Give it up: its batch was cancelled, or the run is over."""
        if self._job.done_s == math.inf:
            self._process.stop()
            self._job.done_s = self._now_s()

    def _steps(self) -> Steps:
        status = CANCELLED
        try:
            status = yield from self._answer()
            self._job.done_s = self._now_s()
        except Exception as error:
            if self._server.on_error is None:
                self._server.failure = error
                raise
            status = self._fail(self._server.on_error("a request of a batch", error))
            self._job.done_s = self._now_s()
        finally:
            self._server.log.close(self._span, status)
            if status != OK:
                self._server.calls.failed(self._call)

    def _answer(self) -> Generator[Any, Any, str]:
        yield self._at_s
        met = self._server.judge(self._call.request)
        verdict: Verdict | None = None
        if met is not None:
            self._span.fault, verdict = met
            self._server.log.event("fault", self._span, met[0])
        if isinstance(verdict, Break):  # there are no bytes of its own
            verdict = verdict.without_wire
        factor = 1.0
        match verdict:
            case Fail(why):
                return self._fail(why)
            case Silent(for_s):
                silent_until_s = math.inf if for_s is None else self._now_s() + for_s
                if silent_until_s >= self._until_s:
                    yield self._until_s
                    return self._fail(Refusal(EXPIRED, None, "The batch expired."), expired=True)
                yield silent_until_s
            case Slow(factor):
                pass
        return (yield from self._serve(verdict, factor))

    def _serve(self, verdict: Verdict | None, factor: float) -> Generator[Any, Any, str]:
        server, call, request = self._server, self._call, self._call.request
        usage = Usage(call.prompt.tokens, 0)
        reply = server.content(call.role, request)
        if disobeys(reply, call.prompt, request, as_is=call.role.as_is) and not self._span.fault:
            self._span.fault = AS_IS
            server.log.event("fault", self._span, AS_IS)
        spoken = fit(reply, call.prompt, server.size(call.role, request), usage)
        if isinstance(verdict, Alter):
            said = spoken.reply._replace(output_tokens=spoken.usage.output_tokens)
            try:
                spoken = fit(verdict.change(said), call.prompt, None, usage)
            except ModelError as error:
                return self._fail(Refusal("api_error", 500, error.message))
        yield from self._generate(spoken, factor * server.latency_factors.get(call.agent, 1.0))
        self._job.spoken = spoken
        server.replied(call, spoken, ())
        return OK

    def _generate(self, spoken: Completion, factor: float) -> Generator[Any, Any, None]:
        span, usage, now_s = self._span, spoken.usage, self._now_s()
        prefill_s, generate_s = self._served.latency.sample(
            self._server.draws,
            self._call.request.attempt_key,
            usage.input_tokens,
            usage.output_tokens,
            factor,
        )
        span.start_s = now_s
        yield now_s + (prefill_s + generate_s)
        span.first_token_s = now_s + prefill_s
        span.input_tokens, span.output_tokens = usage.input_tokens, usage.output_tokens
        prices = self._served.prices
        span.cost_usd = math.nan if prices is None else PRICE_FACTOR * prices.cost_usd(usage)

    def _fail(self, why: Refusal, *, expired: bool = False) -> str:
        self._span.error = why.error
        if why.status is not None:
            self._span.http_status = why.status
        self._job.refusal, self._job.expired = why, expired
        return ERROR
