"""One A2A agent in one run: its card, and its tasks.

message -> task -> reply made, in virtual time -> artifact, and the last status -> whoever listens to the task
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import to_jsonable_python

from harness.agents import ToolError
from harness.errors import HarnessError
from harness.kernel import Kernel
from harness.kernel.process import Process, Steps, Wait
from harness.virtual.aside import Aside
from harness.wire.a2a.push import Notification, Pusher, Webhook
from harness.wire.a2a.task import CANCELED, COMPLETED, FAILED, WORKING, Task
from harness.wire.api import Ids
from harness.wire.json_rpc import Message
from harness.wire.routing import Scope
from harness.wire.tool_use import UsedTool, used

_HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What an agent says of itself."""

    name: str
    description: str = ""
    version: str = "1.0.0"
    skills: tuple[Message, ...] = ()

    def shown(self, url: str) -> Message:
        """The card, with the URL at which messages are taken."""
        spoken = {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        return {
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "supportedInterfaces": [spoken],
            "capabilities": {"streaming": True, "pushNotifications": True},
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": list(self.skills),
        }


class Push(NamedTuple):
    """How the notifications of an agent are sent: each is a use of a tool."""

    name: str
    """That of the tool."""
    tool: UsedTool
    failed: Callable[[Scope, str], None]
    """Told what of the program a notification belonged to, and why it did not arrive."""


class A2aAgent:
    """An agent in a run.

    Args:
        card: What it says of itself.
        tool: What makes its replies, as a tool does its results.
        push: How its notifications are sent.
        kernel: The clock.
        aside: Where functions of the test are called.
        ids: Makes ids.
    """

    def __init__(
        self, card: Card, tool: UsedTool, push: Push, kernel: Kernel, aside: Aside, ids: Ids
    ) -> None:
        self.card = card
        self.kernel = kernel
        self.tasks: dict[str, Task] = {}
        self.is_gone = False
        """Whether nobody answers any more."""
        self._tool = tool
        self._push = push
        self._aside = aside
        self._ids = ids

    def begin(self, message: Message, scope: Scope, webhook: object = None) -> Task:
        """Begin a task; it is worked on after what runs now.

        Args:
            message: What the client says.
            scope: What of the program it belongs to.
            webhook: The configuration of its notifications; None for none.

        Raises:
            RequestError: That configuration is wrong.
        """
        task_id, context_id = self._id("task"), message.get("contextId") or self._id("context")
        said = {**message, "taskId": task_id, "contextId": context_id}
        task = Task(task_id, context_id, said, scope)
        if webhook is not None:
            self.notify(task, webhook)
        self.tasks[task_id] = task
        task.process = Process(self.kernel, self._work(task, scope))
        return task

    def notify(self, task: Task, config: object) -> Message:
        """Send notifications of a task; those of an earlier configuration with this id end.

        Returns:
            The configuration.

        Raises:
            RequestError: It is wrong.
        """
        webhook = Webhook.of(config, task.id)

        def send(notification: Notification) -> Generator[Wait, object, None]:
            named = {"event": notification, "url": webhook.url}
            try:
                yield from used(
                    self._push.tool, self._push.name, named, task.scope, self.kernel, self._aside
                )
            except ToolError as error:
                self._push.failed(task.scope, str(error))

        self.forget(task, webhook.id)
        task.pushers[webhook.id] = Pusher(webhook, send, self.kernel)
        return webhook.config

    def forget(self, task: Task, config_id: str) -> None:
        """Send no more notifications of a task for one configuration; it may be unknown."""
        pusher = task.pushers.pop(config_id, None)
        if pusher is not None:
            pusher.stop()

    def cancel(self, task: Task) -> None:
        """Work on it no more."""
        if task.process is not None:
            task.process.stop()
        task.become(CANCELED)

    def end(self) -> None:
        """Stop all work; the run is over."""
        for task in self.tasks.values():
            if task.process is not None and not task.is_over:
                task.process.stop()
            for pusher in task.pushers.values():
                pusher.stop()

    def _work(self, task: Task, scope: Scope) -> Steps:
        task.become(WORKING)
        text = "\n".join(str(part["text"]) for part in _parts_of(task.message) if "text" in part)
        try:
            given = yield from used(
                self._tool, self.card.name, {"message": text}, scope, self.kernel, self._aside
            )
            self._complete(task, given)
        except ToolError as error:
            if error.breaks:
                self._break(task, error)
            else:
                task.become(FAILED, str(error))
        except HarnessError as error:
            self.kernel.fail(error)
            raise
        except Exception as error:  # noqa: BLE001 - an agent tells its clients of it
            task.become(FAILED, str(error))

    def _complete(self, task: Task, given: object) -> None:
        artifact = {"artifactId": f"{task.id}-reply", "name": "reply", "parts": parts(given)}
        task.artifact = artifact
        where = {"taskId": task.id, "contextId": task.context_id}
        task.tell({"artifactUpdate": {**where, "artifact": artifact, "lastChunk": True}})
        task.become(COMPLETED)

    def _break(self, task: Task, error: ToolError) -> None:
        """Let something break in place of the reply; where only the reply is lost, the task is complete."""
        listening = task.listeners[:]
        task.listeners.clear()
        if error.breaks in ("connection", "message"):
            self._complete(task, error.result)
        elif error.breaks == "tool":
            self.is_gone = True
        else:
            self.tasks.clear()
        for listener in listening:
            listener.break_off(error.breaks)

    def _id(self, what: str) -> str:
        return self._ids.next(what, 32, _HEX)


def parts(value: object) -> list[Message]:
    """A reply as parts of a message: texts as they are, anything else as data."""
    plain: Any = to_jsonable_python(value, by_alias=True)
    if isinstance(plain, str):
        return [{"text": plain}]
    if isinstance(plain, list):
        return [part for each in plain for part in parts(each)]
    return [] if plain is None else [{"data": plain}]


def _parts_of(message: Message) -> Sequence[Message]:
    found = message.get("parts")
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []
