"""What an agent takes: messages that keep a schema, in a version that it speaks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.agents.message import Message
from harness.json_types import JsonObject
from harness.models import ModelError
from harness.models.schemas import violation
from harness.spans import Span, SpanLog

NEGOTIATED = "version_negotiated"
"""Name of the event that two agents use another version than the one that the sender prefers."""


class MessageRefused(ModelError):  # noqa: N818 - names the condition
    """An agent does not take a message; asking again would not help.

    Args:
        error: The error type, as spans name it.
        message: Why.
    """

    def __init__(self, error: str, message: str) -> None:
        super().__init__(error, None, message)
        self.args = (error, message)  # of this constructor, so that it survives `pickle`

    @property
    def is_retryable(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What an agent takes."""

    accepts: Mapping[str, Any] | None = None
    """The JSON Schema that each message must keep: its text as JSON, or as a string if it is none. None takes all."""
    versions: tuple[str, ...] = ()
    """The versions of messages that it speaks, the one that it prefers first; empty takes all."""

    def checked(
        self, messages: Sequence[Message], name: str, span: Span, log: SpanLog
    ) -> tuple[Message, ...]:
        """The messages, in versions that the agent speaks.

        Args:
            messages: What it has got.
            name: Its name.
            span: Its turn.
            log: Where a negotiation is noted.

        Raises:
            MessageRefused: One of them breaks the schema, or is in a version that it does not speak.
        """
        return tuple(self._checked(message, name, span, log) for message in messages)

    def _checked(self, message: Message, name: str, span: Span, log: SpanLog) -> Message:
        if self.accepts is not None and (wrong := _broken(message.text, dict(self.accepts))):
            raise MessageRefused(
                "invalid_message", f"{name} does not take the message of {message.sender}: {wrong}"
            )
        if not self.versions or message.version in ("", *self.versions):
            return message
        theirs = message.task.speaks.get(message.sender, (message.version,))
        common = [version for version in theirs if version in self.versions]
        if not common:
            raise MessageRefused(
                "version_mismatch",
                f"{name} speaks version {', '.join(self.versions)}, and {message.sender} {', '.join(theirs)}",
            )
        log.event(NEGOTIATED, span, f"{message.version} > {common[0]}")
        return message._replace(version=common[0])

    def version_of_answer(self, asked: str) -> str:
        """The version of an answer: that of what was asked, if the agent speaks it, or else the one that it prefers."""
        return asked if not self.versions or asked in self.versions else self.versions[0]


def _broken(text: str, schema: JsonObject) -> str | None:
    """How a text breaks a schema; None if it keeps it as JSON or as a string."""
    as_string = violation(text, schema)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return as_string
    return None if as_string is None else violation(value, schema)
