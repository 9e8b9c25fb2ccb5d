"""How much a model thinks before it speaks, where its reply does not say.

Thoughts are output: they are counted, billed, limited by `max_tokens`, and take their time. Providers publish no sizes, so
those here are guesses: they grow with the effort that is asked for, and vary from call to call.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from harness.chance import Draws
from harness.chance.distributions import LogNormal
from harness.models import Reply
from harness.provider.tokens import count_tokens

_MEDIAN_TOKENS: Final = {
    "none": 0,
    "minimal": 0,
    "low": 64,
    "medium": 256,
    "high": 640,
    "xhigh": 1536,
    "max": 3072,
}
"""By effort; guesses. With `minimal` models think next to nothing [recorded]."""

_SIGMA = 0.5
"""The logarithm's standard deviation; a guess."""

UNSTATED: Final = "I consider what is asked for, and what I need for the reply."
"""What is shown of thoughts that the agent's reply does not state."""


class Thinking(NamedTuple):
    """How a request lets its model think."""

    effort: str
    most: int | None = None
    """The budget [tokens]; None means that there is none."""
    step: int = 1
    """Counts are multiples of this [tokens]."""
    scale: float = 1.0
    """How much this model thinks beside others."""

    @property
    def thinks(self) -> bool:
        """Whether it thinks at all."""
        return _MEDIAN_TOKENS[self.effort] > 0

    def drawn(self, draws: Draws, key: str) -> int:
        """Tokens of one call's thoughts; a retry of the call thinks as much.

        Args:
            draws: Source of random values.
            key: Names the call.
        """
        if not self.thinks:
            return 0
        median = _MEDIAN_TOKENS[self.effort] * self.scale
        size = LogNormal(median=median, sigma=_SIGMA).sample(draws, key, "thinking_tokens")
        tokens = self.step * max(1, round(size / self.step))
        return tokens if self.most is None else min(tokens, self.most)


def tokens_of(reply: Reply) -> int | None:
    """Size of the thoughts that a reply states [tokens]; None if it states none."""
    if reply.thinking_tokens is not None:
        return reply.thinking_tokens
    return count_tokens(reply.thinking) if reply.thinking else None
