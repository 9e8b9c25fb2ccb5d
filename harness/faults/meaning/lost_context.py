"""A conversation that is lost where it is handed on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import ChatMessage, Request
from harness.units import Probability


@dataclass(frozen=True, slots=True, kw_only=True)
class LostContext(MeaningFault):
    """The agent reads the last message alone; the conversation before it is lost. Of a conversation of one message it reads a part."""

    keep: Probability | None = None
    """Share of the last message that is read, from its beginning; absent means all of it, and half of an only message."""

    def verdict(self) -> Mislead:
        """Read without what came before."""
        return Mislead(cause="lost_context", reads=self._read)

    def _read(self, request: Request) -> Request:
        keep = self.keep
        if keep is None:
            keep = 1.0 if len(request.said) > 1 else 0.5
        request.prompt = request.prompt[: int(len(request.prompt) * keep)]
        last = request.said[-1] if request.said else ChatMessage("user", request.prompt)
        results = tuple(
            it._replace(text=it.text[: int(len(it.text) * keep)]) for it in last.tool_results
        )
        text = last.text[: int(len(last.text) * keep)] if request.said else request.prompt
        request.said = (last._replace(text=text, tool_results=results),)
        return request
