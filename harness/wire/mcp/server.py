"""One MCP server in one run: its tools, its sessions, and its answers. How messages travel is said by its transports.

message heard -> process -> tool used, in virtual time -> answer sent to the channel on which the request came
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from harness.agents import ToolError
from harness.agents.broken import Breaks
from harness.errors import HarnessError, NotSimulated
from harness.kernel import Kernel
from harness.kernel.process import Process, Steps, Wait
from harness.virtual.aside import Aside
from harness.wire import json_rpc
from harness.wire.json_rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Message,
    RequestError,
    is_message,
)
from harness.wire.mcp import messages
from harness.wire.mcp.messages import UNSUPPORTED_VERSION, meta_of
from harness.wire.mcp.tool import InvalidArgumentsError, Listed, failed
from harness.wire.routing import Scope
from harness.wire.tool_use import UsedTool, used


class ServedTool(UsedTool, Protocol):
    """A tool of a server."""

    @property
    def listed(self) -> Listed:
        """How clients know it."""


class Channel(Protocol):
    """Where the answer to a request goes."""

    def send(self, message: Message) -> None:
        """Send the answer, or a notification that belongs to the request."""

    def break_off(self, what: Breaks) -> None:
        """Let the connection, the session or the answer break in place of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a server says of itself."""

    name: str
    version: str = "1.0.0"
    instructions: str = ""
    versions: tuple[str, ...] = messages.VERSIONS
    """The revisions of the protocol that it speaks."""

    @property
    def info(self) -> Message:
        """Its name and version, as clients are told."""
        return {"name": self.name, "version": self.version}

    @property
    def capabilities(self) -> Message:
        """What it can do."""
        return {"tools": {"listChanged": True}}

    @property
    def with_sessions(self) -> list[str]:
        """Its revisions that open a session, the newest last."""
        return [each for each in messages.WITH_SESSIONS if each in self.versions]

    @property
    def without_sessions(self) -> list[str]:
        """Its other revisions, the newest last."""
        return [each for each in messages.WITHOUT_SESSIONS if each in self.versions]


class McpServer:
    """A server in a run.

    Args:
        about: What it says of itself.
        kernel: The clock.
        aside: Where functions of the test are called.
        tools: Its tools.
    """

    def __init__(
        self, about: About, kernel: Kernel, aside: Aside, tools: Sequence[ServedTool]
    ) -> None:
        self.about = about
        self.kernel = kernel
        self.aside = aside
        self._tools = {tool.listed.name: tool for tool in tools}
        self._sessions: dict[Session, None] = {}
        self._listening: dict[Channel, object] = {}
        """Those that are told of changes without a session, each with the number of the request that asked for it."""

    def open(self, tell: Callable[[Message], object] | None = None) -> Session:
        """A new client.

        Args:
            tell: Sends it what is no answer; None if there is no way.
        """
        session = Session(self, tell)
        self._sessions[session] = None
        return session

    def end(self) -> None:
        """Stop all work; the run is over."""
        for session in list(self._sessions):
            session.close()

    def forget(self, session: Session) -> None:
        """One that is over."""
        self._sessions.pop(session, None)

    def tool(self, name: object) -> ServedTool | None:
        """A tool that it has now."""
        return self._tools.get(name) if isinstance(name, str) else None

    def shown(self) -> list[Message]:
        """Its tools now, as clients are told."""
        return [tool.listed.shown() for tool in self._tools.values()]

    def change(self, tools: Sequence[ServedTool]) -> None:
        """Have other tools from now on, and tell all clients that the list has changed."""
        self._tools = {tool.listed.name: tool for tool in tools}
        for session in list(self._sessions):
            if session.version and session.tell is not None:
                session.tell(json_rpc.notification(messages.LIST_CHANGED))
        for channel, number in list(self._listening.items()):
            meta = {"_meta": {messages.SUBSCRIPTION_KEY: number}}
            channel.send(json_rpc.notification(messages.LIST_CHANGED, meta))

    def remove(self, name: str) -> None:
        """Have a tool no longer, and tell all clients."""
        self.change([tool for each, tool in self._tools.items() if each != name])

    @contextmanager
    def told_of_changes(self, channel: Channel, number: object) -> Iterator[None]:
        """Context manager: what is sent to a channel includes changes of the list of tools."""
        self._listening[channel] = number
        try:
            yield
        finally:
            self._listening.pop(channel, None)


@dataclass(eq=False, slots=True)
class Session:
    """One client of a server; its end stops all that was asked in it."""

    server: McpServer
    tell: Callable[[Message], object] | None = None
    """Sends it what is no answer."""
    version: str = ""
    """The revision of the protocol that was agreed on; empty before."""
    is_over: bool = False
    """Whether nothing is heard any more."""
    _running: dict[object, Process] = field(default_factory=dict)
    """By the number of the request."""

    def hear(self, message: object, channel: Channel, scope: Scope) -> None:
        """Take a message; the answer to a request is sent to the channel, now or later.

        Args:
            message: What the client has sent.
            channel: Where an answer goes.
            scope: What of the program it belongs to.
        """
        if self.is_over:
            return
        if not is_message(message):
            wrong = RequestError(INVALID_REQUEST, "Invalid JSON-RPC message")
            channel.send(json_rpc.failure(None, wrong))
            return
        assert isinstance(message, dict)
        if "method" not in message:
            return  # an answer, and nothing was asked
        if message.get("id") is None:
            self._note(message)
        else:
            number = message["id"]
            steps = self._answer(number, message, channel, scope)
            self._running[number] = Process(self.server.kernel, steps)

    def stop(self, number: object) -> None:
        """Work on a request no more."""
        process = self._running.pop(number, None)
        if process is not None:
            process.stop()

    def close(self) -> None:
        """The client has gone, or the server wants to hear of it no more."""
        self.tell, self.is_over = None, True
        self.server.forget(self)
        for number in list(self._running):
            self.stop(number)

    def _note(self, message: Message) -> None:
        if message["method"] == "notifications/cancelled":
            params = message.get("params")
            self.stop(params.get("requestId") if isinstance(params, dict) else None)

    # -- one request --------------------------------------------------------------------------------------------------

    def _answer(self, number: object, message: Message, channel: Channel, scope: Scope) -> Steps:
        try:
            value = yield from self._value(number, message, channel, scope)
            if value is not None:
                channel.send(json_rpc.result(number, self._stamped(message, value)))
        except RequestError as error:
            channel.send(json_rpc.failure(number, error))
        except ToolError as error:
            del self._running[number]  # or what ends the session would end this
            channel.break_off(error.breaks)
        except Exception as error:
            self.server.kernel.fail(error)
            raise
        finally:
            self._running.pop(number, None)

    def _value(
        self, number: object, message: Message, channel: Channel, scope: Scope
    ) -> Generator[Wait, Any, Message | None]:
        """The result of a request; None if there is none."""
        method, params = message["method"], message.get("params") or {}
        if not isinstance(params, dict) or not isinstance(params.get("arguments") or {}, dict):
            raise RequestError(INVALID_PARAMS, "Invalid request parameters")
        self._check_version(message)
        match method:
            case "ping":
                return {}
            case "initialize":
                return self._initialized(params)
            case "server/discover" if self._is_stateless(message):
                return self._discovered()
            case "subscriptions/listen" if self._is_stateless(message):
                yield from self._listen(number, channel)
            case "tools/list":
                return {"tools": self.server.shown()}
            case "tools/call":
                called = yield from self._called(params, scope)
                return called
            case _:
                self._refuse(str(method))
        return None

    def _check_version(self, message: Message) -> None:
        about, wanted = self.server.about, meta_of(message).get(messages.VERSION_KEY)
        if self._is_stateless(message):
            if wanted not in about.without_sessions:
                raise RequestError(
                    UNSUPPORTED_VERSION,
                    "Unsupported protocol version",
                    {"supported": list(about.versions), "requested": wanted},
                )
        elif not self.version and message["method"] not in ("initialize", "ping"):
            if message["method"].startswith("server/"):
                raise RequestError(METHOD_NOT_FOUND, f"Method not found: {message['method']}")
            raise RequestError(
                INVALID_PARAMS, "Received request before initialization was complete"
            )

    def _is_stateless(self, message: Message) -> bool:
        """Whether a request says for itself what its client is, to a server that knows of it."""
        return bool(self.server.about.without_sessions) and messages.VERSION_KEY in meta_of(message)

    def _stamped(self, message: Message, value: Message) -> Message:
        if not self._is_stateless(message):
            return value
        stamp = {messages.SERVER_KEY: self.server.about.info}
        lasting = {}
        if message["method"] in ("tools/list", "server/discover"):
            lasting = {"ttlMs": 0, "cacheScope": "private"}
        return {"resultType": "complete", **lasting, **value, "_meta": stamp}

    def _initialized(self, params: Message) -> Message:
        about, wanted = self.server.about, params.get("protocolVersion")
        if not about.with_sessions:
            raise RequestError(
                UNSUPPORTED_VERSION,
                "Unsupported protocol version",
                {"supported": list(about.versions), "requested": wanted},
            )
        self.version = wanted if wanted in about.with_sessions else about.with_sessions[-1]
        return {"protocolVersion": self.version, "serverInfo": about.info, **self._said()}

    def _discovered(self) -> Message:
        return {"supportedVersions": list(self.server.about.versions), **self._said()}

    def _said(self) -> Message:
        about = self.server.about
        instructions = {"instructions": about.instructions} if about.instructions else {}
        return {"capabilities": about.capabilities, **instructions}

    def _listen(self, number: object, channel: Channel) -> Steps:
        said = {
            "notifications": {"toolsListChanged": True},
            "_meta": {messages.SUBSCRIPTION_KEY: number},
        }
        with self.server.told_of_changes(channel, number):
            channel.send(json_rpc.notification("notifications/subscriptions/acknowledged", said))
            yield _for_ever

    def _called(self, params: Message, scope: Scope) -> Generator[Wait, Any, Message]:
        """The result of a use of a tool.

        Raises:
            ToolError: Something is to break in place of a result.
        """
        name, server = params.get("name"), self.server
        tool = server.tool(name)
        if tool is None:
            return failed(f"Unknown tool: {name}")
        try:
            arguments = tool.listed.arguments.checked(params.get("arguments") or {})
        except InvalidArgumentsError as wrong:
            return failed(f"Error executing tool {name}: {wrong}")
        try:
            given = yield from used(
                tool, tool.listed.name, arguments, scope, server.kernel, server.aside
            )
            return tool.listed.result(given)
        except ToolError as error:
            if error.breaks == "tool":
                server.remove(tool.listed.name)
                return failed(f"Unknown tool: {name}")
            if error.breaks:
                raise
            return failed(f"Error executing tool {name}: {error}")
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - a server tells its clients of it
            return failed(f"Error executing tool {name}: {error}")

    def _refuse(self, method: str) -> NoReturn:
        if method not in messages.NOT_SIMULATED:
            raise RequestError(METHOD_NOT_FOUND, f"Method not found: {method}")
        raise NotSimulated(
            f"`{method}` of the MCP server {self.server.about.name!r}",
            "a simulated server has tools alone; do not ask for what its capabilities do not name, or replace the "
            "function that asks.",
        )


def _for_ever(_: Callable[[], None]) -> None:
    """Wait for nothing."""
