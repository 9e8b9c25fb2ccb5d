"""A call, and a list of calls, as a test sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.models import ChatMessage, Reply
from harness.spans import Span
from harness.wire.call import Call

_EXCERPT_MAX = 60
"""How much of a text is shown in a message [characters]."""


class CallList(list["CallView"]):
    """A list of calls in the order in which they began; it equals its length, as in `run.calls("a") == 3`."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            return len(self) == other
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _as_number(self, other: object) -> int:
        if not isinstance(other, int):
            raise TypeError(f"calls are compared with a number, not with {other!r}")
        return other

    def __lt__(self, other: object) -> bool:
        return len(self) < self._as_number(other)

    def __le__(self, other: object) -> bool:
        return len(self) <= self._as_number(other)

    def __gt__(self, other: object) -> bool:
        return len(self) > self._as_number(other)

    def __ge__(self, other: object) -> bool:
        return len(self) >= self._as_number(other)

    __hash__ = None  # as of every list


@dataclass(frozen=True, slots=True, repr=False)
class CallView:
    """One call, as a test sees it."""

    _call: Call

    @property
    def number(self) -> int:
        """1 for the first call of the run; its place in `run.calls()`."""
        return self._call.number

    @property
    def span_id(self) -> int:
        """Which span it is."""
        return self._call.span.span_id

    @property
    def ordinal(self) -> int:
        """1 for the agent's first call; what messages and timelines show, and what `call=` of a fault counts."""
        return self._call.request.call_in_task

    @property
    def agent(self) -> str:
        """The agent that made the call."""
        return self._call.agent

    @property
    def task_path(self) -> str:
        """The task or thread that made it, by its path of spawning, such as `main/worker#2`: the second `worker` of `main`."""
        return self._call.task_path

    @property
    def address(self) -> str:
        """Identity of the call, independent of other tasks: the path of its task, the digest of its request, and an ordinal."""
        return self._call.request.address

    @property
    def model(self) -> str:
        """The model that was asked."""
        return self._call.request.model

    @property
    def system(self) -> str:
        """The system prompt."""
        return self._call.request.system

    @property
    def prompt(self) -> str:
        """The text of the last message to the model."""
        return self._call.request.prompt

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The whole conversation."""
        return self._call.request.conversation

    @property
    def told(self) -> Iterator[str]:
        """All texts of its prompt, except the model's own replies."""
        return self._call.prompt.told

    @property
    def reply(self) -> Reply | None:
        """The reply; None if there was none."""
        return self._call.reply

    @property
    def text(self) -> str:
        """The text of the answer; empty if there was none."""
        return "" if self._call.reply is None else self._call.reply.text

    @property
    def attempts(self) -> Sequence[Span]:
        """Its attempts, in order."""
        return tuple(self._call.attempts)

    @property
    def timed_out(self) -> Sequence[int]:
        """Ordinals of the attempts that the client's own timeout ended."""
        return tuple(self._call.timed_out)

    @property
    def provider(self) -> str:
        """The provider that was asked."""
        return self._call.provider

    @property
    def start_s(self) -> float:
        """When it began [virtual s]."""
        return self._call.span.arrival_s

    @property
    def end_s(self) -> float:
        """When it ended [virtual s]."""
        return self._call.span.end_s

    @property
    def latency_s(self) -> float:
        """How long it took, with all its attempts [s]."""
        return self.end_s - self.start_s

    @property
    def status(self) -> str:
        """`ok`, `error` or `cancelled`."""
        return self._call.span.status

    @property
    def error(self) -> str:
        """The kind of failure; empty if there was none."""
        return self._call.span.error

    @property
    def heard(self) -> Sequence[int]:
        """Numbers of the earlier calls whose replies are part of its prompt."""
        return self._call.sources

    @property
    def repeats(self) -> int | None:
        """Number of the failed call that the program repeats with this one; None if it repeats none."""
        return self._call.repeats

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        end = "" if math.isnan(self.end_s) else f" to {self.end_s:.3f} s"
        return f"call {self.ordinal} of {self.agent} ({self.model}), {self.start_s:.3f}{end}: {self.status or 'open'}"


def excerpt(text: str, longest: int = _EXCERPT_MAX) -> str:
    """The beginning of a text, quoted, on one line.

    Args:
        text: The text.
        longest: How much of it is shown [characters].
    """
    line = " ".join(text.split())
    return repr(line if len(line) <= longest else f"{line[:longest]}...")
