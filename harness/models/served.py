"""Any content behind a simulated provider, for an agent of a pattern: the life of an attempt, and nothing added."""

from __future__ import annotations

from harness.kernel import gone_through, happened
from harness.models.api import Reply, Request
from harness.models.attempt import Backend
from harness.models.refused import RefusedError
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
        content = await backend.content.reply(request)
        usage = Usage(request.input_tokens, self._size(request, content))
        attempt = backend.submit(request, usage)
        try:
            refusal = await happened(attempt)
        finally:
            backend.leave(request, attempt)
        if refusal is not None:
            raise RefusedError(refusal)
        reply = Reply(
            content.text,
            content.tool_calls,
            usage.output_tokens,
            content.truncated,
            backend.is_correct(request, content.correct),
        )
        return verdict.change(reply) if isinstance(verdict, Alter) else reply

    def _size(self, request: Request, content: Reply) -> int:
        for stated in (self._backend.size(request), content.output_tokens, request.output_tokens):
            if stated is not None:
                return stated
        return count_tokens(content.text)
