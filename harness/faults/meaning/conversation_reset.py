"""A conversation that starts anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.chance import Draws
from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationReset(MeaningFault):
    """The agent starts over: it reads the first message alone, and says its first reply again. It meets no first call of a task."""

    def meets(self, request: Request, now_s: float, draws: Draws, name: str) -> bool:
        """Whether the fault applies to an attempt: there must be something to forget."""
        return request.call_in_task > 1 and MeaningFault.meets(self, request, now_s, draws, name)

    def verdict(self) -> Mislead:
        """From the beginning."""
        return Mislead(cause="conversation_reset", reads=_first, says=_as_at_first)


def _first(request: Request) -> Request:
    if request.said:
        request.said = request.said[:1]
        request.prompt = request.said[0].text
    return request


def _as_at_first(reply: Reply, _request: Request, earlier: Sequence[Reply]) -> Reply:
    return earlier[0] if earlier else reply
