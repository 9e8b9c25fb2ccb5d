"""Any content behind a simulated provider: what is said comes from one, when and whether from the other."""

from __future__ import annotations

import asyncio

from harness.chance import Draws
from harness.chance.distributions import AnyDistribution
from harness.kernel import happened
from harness.models.api import Model, ModelError, Reply, Request
from harness.provider import Provider, Served
from harness.provider.service import Attempt
from harness.provider.tokens import count_tokens
from harness.spans import Span
from harness.units import Usage


class ServedModel:
    """A model at a provider.

    Args:
        content: Who decides what is said.
        provider: Who decides when, and whether.
        served: The model as the provider serves it.
        draws: Where chance comes from.
        output_tokens: Size of a reply; None means what the reply itself says, or the workload, or the length of the
            text.
        accuracy: Share of replies that are right; None when nobody asks.
        latency_factor: How many times as long as others' its attempts take to serve; beside what a fault says.
    """

    def __init__(
        self,
        content: Model,
        provider: Provider,
        served: Served,
        draws: Draws,
        *,
        output_tokens: AnyDistribution | None = None,
        accuracy: float | None = None,
        latency_factor: float = 1.0,
    ) -> None:
        self._content = content
        self._provider = provider
        self._served = served
        self._draws = draws
        self._output_tokens = output_tokens
        self._accuracy = accuracy
        self._latency_factor = latency_factor

    async def reply(self, request: Request) -> Reply:
        """Answer after the time that the provider takes.

        Raises:
            ModelError: The provider refused.
        """
        content = await self._content.reply(request)
        usage = Usage(request.input_tokens, self._size(request, content))
        attempt = self._provider.submit(
            self._served,
            request.attempt_key,
            usage,
            latency_factor=request.latency_factor * self._latency_factor,
        )
        try:
            refusal = await happened(attempt)
        except asyncio.CancelledError:
            self._provider.abandon(attempt)
            note_service(request.span, attempt)
            raise
        if refusal is not None:
            raise ModelError(*refusal[:4])
        note_service(request.span, attempt)
        correct = content.correct if self._accuracy is None else self._is_correct(request)
        return Reply(
            content.text, content.tool_calls, usage.output_tokens, content.truncated, correct
        )

    def _size(self, request: Request, content: Reply) -> int:
        if self._output_tokens is not None:
            # Keyed by the call and not by the attempt: a retry gets the answer that the first try would have got.
            return max(
                1, round(self._output_tokens.sample(self._draws, request.key, "output_tokens"))
            )
        for stated in (content.output_tokens, request.output_tokens):
            if stated is not None:
                return stated
        return count_tokens(content.text)

    def _is_correct(self, request: Request) -> bool:
        assert self._accuracy is not None
        return self._draws.uniform(request.key, "accuracy") < self._accuracy


def note_service(span: Span, attempt: Attempt) -> None:
    """Write into the attempt's span what the provider knows; nothing was read or billed before service began."""
    span.start_s = attempt.start_s
    span.cost_usd = attempt.cost_usd
    if attempt.start_s == attempt.start_s:
        if attempt.first_token_s <= attempt.env._now:  # noqa: SLF001 - else the client hung up before it
            span.first_token_s = attempt.first_token_s
        usage = attempt.usage
        span.input_tokens, span.output_tokens = usage.input_tokens, usage.output_tokens
