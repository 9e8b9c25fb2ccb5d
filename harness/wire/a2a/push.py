"""Push notifications of one task: where they go, and how they are sent.

Each event of the task is posted to the URL of a configuration, one after another, as the sender of `a2a-sdk` does it: no redirect is
followed, and what fails is not sent again. Source: https://a2a-protocol.org/latest/specification, section on push notifications.
"""

from __future__ import annotations

import http.client
from collections import deque
from collections.abc import Callable, Generator
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from harness.agents import ToolError
from harness.errors import UnknownHost
from harness.json_types import JsonObject
from harness.kernel import Kernel
from harness.kernel.process import Process, Steps, Wait
from harness.wire import json_rpc
from harness.wire.json_rpc import INVALID_PARAMS, Message, RequestError

_TIMEOUT_S = 5.0
"""How long the sender waits for an answer, as httpx does [s]."""
_PORTS = {"http": 80, "https": 443}
_OK = range(200, 300)
_FIELDS = ("id", "taskId", "url", "token", "authentication")

Send = Callable[["Notification"], Generator[Wait, object, object]]
"""Sends one notification."""


class NotDelivered(ToolError):  # noqa: N818 - names the condition
    """A notification that did not arrive; a simulated error."""


class Notification:
    """One notification; it is shown without its content and its secrets.

    Args:
        webhook: Where it goes.
        event: What has happened, as streams of the task tell it.
    """

    def __init__(self, webhook: Webhook, event: Message) -> None:
        self.webhook = webhook
        self.event = event

    def __repr__(self) -> str:
        status = self.event.get("statusUpdate", {}).get("status", {})
        return f"{status.get('state', 'artifact')} of task {self.webhook.config['taskId']}"


class Webhook(NamedTuple):
    """Where the notifications of a task go."""

    config: Message
    """As clients are told."""

    @classmethod
    def of(cls, given: object, task_id: str) -> Webhook:
        """Read the configuration of a client.

        Raises:
            RequestError: It has no URL that a server could be at, or something in it is no text.
        """
        if not isinstance(given, dict) or not isinstance(given.get("url"), str):
            raise RequestError(INVALID_PARAMS, "pushNotificationConfig.url is required")
        parts = _parts_of(given["url"])
        if parts is None:
            raise RequestError(INVALID_PARAMS, "Invalid push notification URL")
        known = {name: given[name] for name in _FIELDS if given.get(name)}
        texts = {**known, **_authentication_of(known)}
        texts.pop("authentication", None)
        if not all(isinstance(value, str) and value.isprintable() for value in texts.values()):
            raise RequestError(INVALID_PARAMS, "Invalid push notification configuration")
        return cls({**known, "id": known.get("id", task_id), "taskId": task_id})

    @property
    def id(self) -> str:
        """The name of the configuration."""
        return str(self.config["id"])

    @property
    def url(self) -> str:
        """Where its server is."""
        return str(self.config["url"])

    def headers(self) -> dict[str, str]:
        """The headers by which its server knows the sender."""
        headers = {"Content-Type": "application/a2a+json"}
        if self.config.get("token"):
            headers["X-A2A-Notification-Token"] = self.config["token"]
        known = _authentication_of(self.config)
        if known.get("scheme") and known.get("credentials"):
            headers["Authorization"] = f"{known['scheme']} {known['credentials']}"
        return headers


def _authentication_of(config: Message) -> JsonObject:
    given = config.get("authentication", {})
    if not isinstance(given, dict):
        raise RequestError(INVALID_PARAMS, "Invalid push notification configuration")
    return {name: given[name] for name in ("scheme", "credentials") if given.get(name)}


def _parts_of(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return None
    return parts if is_url and url.isascii() and url.isprintable() and " " not in url else None


class Pusher:
    """Sends what happens to a task, one event after another.

    Args:
        webhook: Where to.
        send: Sends one notification.
        kernel: The clock.
    """

    def __init__(self, webhook: Webhook, send: Send, kernel: Kernel) -> None:
        self.webhook = webhook
        self._send = send
        self._kernel = kernel
        self._waiting: deque[Message] = deque()
        self._process: Process | None = None

    def hear(self, event: Message) -> None:
        """Something has happened."""
        self._waiting.append(event)
        if self._process is None:
            self._process = Process(self._kernel, self._work())

    def stop(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _work(self) -> Steps:
        while self._waiting:
            yield from self._send(Notification(self.webhook, self._waiting.popleft()))
        self._process = None


def post(event: Notification, url: str) -> int:
    """Post a notification, and give the status with which its server answers; called beside the program.

    Args:
        event: What has happened.
        url: Where it goes.

    Raises:
        NotDelivered: Nobody is there, nobody answers in time, or the answer is an error.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or _PORTS[parts.scheme]
    connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=_TIMEOUT_S)
    try:
        body, headers = json_rpc.written(event.event), event.webhook.headers()
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except UnknownHost:
        raise NotDelivered(f"no server of the run is at {url}") from None
    except TimeoutError:
        raise NotDelivered(f"{url} did not answer in {_TIMEOUT_S:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"{url}: {error}") from None
    finally:
        connection.close()
    if status not in _OK:
        raise NotDelivered(f"{url} answered {status}")
    return status
