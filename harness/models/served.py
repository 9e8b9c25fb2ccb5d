"""Any content behind a simulated provider, for an agent of a pattern: the life of an attempt, and nothing added."""

from __future__ import annotations

from harness.kernel import gone_through, happened
from harness.models.api import Reply, Request
from harness.models.attempt import Backend, raise_outcome
from harness.models.verdict import Alter
from harness.provider.tokens import count_tokens
from harness.units import Usage


class ServedModel:
    """A model at a provider, under a plan of faults.

    Args:
        backend: What decides its attempts.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def reply(self, request: Request) -> Reply:
        """Answer after the time that the provider takes.

        Raises:
            ModelError: The provider refused, or a fault says so.
        """
        backend = self._backend
        verdict = None
        if backend.judge is not None:
            verdict = await gone_through(backend.verdict(request))
        read_tokens = request.input_tokens
        content: Reply

        def size(said: Reply) -> Usage:
            nonlocal content
            content = said
            return Usage(read_tokens, self._size(request, said))

        attempt = backend.submit(request, Usage(read_tokens, 0), size)
        try:
            outcome = await happened(attempt)
        finally:
            backend.leave(request, attempt)
        if outcome is not None:
            raise_outcome(outcome)
        reply = Reply(
            content.text,
            content.tool_calls,
            attempt.usage.output_tokens,
            content.truncated,
            backend.is_correct(request, content.correct),
        )
        return verdict.change(reply) if isinstance(verdict, Alter) else reply

    def _size(self, request: Request, content: Reply) -> int:
        for stated in (self._backend.size(request), content.output_tokens, request.output_tokens):
            if stated is not None:
                return stated
        return count_tokens(content.text)
