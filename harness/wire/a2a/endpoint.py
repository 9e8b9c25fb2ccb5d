"""An A2A agent over HTTP: its card, and the JSON-RPC binding of the protocol."""

from __future__ import annotations

import json
from typing import Any

from harness.agents.broken import Breaks
from harness.errors import NotSimulated
from harness.wire import json_rpc
from harness.wire.a2a.agent import A2aAgent
from harness.wire.a2a.task import Task
from harness.wire.http import Connection, Headers, HttpRequest, HttpResponse
from harness.wire.json_rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Message,
    RequestError,
)
from harness.wire.routing import Scope, scope_here

CARD = "/.well-known/agent-card.json"
_NOT_FOUND, _NOT_CANCELABLE, _UNSUPPORTED = -32001, -32002, -32004
_NO_EXTENDED_CARD, _OTHER_VERSION = -32007, -32009
_JSON: Headers = [("Content-Type", "application/json")]
_EVENTS: Headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")]
_NOT_JSON = b'{"jsonrpc": "2.0", "result": {"ta'


class Endpoint:
    """The endpoint of an agent.

    Args:
        agent: The agent.
        url: Where it takes messages.
        path: The path of that.
        root: What requests belong to that are made outside of everything.
    """

    def __init__(self, agent: A2aAgent, url: str, path: str, root: Scope) -> None:
        self._agent = agent
        self._url = url
        self._path = path
        self._root = root

    def on_request(self, connection: Connection, http: HttpRequest) -> None:
        """Answer a request, or begin to."""
        path = http.path.rstrip("/") or "/"
        if self._agent.is_gone:
            _send(connection, {"detail": "Not Found"}, 404)
        elif http.method == "GET" and path in (CARD, self._path.rstrip("/") + CARD):
            _send(connection, self._agent.card.shown(self._url), 200)
        elif path != self._path:
            _send(connection, {"detail": "Not Found"}, 404)
        elif http.method != "POST":
            _send(connection, {"detail": "Method Not Allowed"}, 405)
        else:
            self._post(connection, http)

    def _post(self, connection: Connection, http: HttpRequest) -> None:
        number: object = None
        try:
            message = _message_in(http)
            number = message.get("id")
            self._answer(message, connection, http)
        except RequestError as error:
            _send(connection, json_rpc.failure(number, error), 200)

    def _answer(self, message: Message, connection: Connection, http: HttpRequest) -> None:
        method, number = message.get("method", ""), message.get("id")
        if "/" in method:
            error = NotSimulated(
                f"`{method}` of the A2A agent {self._agent.card.name!r}, a method of A2A 0.3",
                "use a client of A2A 1.0, such as a2a-sdk 1.",
            )
            self._agent.kernel.fail(error)
            raise error
        version = http.headers.get("a2a-version", "1.0")
        if version.split(".")[:2] != ["1", "0"]:
            raise RequestError(_OTHER_VERSION, f"A2A version {version} is not supported")
        params = message.get("params") or {}
        if not isinstance(params, dict):
            raise RequestError(INVALID_PARAMS, "Invalid parameters")
        match method:
            case "SendMessage":
                task = self._begun(params)
                configuration = params.get("configuration") or {}
                answer = _Answer(connection, number, task)
                if configuration.get("returnImmediately"):
                    answer.end()
                else:
                    task.listeners.append(answer)
            case "SendStreamingMessage":
                self._stream(connection, number, self._begun(params))
            case "SubscribeToTask":
                task = self._task(params)
                if task.is_over:
                    raise RequestError(_UNSUPPORTED, f"Task {task.id} is in terminal state")
                self._stream(connection, number, task)
            case "GetTask":
                _send(connection, json_rpc.result(number, self._task(params).shown()), 200)
            case "CancelTask":
                task = self._task(params)
                if task.is_over:
                    raise RequestError(_NOT_CANCELABLE, "Task cannot be canceled")
                self._agent.cancel(task)
                _send(connection, json_rpc.result(number, task.shown()), 200)
            case "ListTasks":
                _send(connection, json_rpc.result(number, self._listed(params)), 200)
            case "GetExtendedAgentCard":
                raise RequestError(_NO_EXTENDED_CARD, "Extended agent card is not configured")
            case _:
                told = self._of_notifications(method, params)
                _send(connection, json_rpc.result(number, told), 200)

    def _of_notifications(self, method: str, params: Message) -> Message:
        """What is said of the configurations of push notifications."""
        known = method.replace("TaskPushNotificationConfig", "")
        if known not in ("Create", "Get", "Lists", "Delete"):
            raise RequestError(METHOD_NOT_FOUND, f"Method not found: {method}")
        task, config_id = self._task({"id": params.get("taskId")}), str(params.get("id"))
        if known == "Create":
            return self._agent.notify(task, params)
        if known == "Lists":
            configs = [pusher.webhook.config for pusher in task.pushers.values()]
            return {"configs": configs, "nextPageToken": ""}
        if known == "Delete":
            self._agent.forget(task, config_id)
            return {}
        if config_id not in task.pushers:
            raise RequestError(_NOT_FOUND, "Task not found")
        return task.pushers[config_id].webhook.config

    def _begun(self, params: Message) -> Task:
        message = params.get("message")
        if not isinstance(message, dict) or not message.get("parts"):
            raise RequestError(INVALID_PARAMS, "message.parts is required")
        if message.get("taskId"):
            task = self._task({"id": message["taskId"]})
            raise RequestError(_UNSUPPORTED, f"Task {task.id} takes no further message")
        configuration = params.get("configuration") or {}
        if not isinstance(configuration, dict):
            raise RequestError(INVALID_PARAMS, "Invalid parameters")
        webhook = configuration.get("taskPushNotificationConfig")
        return self._agent.begin(message, scope_here(self._root), webhook)

    def _task(self, params: Message) -> Task:
        task = self._agent.tasks.get(str(params.get("id")))
        if task is None:
            raise RequestError(_NOT_FOUND, "Task not found")
        return task

    def _listed(self, params: Message) -> Message:
        context = params.get("contextId")
        tasks = [
            task.shown()
            for task in self._agent.tasks.values()
            if not context or task.context_id == context
        ]
        return {
            "tasks": tasks,
            "nextPageToken": "",
            "pageSize": len(tasks),
            "totalSize": len(tasks),
        }

    def _stream(self, connection: Connection, number: object, task: Task) -> None:
        connection.begin(HttpResponse(200, _EVENTS, []))
        stream = _Stream(connection, number)
        task.listeners.append(stream)
        stream.hear({"task": task.shown()})
        connection.on_hang_up = lambda: task.leave(stream)


class _Answer:
    """Gets the whole task at its end."""

    def __init__(self, connection: Connection, number: object, task: Task) -> None:
        self._connection = connection
        self._number = number
        self._task = task

    def hear(self, event: Message) -> None:
        pass

    def end(self) -> None:
        answer = json_rpc.result(self._number, {"task": self._task.shown()})
        _send(self._connection, answer, 200)

    def break_off(self, what: Breaks) -> None:
        if what == "message":
            self._connection.respond(HttpResponse(200, _JSON, _NOT_JSON))
        else:
            self._connection.close("reset")


class _Stream:
    """Gets each event of a task."""

    def __init__(self, connection: Connection, number: object) -> None:
        self._connection = connection
        self._number = number

    def hear(self, event: Message) -> None:
        self._say(json_rpc.written(json_rpc.result(self._number, event)))

    def end(self) -> None:
        self._connection.finish()

    def break_off(self, what: Breaks) -> None:
        if what == "message":
            self._say(_NOT_JSON)
            self._connection.finish()
        else:
            self._connection.close("reset")

    def _say(self, data: bytes) -> None:
        self._connection.send(b"data: " + data + b"\r\n\r\n")


def _message_in(http: HttpRequest) -> Message:
    try:
        message: Any = json.loads(http.body)
    except (ValueError, RecursionError):
        raise RequestError(PARSE_ERROR, "Invalid JSON payload") from None
    if not json_rpc.is_message(message) or "method" not in message:
        raise RequestError(INVALID_REQUEST, "Request payload validation error")
    found: Message = message
    return found


def _send(connection: Connection, message: Message, status: int) -> None:
    connection.respond(HttpResponse(status, _JSON, json_rpc.written(message)))
