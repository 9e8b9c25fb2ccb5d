"""The MCP servers of one run: where clients reach them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from harness.run.commands import is_of
from harness.run.program_world import ProgramWorld
from harness.sim.mcp import SimMcp
from harness.sim.place import Place, place
from harness.virtual.commands import Command
from harness.wire.api import Ids
from harness.wire.http import Connection, HttpRequest, HttpResponse
from harness.wire.mcp.stdio import StdioTalk
from harness.wire.mcp.streamable_http import StreamableHttp
from harness.wire.peers import OnRequest


class McpServers:
    """The servers that a test describes, in one run.

    Args:
        world: The run.
        servers: The servers; more may come.
    """

    def __init__(self, world: ProgramWorld, servers: Sequence[SimMcp]) -> None:
        self._world = world
        self._servers = servers
        self._over_http: dict[Place, StreamableHttp] = {}
        self._started = 0

    def end(self) -> None:
        """Stop all their work."""
        for server in self._servers:
            server.running(self._world).end()

    @property
    def places(self) -> list[str]:
        """Their hosts, each with its port."""
        ends = (server.endpoint for server in self._servers)
        return list(dict.fromkeys(end.host_and_port for end in ends if end is not None))

    def at(self, host: str, port: int) -> OnRequest | None:
        """The servers of a host and a port."""
        here = place(host, port)
        return partial(self._on_request, here) if here in self.places else None

    def _on_request(self, here: str, connection: Connection, http: HttpRequest) -> None:
        path = http.path.rstrip("/") or "/"
        for server in self._servers:
            end = server.endpoint
            if end is not None and (end.host_and_port, end.path) == (here, path):
                self._endpoint(server, end).on_request(connection, http)
                return
        connection.respond(HttpResponse(404, [("Content-Type", "text/plain")], b"Not Found"))

    def _endpoint(self, server: SimMcp, end: Place) -> StreamableHttp:
        if end not in self._over_http:
            self._over_http[end] = StreamableHttp(
                server.running(self._world),
                self._world.root,
                Ids(self._world.draws.root("mcp", server.name)),
                streams=server.streams,
                keeps_sessions=server.sessions,
            )
        return self._over_http[end]

    @property
    def commands(self) -> list[str]:
        """The globs of the command lines that start some."""
        return [server.command for server in self._servers if server.command is not None]

    def begin(self, command: Command) -> StdioTalk | None:
        """The server that a command starts; None if it starts none."""
        for server in self._servers:
            if server.command is not None and is_of(server.command, command):
                self._started += 1
                key = ("mcp", server.name, self._started)
                startup_s = server.startup_s.sample(self._world.draws, *key, "startup")
                return StdioTalk(server.running(self._world), self._world.root, startup_s)
        return None
