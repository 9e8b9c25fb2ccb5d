"""One task of an A2A agent: its state, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.agents.broken import Breaks
from harness.kernel.process import Process
from harness.wire.a2a.push import Pusher
from harness.wire.json_rpc import Message
from harness.wire.routing import Scope

SUBMITTED = "TASK_STATE_SUBMITTED"
WORKING = "TASK_STATE_WORKING"
COMPLETED = "TASK_STATE_COMPLETED"
FAILED = "TASK_STATE_FAILED"
CANCELED = "TASK_STATE_CANCELED"
_LAST = frozenset({COMPLETED, FAILED, CANCELED})


class Listener(Protocol):
    """A client that follows a task."""

    def hear(self, event: Message) -> None:
        """Something has happened."""

    def end(self) -> None:
        """The task has come to its end."""

    def break_off(self, what: Breaks) -> None:
        """The connection breaks, or carries something that nobody understands."""


@dataclass(slots=True, eq=False)
class Task:
    """A task of a client."""

    id: str
    context_id: str
    message: Message
    """What the client has said."""
    scope: Scope
    """What of the program it belongs to."""
    state: str = SUBMITTED
    told: str = ""
    """What is said of its state."""
    artifact: Message | None = None
    listeners: list[Listener] = field(default_factory=list)
    pushers: dict[str, Pusher] = field(default_factory=dict)
    """Those who send notifications of it, by the ids of their configurations."""
    process: Process | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _LAST

    def status(self) -> Message:
        """Its status, as clients are told."""
        if not self.told:
            return {"state": self.state}
        said = {
            "messageId": f"{self.id}-status",
            "role": "ROLE_AGENT",
            "parts": [{"text": self.told}],
        }
        return {"state": self.state, "message": said}

    def shown(self) -> Message:
        """The whole task, as clients are told."""
        return {
            "id": self.id,
            "contextId": self.context_id,
            "status": self.status(),
            "artifacts": [] if self.artifact is None else [self.artifact],
            "history": [self.message],
        }

    def tell(self, event: Message) -> None:
        """Tell all that listen."""
        for listener in self.listeners[:]:
            listener.hear(event)
        for pusher in self.pushers.values():
            pusher.hear(event)

    def leave(self, listener: Listener) -> None:
        """Tell one no more; may be called twice."""
        if listener in self.listeners:
            self.listeners.remove(listener)

    def become(self, state: str, told: str = "") -> None:
        """Change its state, and tell all that listen."""
        self.state, self.told = state, told
        where = {"taskId": self.id, "contextId": self.context_id}
        self.tell({"statusUpdate": {**where, "status": self.status()}})
        if self.is_over:
            for listener in self.listeners[:]:
                listener.end()
            self.listeners.clear()
