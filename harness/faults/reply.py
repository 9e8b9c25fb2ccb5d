"""Damaged replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.faults.api import Alter, Fault
from harness.models import MALFORMED_REPLY, ModelError, Reply
from harness.units import Probability

_HTTP_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Fault):
    """The reply cannot be parsed. It takes its time and its tokens, and the caller gets an error that is not retried."""

    def verdict(self) -> Alter:
        """Served, but useless."""
        return Alter(_fail_to_parse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(Fault):
    """The reply is cut short. The reader gets less text, the reply counts as wrong, and the generated part is billed."""

    keep: Probability = 0.5
    """Share of the text that arrives."""
    stop_reason: Literal["max_tokens", "end_turn"] = "max_tokens"
    """What a program with an SDK is told: `max_tokens` (`length` at OpenAI), as the real API does, or `end_turn` (`stop`),
    which is a lie that no client can see through."""

    def verdict(self) -> Alter:
        """Served in part."""
        return Alter(self._cut)

    def _cut(self, reply: Reply) -> Reply:
        return reply._replace(
            text=reply.text[: int(len(reply.text) * self.keep)],
            tool_calls=(),
            output_tokens=None
            if reply.output_tokens is None
            else int(reply.output_tokens * self.keep),
            truncated=self.stop_reason == "max_tokens",
            correct=None if reply.correct is None else False,
        )


def _fail_to_parse(reply: Reply) -> Reply:
    raise ModelError(
        MALFORMED_REPLY, _HTTP_OK, f"the reply is not valid JSON: {reply.text[:20]!r}..."
    )
