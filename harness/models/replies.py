"""What the agents of a test say: texts, wishes for tools, or a function, given in Python.

A reply is one of

- a text;
- a dict: the arguments of the tool that must be used, where there is one, else its JSON as text;
- a `ToolCall`, or a list of them;
- a `Reply`, for everything else that can be said;
- a function that takes the request and gives any of these.

A list of replies is given in order, one a call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from harness.errors import StubError
from harness.models.api import Reply, Request, ToolCall

OneReply = str | dict[str, Any] | ToolCall | Reply | Sequence[ToolCall]
AnyReply = (
    OneReply | Callable[[Request], OneReply] | Sequence[OneReply | Callable[[Request], OneReply]]
)


class Replies:
    """A model that says what a test tells it to say; a retry of a call is told what the call was told.

    Args:
        agent: Whose replies they are; for messages.
        replies: A reply for every call, or a list of them in order.
        tool_calls: Tools that are wished for first; what the agent says comes when their results are there.

    Raises:
        StubError: Something in it is no reply.
    """

    def __init__(
        self, agent: str, replies: AnyReply, *, tool_calls: Sequence[ToolCall] = ()
    ) -> None:
        self._agent = agent
        # A wish and a reply are tuples too.
        one = isinstance(replies, ToolCall | Reply) or _is_wishes(replies)
        self._in_order = isinstance(replies, list | tuple) and not one
        self._replies: list[Any] = list(replies) if self._in_order else [replies]  # type: ignore[arg-type]
        self._tool_calls = tuple(tool_calls)
        self.used = 0
        """How many of the replies in order have been given, in the run that has given most."""
        self._numbers: dict[tuple[int, int], int] = {}
        """Which reply a call is given, by its task and its number there; only where wishes come in between."""
        self._given: dict[int, int] = {}
        """How many have been given so, by task."""
        for reply in self._replies:
            if not callable(reply):
                as_reply(reply, agent, None)

    @property
    def unused(self) -> int:
        """How many replies in order nobody asked for."""
        return len(self._replies) - self.used if self._in_order else 0

    async def reply(self, request: Request) -> Reply:
        """Say what comes next.

        Raises:
            StubError: The replies ran out, or the function gave none.
        """
        if self._tool_calls and not request.tool_results:
            return Reply("", self._tool_calls)
        if not self._in_order:
            return self._one(self._replies[0], request)
        number = self._number_of(request)
        if number > len(self._replies):
            raise StubError(
                f"the replies of agent {self._agent!r} ran out: this is call {number}, and the list has "
                f"{len(self._replies)}\n"
                f"  How to fix: if {_calls(len(self._replies))} should be enough, see in the program why it calls again; if "
                "it may call again, add a reply to the list, or give one reply without a list, for every call."
            )
        self.used = max(self.used, number)
        return self._one(self._replies[number - 1], request)

    def begin_anew(self) -> None:
        """Forget what was given: a run begins."""
        self._numbers.clear()
        self._given.clear()

    def _number_of(self, request: Request) -> int:
        if not self._tool_calls:
            return request.call_in_task
        call = request.span.task, request.call_in_task
        if call not in self._numbers:
            self._numbers[call] = self._given[call[0]] = self._given.get(call[0], 0) + 1
        return self._numbers[call]

    def _one(self, reply: Any, request: Request) -> Reply:  # noqa: ANN401 - whatever a test gives
        said = reply(request) if callable(reply) else reply
        return as_reply(said, self._agent, request)


def as_reply(said: object, agent: str, request: Request | None) -> Reply:
    """Understand what a test says an agent says.

    Raises:
        StubError: It is no reply.
    """
    if isinstance(said, Reply):
        return said
    if isinstance(said, str):
        return Reply(said)
    if isinstance(said, ToolCall):
        return Reply("", (said,))
    if isinstance(said, dict):
        if request is not None and request.wanted_tool:
            return Reply("", (ToolCall(request.wanted_tool, said),))
        return Reply(json.dumps(said))
    if _is_wishes(said):
        return Reply("", tuple(said))  # type: ignore[arg-type]  # a list of wishes
    raise StubError(
        f"agent {agent!r} cannot say {said!r}\n"
        "  How to fix: give a text, a dict, a ToolCall or a list of them, a Reply, or a function that gives one of these."
    )


def _is_wishes(replies: object) -> bool:
    return (
        isinstance(replies, list | tuple)
        and len(replies) > 0
        and all(isinstance(reply, ToolCall) for reply in replies)
    )


def _calls(number: int) -> str:
    return f"{number} {'call' if number == 1 else 'calls'}"
