"""A connection to a simulated MCP server in memory, as clients of the `mcp` package take one."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

from harness.agents.broken import Breaks
from harness.errors import HarnessError
from harness.run.program_world import ProgramWorld
from harness.wire.json_rpc import Message
from harness.wire.mcp.server import McpServer
from harness.wire.routing import scope_here

Here = Callable[[], tuple[McpServer, ProgramWorld]]
"""The server in the run that goes on."""


class MemoryTransport:
    """A connection in memory; an async context manager that gives the two streams of a client.

    Args:
        here: The server.
        name: Its name.
    """

    def __init__(self, here: Here, name: str) -> None:
        self._here = here
        self._name = name
        self._open: AbstractAsyncContextManager[tuple[Any, Any]] | None = None

    async def __aenter__(self) -> tuple[Any, Any]:
        if self._open is not None:
            raise HarnessError(
                f"MCP server {self._name!r}: this transport is open already\n  How to fix: call transport() for each client"
            )
        self._open = _streams(*self._here())
        return await self._open.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._open is not None, "it was entered"
        closing, self._open = self._open, None
        await closing.__aexit__(kind, error, traceback)


@asynccontextmanager
async def _streams(server: McpServer, world: ProgramWorld) -> AsyncIterator[tuple[Any, Any]]:
    import anyio  # the client's, as `mcp` is

    sender, receiver = anyio.create_memory_object_stream[Any](math.inf)
    writer = _Writer(server, world, sender)
    try:
        yield receiver, writer
    finally:
        writer.close()
        receiver.close()


class _Writer:
    """Where a client writes: the server hears it at once, in the client's task."""

    def __init__(self, server: McpServer, world: ProgramWorld, sender: Any) -> None:  # noqa: ANN401 - anyio's
        from mcp.shared.message import SessionMessage

        self._wrapped = SessionMessage
        self._parse = _parser()
        self._world = world
        self._sender = sender
        self._session = server.open(self.send_to_client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def send(self, item: Any) -> None:  # noqa: ANN401 - a SessionMessage
        """Send a message to the server.

        Raises:
            ClosedResourceError: The connection has ended.
        """
        import anyio

        if self._session.is_over:
            raise anyio.ClosedResourceError
        message = item.message.model_dump(by_alias=True, mode="json", exclude_unset=True)
        self._session.hear(message, _Channel(self), scope_here(self._world.root))

    async def aclose(self) -> None:
        """End the connection."""
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._session.close()
        self._sender.close()

    def send_to_client(self, message: Message) -> None:
        """What the server says."""
        self.give(self._wrapped(self._parse(message)))

    def give(self, item: object) -> None:
        """Let the client read something."""
        import anyio

        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the client has gone
            self._sender.send_nowait(item)


class _Channel:
    """Where an answer goes."""

    def __init__(self, writer: _Writer) -> None:
        self._writer = writer

    def send(self, message: Message) -> None:
        self._writer.send_to_client(message)

    def break_off(self, what: Breaks) -> None:
        if what == "message":
            self._writer.give(ValueError("the message is not JSON"))
        else:
            self._writer.close()


def _parser() -> Callable[[Message], Any]:
    """What makes a message of JSON; since `mcp` 2, messages are a union of classes."""
    from mcp import types

    adapter = getattr(types, "jsonrpc_message_adapter", None)
    if adapter is None:
        parse: Callable[[Message], Any] = types.JSONRPCMessage.model_validate
        return parse
    return lambda message: adapter.validate_python(message, by_name=False)
