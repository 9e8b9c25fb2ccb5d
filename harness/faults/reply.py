"""The reply arrives damaged."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Alter, Fault
from harness.models import MALFORMED_REPLY, ModelError, Reply
from harness.units import Probability

_HTTP_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Fault):
    """The reply cannot be parsed: it took its time and its tokens, and the caller gets an error that is not retried."""

    def verdict(self) -> Alter:
        """Served, and useless."""
        return Alter(_fail_to_parse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(Fault):
    """The reply is cut on its way: whoever gets it reads less, and it is wrong; it took its time and is billed whole."""

    keep: Probability = 0.5
    """Share of the text that arrives."""

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
            truncated=True,
            correct=None if reply.correct is None else False,
        )


def _fail_to_parse(reply: Reply) -> Reply:
    raise ModelError(
        MALFORMED_REPLY, _HTTP_OK, f"the reply is not valid JSON: {reply.text[:20]!r}..."
    )
