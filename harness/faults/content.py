"""Replies that no reader can use as they are: empty, declined, of the wrong form, too long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from harness.faults.api import Alter, Fault
from harness.models import Reply


def _wrong(reply: Reply) -> bool | None:
    """Whether a reply of which nothing is left is right."""
    return None if reply.correct is None else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Fault):
    """The reply has no content: neither text nor tool calls."""

    def verdict(self) -> Alter:
        """Served, with one token."""
        return Alter(_emptied, resized=True)


def _emptied(reply: Reply) -> Reply:
    return reply._replace(text="", tool_calls=(), output_tokens=1, correct=_wrong(reply))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Fault):
    """The model declines to answer. A program is told so by the API's stop reason; a pattern reads the text."""

    text: str = "I cannot help with that."
    """What it says."""

    def verdict(self) -> Alter:
        """Served, with a refusal."""
        return Alter(self._declined, resized=True)

    def _declined(self, reply: Reply) -> Reply:
        return reply._replace(
            text=self.text,
            tool_calls=(),
            output_tokens=max(1, len(self.text) // 4),
            refused=True,
            correct=_wrong(reply),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedJson(Fault):
    """The text of the reply is JSON that cannot be parsed: its end is missing, and it ends in a comma."""

    def verdict(self) -> Alter:
        """Served, malformed."""
        return Alter(_malformed)


def _malformed(reply: Reply) -> Reply:
    text = reply.text.rstrip()
    if text.endswith(("}", "]", '"')):
        text = text[:-1].rstrip()
    else:
        text = json.dumps({"answer": text})[:-1]
    return reply._replace(text=f"{text},", correct=_wrong(reply))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaViolation(Fault):
    """The text of the reply is valid JSON of another type: a list around what was asked for."""

    def verdict(self) -> Alter:
        """Served, in another form."""
        return Alter(_listed)


def _listed(reply: Reply) -> Reply:
    try:
        said = json.loads(reply.text)
    except (ValueError, RecursionError):
        said = reply.text
    return reply._replace(text=json.dumps([said]), correct=_wrong(reply))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized(Fault):
    """The reply is `factor` times as long. It takes as much more time and money; a program's `max_tokens` cuts it."""

    factor: Annotated[float, Gt(1)] = 10.0
    """How many times as long."""

    def verdict(self) -> Alter:
        """Served, at length."""
        return Alter(self._repeated, resized=True)

    def _repeated(self, reply: Reply) -> Reply:
        length = int(len(reply.text) * self.factor)
        text = f"{reply.text} " * (int(self.factor) + 1)
        tokens = None if reply.output_tokens is None else int(reply.output_tokens * self.factor)
        return reply._replace(text=text[:length], output_tokens=tokens)
