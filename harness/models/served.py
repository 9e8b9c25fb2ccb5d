"""A model behind a simulated provider, for an agent of a pattern."""

from __future__ import annotations

import asyncio
from functools import partial

from harness.kernel import gone_through, happened
from harness.models.api import ModelError, Reply, Request
from harness.models.attempt import NOTHING_LEFT, Backend, Sizer, raise_outcome
from harness.models.meaning.mind import Mind
from harness.models.recorded import failure_of
from harness.models.verdict import Alter
from harness.models.window import REJECTED, Window
from harness.provider.prompt_cache import CachedBlocks
from harness.provider.service import REFUSAL_S
from harness.provider.tokens import count_tokens
from harness.spans import RECORDED
from harness.units import Usage


class ServedModel:
    """A model at a provider, under a plan of faults.

    Args:
        backend: What decides its attempts.
        window: How much it reads at once; None for no bound.
        cache: Its prompt cache; None if it has none.
    """

    def __init__(
        self, backend: Backend, window: Window | None = None, cache: CachedBlocks | None = None
    ) -> None:
        self._backend = backend
        self._window = window
        self._cache = cache

    async def reply(self, request: Request) -> Reply:
        """Reply after the time that the provider takes.

        Raises:
            ModelError: The provider or a fault refused the attempt.
        """
        backend = self._backend
        left = NOTHING_LEFT
        if backend.judge is not None:
            left = await gone_through(backend.verdict(request))
        if self._window is not None:
            refusal = self._window.refusal(request.input_tokens)
            if refusal is not None:
                backend.log.event(REJECTED, request.span, refusal.message)
                await asyncio.sleep(REFUSAL_S)
                raise refusal
        size: Sizer = self._usage
        if left.changes:
            resizing = tuple(change for change in left.changes if change.resized)
            size = partial(self._usage_after, resizing)
        attempt = backend.submit(request, size)
        try:
            outcome = await happened(attempt)
        finally:
            backend.leave(request, attempt)
        if outcome is not None:
            raise_outcome(outcome)
        if self._cache is not None and request.prefix is not None:
            self._cache.keep(request.agent, request.prefix, backend.log.clock())
        # Unpacked and made as tuples, at a fraction of the price of names and of `Reply(...)`: this is on the way of every call.
        text, tool_calls, _, truncated, correct, _, _, _, body, recorded, *_ = attempt.carries
        if recorded is not None:
            backend.log.event(RECORDED, request.call_span, recorded.source)
            failure = failure_of(recorded.response)
            if failure is not None:
                raise ModelError(*failure)
        if backend.traits.accuracy is not None:
            correct = backend.is_correct(request)
        reply = tuple.__new__(
            Reply,
            (
                text, tool_calls, attempt.usage.output_tokens, truncated, correct,
                "", False, False, body, None, (), None, False, (), (), (),
            ),
        )  # fmt: skip
        for alter in left.changes:
            was_right, reply = reply.correct, alter.change(reply)
            if alter.resized:  # as it was served
                reply = reply._replace(output_tokens=attempt.usage.output_tokens)
            if was_right and reply.correct is False and isinstance(backend.content, Mind):
                backend.content.spoil(request, reply.text)
        return reply

    def _usage_after(self, changes: tuple[Alter, ...], request: Request, content: Reply) -> Usage:
        usage = self._usage(request, content)
        for alter in changes:
            content = alter.change(content._replace(output_tokens=usage.output_tokens))
            usage = usage._replace(output_tokens=content.output_tokens or 0)
        return usage

    def _usage(self, request: Request, content: Reply) -> Usage:
        tokens = self._backend.size(request)
        if tokens is None:
            if content.recorded is not None:
                return content.recorded.usage
            tokens = content.output_tokens
        if tokens is None:
            tokens = request.output_tokens
        if tokens is None:
            tokens = count_tokens(content.text)
        usage: Usage = tuple.__new__(
            Usage, (request.input_tokens, tokens, 0, 0, 0, 0, 0.0, 0.0)
        )  # see above
        if self._cache is None or request.prefix is None:
            return usage
        return self._cache.usage(request.agent, request.prefix, usage, self._backend.log.clock())
