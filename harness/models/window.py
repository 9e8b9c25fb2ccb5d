"""The context window of a model, and the API's own words when a prompt does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from harness.models.refused import RefusedError
from harness.provider import Refusal

REJECTED = "rejected"
"""Name of the event that the API has not accepted a request; its detail is the API's own words."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much a model reads at once."""

    tokens: int
    """The most that a prompt may have, with the system prompt [tokens]."""
    api: str
    """The API whose words are used: `anthropic`, or another."""

    def refusal(self, input_tokens: int) -> RefusedError | None:
        """Why a prompt is refused; None if it fits.

        Args:
            input_tokens: Its size [tokens].
        """
        if input_tokens <= self.tokens:
            return None
        kind = "invalid_request_error"
        words = f"prompt is too long: {input_tokens} tokens > {self.tokens} maximum"
        if self.api != "anthropic":
            kind = "context_length_exceeded"
            words = (
                f"This model's maximum context length is {self.tokens} tokens. However, your messages resulted in "
                f"{input_tokens} tokens. Please reduce the length of the messages."
            )
        return RefusedError(Refusal(kind, status=400, message=words))
