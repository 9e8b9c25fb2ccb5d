"""MCP servers as a test describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from harness.chance.distributions import AnyDistribution
from harness.errors import HarnessError, did_you_mean
from harness.run.program_world import ProgramWorld, WireProvider
from harness.run.tools import Answer, SimTool
from harness.sim.mcp_memory import MemoryTransport
from harness.sim.place import Place, check_no_provider
from harness.virtual.aside import Aside
from harness.wire.mcp.server import About, McpServer
from harness.wire.mcp.tool import AnyArguments, Listed, listed_function

Tools = Sequence[Callable[..., object]] | Mapping[str, object]
"""Functions, or results by the names of tools."""


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool of a simulated server."""

    tool: SimTool
    listed: Listed

    def use(
        self, args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> AbstractContextManager[tuple[float, Answer]]:
        """One use, as of any simulated tool."""
        return self.tool.use(args, kwargs)


class SimMcp:
    """A simulated MCP server; see `Surroundings.mcp`.

    Args:
        about: What it says of itself.
        url: Where it is reached over HTTP; None for nowhere.
        command: A glob for the command line that starts it; None for none.
        startup_s: How long its process takes to start [s].
        streams: Whether answers over HTTP come as event streams.
        sessions: Whether it keeps sessions over HTTP.
        add: Makes and registers a tool.
        world: The run that goes on.
    """

    def __init__(
        self,
        about: About,
        *,
        url: str | None,
        command: str | None,
        startup_s: AnyDistribution,
        streams: bool,
        sessions: bool,
        add: Callable[..., SimTool],
        world: Callable[[], ProgramWorld | None],
    ) -> None:
        self.about = about
        self.name = about.name
        self.endpoint = None if url is None else Place.of(f"sim.mcp({self.name!r})", url)
        self.command = command
        self.startup_s = startup_s
        self.streams, self.sessions = streams, sessions
        self.tools: dict[str, McpTool] = {}
        """Its tools at the beginning of a run."""
        self._add = add
        self._world = world
        self._running: WeakKeyDictionary[ProgramWorld, McpServer] = WeakKeyDictionary()

    def check_place(self, others: Iterable[SimMcp], providers: Iterable[WireProvider]) -> None:
        """Check that it is the only one of its name, and where it is.

        Raises:
            HarnessError: Another is.
        """
        here = f"sim.mcp({self.name!r})"
        if self.command is not None and not str(self.command).strip():
            raise HarnessError(
                f"{here}: command is a glob for a command line, such as 'npx * server-filesystem *' (got {self.command!r})"
            )
        for other in others:
            if other.name == self.name:
                raise HarnessError(f"MCP server {self.name!r} is described already")
            if self.endpoint is not None and other.endpoint == self.endpoint:
                raise HarnessError(f"{here}: the server {other.name!r} is at this url already")
        if self.endpoint is not None:
            check_no_provider(here, self.endpoint, providers)

    def __repr__(self) -> str:
        return f"<MCP server {self.name!r}>"

    def __str__(self) -> str:
        return f"the MCP server {self.name!r}"

    def tool(
        self,
        name: str,
        *,
        result: object = "done",
        description: str = "",
        input_schema: Mapping[str, Any] | None = None,
        output_schema: Mapping[str, Any] | None = None,
        latency_s: object = 0.0,
        failure_probability: float = 0.0,
        idempotency_key: str | None = None,
    ) -> SimTool:
        """Describe one of its tools.

        Args:
            name: Its name for clients, in reports, messages and faults.
            result: Its result, or a function of its arguments, sync or async.
            description: What models are told of it; empty means the docstring of the function.
            input_schema: The JSON Schema of its arguments; None means that of the function, or any.
            output_schema: Of its structured result; None means what the function is annotated with, or none.
            latency_s: How long one use takes [s].
            failure_probability: Share of uses that fail.
            idempotency_key: As of `sim.tool`.

        Returns:
            The tool; its `uses` are the arguments of each use.

        Raises:
            HarnessError: A value is wrong, or the server has a tool of that name.
        """
        if name in self.tools:
            raise HarnessError(f"MCP server {self.name!r}: tool {name!r} is described already")
        arguments = None if input_schema is None else AnyArguments(dict(input_schema))
        if callable(result):
            listed = listed_function(name, result, description, arguments)
        else:
            listed = Listed(
                name=name, arguments=arguments or AnyArguments(), description=description
            )
        if output_schema is not None:
            listed = listed.giving(dict(output_schema))
        tool = self._add(
            name,
            result=result,
            latency_s=latency_s,
            failure_probability=failure_probability,
            idempotency_key=idempotency_key,
        )
        self.tools[name] = McpTool(tool, listed)
        return tool

    def transport(self) -> MemoryTransport:
        """A connection in memory: `Client(files.transport())`, or `async with files.transport() as (read, write)`."""
        return MemoryTransport(self._here, self.name)

    def offer(self, *names: str) -> None:
        """Let the server of this run have these tools alone from now on, and announce that its list has changed.

        Raises:
            HarnessError: There is no such tool, or no run.
        """
        for name in names:
            if name not in self.tools:
                raise HarnessError(
                    f"MCP server {self.name!r}: there is no tool {name!r}{did_you_mean(name, self.tools)}"
                )
        server, _ = self._here()
        server.change([self.tools[name] for name in names])

    def running(self, world: ProgramWorld) -> McpServer:
        """The server in a run."""
        server = self._running.get(world)
        if server is None:
            tools = list(self.tools.values())
            server = McpServer(self.about, world.kernel, Aside(world.kernel), tools)
            self._running[world] = server
        return server

    def _here(self) -> tuple[McpServer, ProgramWorld]:
        world = self._world()
        if world is None:
            raise HarnessError(f"MCP server {self.name!r} works inside a run only")
        return self.running(world), world


def named_tools(server: str, tools: Tools) -> dict[str, object]:
    """The results of tools by their names.

    Raises:
        HarnessError: Something has no name, or two have one.
    """
    if isinstance(tools, Mapping):
        return dict(tools)
    named: dict[str, object] = {}
    for tool in tools:
        given: object = tool  # a test without types may give anything
        name = getattr(given, "__name__", "")
        if isinstance(given, SimTool):
            raise HarnessError(
                f"sim.mcp({server!r}): {name!r} is a tool of the program, by sim.tool\n"
                f"  How to fix: describe it on the server: server = sim.mcp(...), server.tool({name!r}, result=...)"
            )
        if not callable(given) or not name.isidentifier():
            raise HarnessError(
                f"sim.mcp({server!r}): tools are functions with a name, or a mapping of names to results (got {given!r})\n"
                '  How to fix: tools=[search, read], or tools={"search": lambda query: query, "read": "a text"}'
            )
        if name in named:
            raise HarnessError(f"sim.mcp({server!r}): tool {name!r} is described already")
        named[name] = given
    return named
