"""From what somebody has stated of an agent to who decides what it says: the one way to content.

A new kind of content is one more case here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from harness.errors import HarnessError, StubError
from harness.kernel.baton import RunIsOver
from harness.models.api import Content, Model, Request, ToolCall, Work
from harness.models.plausible import Plausible
from harness.models.replies import AnyReply, Replies, asked
from harness.models.stub import Script, Stub
from harness.virtual.tracebacks import place_of


@dataclass(frozen=True, slots=True)
class PythonStub:
    """A function that a scenario names; it must not keep state from call to call."""

    function: Callable[[Request], Any]
    """Takes the request; gives what `harness.models.replies` lists, and may be async."""
    name: str
    """How to call it in messages."""

    def reply(self, request: Request) -> Work:
        """Ask the function; a `StubError` says what went wrong there, and where."""
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
    """A model of the user's, which answers in its own time."""

    model: Model
    agent: str
    """Whose words they are."""

    def reply(self, request: Request) -> Work:
        """Ask the model."""
        return asked(self.model.reply, request, f"the model of agent {self.agent!r}")


def content_of(
    agent: str,
    said: Script | PythonStub | AnyReply | Model | None = None,
    *,
    tool_calls: Sequence[ToolCall] = (),
) -> Content:
    """Who decides what an agent says.

    Args:
        agent: The agent.
        said: What somebody has stated: a script, a function that a scenario names, a model, or replies as in
            `harness.models.replies`; None means something plausible.
        tool_calls: Tools it asks for first; the reply comes after their results.

    Raises:
        HarnessError: It is nothing that an agent could say.
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
            f"agent {agent!r}: `tool_calls` comes before a reply, and a model says by itself what it wishes\n"
            "  How to fix: let the model wish for the tools, or give a reply that is no model"
        )
    return OwnModel(cast("Model", said), agent)
