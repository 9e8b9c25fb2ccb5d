"""From an agent's stated reply to the object that produces its replies.

A new kind of content is one more case in `content_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from harness.errors import HarnessError, StubError
from harness.kernel.sim_thread import RunIsOver
from harness.models.api import Content, Model, Reply, Request, ToolCall, Work
from harness.models.plausible import Plausible
from harness.models.replies import AnyReply, Replies, asked
from harness.models.stub import Script, Stub
from harness.virtual.tracebacks import place_of


@dataclass(frozen=True, slots=True)
class PythonStub:
    """A function that a scenario names. It must not keep state between calls."""

    function: Callable[[Request], Any]
    """Takes the request; gives what `harness.models.replies` lists, and may be async."""
    name: str
    """How to call it in messages."""

    def reply(self, request: Request) -> Work:
        """Call the function; an error in it becomes a `StubError` with its place."""
        who = f"stub {self.name} for agent {request.agent!r}"
        return asked(self.function, request, who, partial(self._errors_named, request))

    @contextmanager
    def _errors_named(self, request: Request) -> Iterator[None]:
        try:
            yield
        except RunIsOver:
            raise
        except (Exception, SystemExit) as error:
            where = f"\n  Where: {place}" if (place := place_of(error)) else ""
            raise StubError(
                f"stub {self.name} failed for agent {request.agent!r}: {error!r}{where}"
            ) from error


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A model of the user's, which takes its own virtual time."""

    model: Model
    agent: str
    """Whose words they are."""

    def reply(self, request: Request) -> Work:
        """Ask the model."""
        return asked(self.model.reply, request, f"the model of agent {self.agent!r}")


@dataclass(frozen=True, slots=True)
class Said:
    """A reply that is known, whatever the request."""

    known: Reply

    def reply(self, request: Request) -> Reply:
        """Say it."""
        return self.known


def content_of(
    agent: str,
    said: Script | PythonStub | AnyReply | Model | None = None,
    *,
    tool_calls: Sequence[ToolCall] = (),
) -> Content:
    """The source of an agent's replies.

    Args:
        agent: The agent.
        said: The stated reply: a script, a function that a scenario names, a model, or replies as in
            `harness.models.replies`; None means something plausible.
        tool_calls: Tools it calls first; the reply comes after their results.

    Raises:
        HarnessError: It is not a valid reply.
    """
    if said is None and not tool_calls:
        return Plausible(agent)
    if isinstance(said, Script):
        return Stub(said)
    if isinstance(said, PythonStub):
        return said
    if not hasattr(said, "reply"):
        replies = f"{agent} has done its part" if said is None else said
        return Replies(agent, replies, tool_calls=tool_calls)
    if tool_calls:
        raise HarnessError(
            f"agent {agent!r}: `tool_calls` cannot be combined with a model, which decides its own tool calls\n"
            "  How to fix: let the model return the tool calls, or give a reply that is not a model"
        )
    return OwnModel(cast("Model", said), agent)
