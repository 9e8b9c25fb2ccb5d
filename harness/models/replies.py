"""Replies stated in Python: texts, tool calls, or a function.

A reply is one of

- a text;
- a dict: the arguments of the tool that must be used, where there is one, else its JSON as text;
- a `ToolCall`, or a list of them;
- a `ServerTool`: a tool that the provider uses itself, and what the model says after it;
- a `Reply`, for everything else that can be said;
- a function that takes the request and gives any of these; it may be async, and it may block.

A list of replies is given in order, one a call. What a function takes is time at the provider, before the first token.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from harness.errors import StubError
from harness.json_types import JsonObject
from harness.models.api import Reply, Request, ToolCall, Work
from harness.models.server_tool import ServerTool

OUTPUT_TOKENS_MAX = 10**12
"""More than any model will ever say; a store keeps sizes in 64 bits."""

Errors = Callable[[], AbstractContextManager[None]]
"""Gives what stands around a function, to say whose its errors are."""

OneReply = str | JsonObject | ToolCall | ServerTool | Reply | Sequence[ToolCall]
Replier = Callable[[Request], OneReply | Awaitable[OneReply]]
AnyReply = OneReply | Replier | Sequence[OneReply | Replier]


class Replies:
    """A model with the replies of a test. A retry of a call gets the same reply as the call.

    Args:
        agent: Whose replies they are; for messages.
        replies: A reply for every call, or a list of them in order.
        tool_calls: Tools that are called first; the reply comes once their results are in the request.

    Raises:
        StubError: A part of it is not a valid reply.
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
                as_reply(reply, f"agent {agent!r}", None)

    @property
    def unused(self) -> int:
        """Number of unused replies."""
        return len(self._replies) - self.used if self._in_order else 0

    def reply(self, request: Request) -> Reply | Work:
        """Return the next reply.

        Raises:
            StubError: The replies ran out.
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
        """Start over with the first reply, at the beginning of a run."""
        self._numbers.clear()
        self._given.clear()

    def _number_of(self, request: Request) -> int:
        if not self._tool_calls:
            return request.call_in_task
        call = request.span.task, request.call_in_task
        if call not in self._numbers:
            self._numbers[call] = self._given[call[0]] = self._given.get(call[0], 0) + 1
        return self._numbers[call]

    def _one(self, reply: object, request: Request) -> Reply | Work:
        if callable(reply):
            return asked(reply, request, f"agent {self._agent!r}")
        return as_reply(reply, f"agent {self._agent!r}", request)


def asked(
    function: Callable[[Request], Any], request: Request, who: str, errors: Errors = nullcontext
) -> Work:
    """What asks a function for a reply.

    Args:
        function: The user's; it may be async.
        request: What it is given.
        who: The agent's name; for messages.
        errors: Stands around the function.
    """

    def call() -> Reply | Awaitable[Reply]:
        with errors():
            said = function(request)
        return awaited(said) if inspect.isawaitable(said) else as_reply(said, who, request)

    async def awaited(saying: Awaitable[object]) -> Reply:
        with errors():
            said = await saying
        return as_reply(said, who, request)

    return call


def as_reply(said: object, who: str, request: Request | None) -> Reply:
    """Convert a stated reply to a `Reply`.

    Args:
        said: What is said.
        who: The agent's name; for messages.
        request: What it answers, if that is known.

    Raises:
        StubError: It is not a valid reply.
    """
    if isinstance(said, Reply) and _is_whole(said):
        return said
    if isinstance(said, str):
        return Reply(said)
    if isinstance(said, ToolCall):
        return Reply("", (said,))
    if isinstance(said, ServerTool):
        return Reply(said.told, server_tools=(said,))
    if isinstance(said, dict):
        if request is not None and request.wanted_tool:
            return Reply("", (ToolCall(request.wanted_tool, said),))
        return Reply(json.dumps(said))
    if _is_wishes(said):
        return Reply("", tuple(said))  # type: ignore[arg-type]  # a list of wishes
    raise StubError(
        f"{who}: expected a reply (got {said!r})\n"
        "  How to fix: give a text, a dict, a ToolCall or a list of them, a ServerTool, a Reply, or a function that gives "
        "one of these."
    )


def _is_whole(reply: Reply) -> bool:
    """Whether all parts of a reply are what they should be, whatever its types say."""
    parts: tuple[object, ...] = reply
    text, calls, tokens = parts[:3]
    return (
        isinstance(text, str)
        and all(isinstance(use, ServerTool) for use in reply.server_tools)
        and isinstance(calls, tuple)
        and all(isinstance(call, ToolCall) for call in calls)
        and (tokens is None or (isinstance(tokens, int) and 0 <= tokens <= OUTPUT_TOKENS_MAX))
    )


def _is_wishes(replies: object) -> bool:
    return (
        isinstance(replies, list | tuple)
        and len(replies) > 0
        and all(isinstance(reply, ToolCall) for reply in replies)
    )


def _calls(number: int) -> str:
    return f"{number} {'call' if number == 1 else 'calls'}"
