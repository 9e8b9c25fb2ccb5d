"""What a program works with besides models, as a test describes it: tools, real functions, commands and MCP servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

from harness.errors import HarnessError
from harness.run.commands import Code, Output, SimProcess
from harness.run.program_world import ProgramWorld, WireProvider, default_providers
from harness.run.replacing import Replacement
from harness.run.tools import SimTool
from harness.sim import settings
from harness.sim.a2a import SimA2a, as_reply
from harness.sim.mcp import SimMcp, Tools, named_tools
from harness.sim.notifications import name_of
from harness.sim.place import Place, check_free, check_no_provider
from harness.sim.real import RealFunction
from harness.sim.recorded_tool import RecordedTool
from harness.wire.a2a.agent import Card


class Equipment:
    """The tools, real functions, commands and MCP servers of a program."""

    def __init__(self) -> None:
        self._providers: dict[str, WireProvider] = default_providers()
        self._tools: list[Replacement] = []
        self._processes: list[SimProcess] = []
        self._mcp_servers: list[SimMcp] = []
        self._a2a_agents: list[SimA2a] = []
        self._world: ProgramWorld | None = None
        """The run that goes on."""

    def _names_of_tools(self) -> list[str]:
        """Names of the tools and commands that the test described."""
        named = [tool.name for tool in self._tools if isinstance(tool, SimTool)]
        pushed = [name_of(agent.name) for agent in self._a2a_agents]
        return [*named, *pushed, *(process.command for process in self._processes)]

    @overload
    def tool(
        self,
        name: str,
        *,
        result: object = ...,
        latency_s: object = ...,
        failure_probability: float = ...,
        replaces: str | None = ...,
        idempotency_key: str | None = ...,
        record: Literal[False] = ...,
    ) -> SimTool: ...

    @overload
    def tool(
        self, name: str, *, replaces: str, record: Literal[True], mutates: bool = ...
    ) -> RecordedTool: ...

    @settings.settings_known
    def tool(
        self,
        name: str,
        *,
        result: object = "done",
        latency_s: object = 0.0,
        failure_probability: float = 0.0,
        replaces: str | None = None,
        idempotency_key: str | None = None,
        record: bool = False,
        mutates: bool = True,
    ) -> SimTool | RecordedTool:
        """Make a simulated tool: an async function that takes virtual time, returns a stated result, and may fail.

        As the replacement of a function, it is async or blocking as that function is. With `record`, the function runs for real
        while the cassette records, and its recorded results and times are given afterwards.

        Args:
            name: Its name in reports and messages.
            result: Its result, or a function of its arguments that returns it.
            latency_s: How long one use takes [s].
            failure_probability: Share of uses that raise a `ToolError`.
            replaces: The function of the program, as `module:name`, that it replaces during a run.
            idempotency_key: The argument that is its idempotency key: a use whose key is known takes no effect again, and is
                answered like the first.
            record: Whether uses of that function are recorded in the cassette of the test, instead of a stated result.
            mutates: Whether it changes something outside. Such a function never runs beside a replay; one that only reads may
                run in the modes `new` and `drift`, where a use is not recorded.

        Raises:
            HarnessError: A value is wrong, or there is no function to record.
        """
        if record:
            if replaces is None:
                raise HarnessError(
                    f"sim.tool: {name!r} is to be recorded, and replaces no function\n"
                    '  How to fix: sim.tool(..., record=True, replaces="module:function")'
                )
            recorded = RecordedTool(name, replaces, mutates=mutates)
            recorded.attach(lambda: self._world)
            self._tools.append(recorded)
            return recorded
        tool = SimTool(
            name,
            result,
            settings.distribution("latency_s", latency_s),
            settings.share("failure_probability", failure_probability),
            replaces,
            idempotency_key,
        )
        tool.attach(lambda: self._world)
        self._tools.append(tool)
        return tool

    def real(self, target: str, *, latency_s: object = 0.0) -> RealFunction:
        """Let a function of the program stay real inside a run, such as a query to a local database.

        It is called outside of the simulated world, while virtual time stands still. The order of its uses
        follows from the seed; its results do not.

        Args:
            target: The function, as `module:name`, where the program looks it up.
            latency_s: Virtual time until its result, or its exception, becomes visible [s].

        Returns:
            The function; its `uses` are the arguments of each use.
        """
        real = RealFunction(target, settings.distribution("latency_s", latency_s))
        real.attach(lambda: self._world)
        self._tools.append(real)
        return real

    @settings.settings_known
    def process(
        self,
        command: str,
        *,
        stdout: Output = "",
        stderr: Output = "",
        returncode: Code = 0,
        latency_s: object = 0.0,
        failure_probability: float = 0.0,
        allow_unused: bool = False,
    ) -> SimProcess:
        """Simulate a command that the program runs in another process. No process is started, and it takes virtual time.

        It is found by `subprocess`, `os.system`, `os.popen` and asyncio's subprocesses. A command that no description
        matches is refused with an error that names it.

        Args:
            command: A glob for the command line, such as `"git push*"`; the first description that matches counts.
            stdout: What it writes, as text, bytes, or a function of the `Command` (its `argv`, `line`, `cwd`, `env`,
                `stdin`, `number`).
            stderr: Likewise.
            returncode: How it ends, as a number or a function of the `Command`.
            latency_s: How long it takes [s].
            failure_probability: Share of uses that end with return code 1 and a message on stderr.
            allow_unused: Whether it may remain unused without an error.

        Returns:
            The description; its `uses` are the commands that were run.

        Raises:
            HarnessError: A value is wrong.
        """
        process = SimProcess(
            command,
            stdout=stdout,
            stderr=stderr,
            returncode=returncode,
            latency_s=settings.distribution("latency_s", latency_s),
            failure_probability=settings.share("failure_probability", failure_probability),
            allow_unused=allow_unused,
        )
        self._processes.append(process)
        return process

    @settings.settings_known
    def mcp(
        self,
        name: str,
        *,
        tools: Tools = (),
        url: str | None = None,
        command: str | None = None,
        latency_s: object = 0.0,
        failure_probability: float = 0.0,
        startup_s: object = 0.0,
        version: str = "1.0.0",
        instructions: str = "",
        protocol_versions: Sequence[str] = (),
        streams: bool = True,
        sessions: bool = True,
    ) -> SimMcp:
        """Simulate an MCP server: clients reach it by a URL, by the command that starts it, or in memory.

        Args:
            name: Its name.
            tools: Its tools: functions, or results by name, as in `sim.tool(result=...)`. `SimMcp.tool` says more of one.
            url: Where clients connect over streamable HTTP, such as `"http://files.test/mcp"`.
            command: A glob for the command line that starts it, such as `"npx * server-filesystem *"`; no process is started.
            latency_s: How long one use of these tools takes [s].
            failure_probability: Share of uses of these tools that fail.
            startup_s: How long its process takes to start [s].
            version: Its version, as clients are told.
            instructions: What models are told of it.
            protocol_versions: The revisions of the protocol that it speaks; none means all.
            streams: Whether answers over HTTP come as event streams, as of most servers, or as JSON.
            sessions: Whether it keeps sessions over HTTP.

        Returns:
            The server; `transport()` connects to it in memory.

        Raises:
            HarnessError: A value is wrong, or another server is there already.
        """
        server = SimMcp(
            settings.mcp_about(name, version, instructions, protocol_versions),
            url=url,
            command=command,
            startup_s=settings.distribution("startup_s", startup_s),
            streams=streams,
            sessions=sessions,
            add=self.tool,
            world=lambda: self._world,
        )
        server.check_place(self._mcp_servers, self._providers.values())
        if server.endpoint is not None:
            agents = ((str(agent), agent.place) for agent in self._a2a_agents)
            check_free(f"sim.mcp({name!r})", server.endpoint, agents)
        alike: dict[str, Any] = {
            "latency_s": settings.distribution("latency_s", latency_s),
            "failure_probability": settings.share("failure_probability", failure_probability),
        }
        for tool, result in named_tools(name, tools).items():
            server.tool(tool, result=result, **alike)
        self._mcp_servers.append(server)
        return server

    @settings.settings_known
    def a2a(
        self,
        name: str,
        *,
        url: str,
        reply: object = "done",
        description: str = "",
        skills: Sequence[str] = (),
        version: str = "1.0.0",
        latency_s: object = 0.0,
        failure_probability: float = 0.0,
    ) -> SimA2a:
        """Simulate an agent that the program reaches over A2A 1.0, with its card, its tasks and its streams.

        Args:
            name: Its name, in its card, and as that of a tool in reports and faults.
            url: Where it takes messages, such as `"http://researcher.test/"`; its card is at the same host.
            reply: Its reply: a text, what JSON can say, a list of these, or a function, sync or async, of the text of the message.
            description: What its card says of it.
            skills: What it can do, each a name.
            version: Its version, as its card says.
            latency_s: How long a task takes [s].
            failure_probability: Share of tasks that fail.

        Returns:
            The agent; its `uses` are the texts of the messages that it was sent.

        Raises:
            HarnessError: A value is wrong, or another agent or server is there already.
        """
        where = Place.of(f"sim.a2a({name!r})", url)
        check_no_provider(f"sim.a2a({name!r})", where, self._providers.values())
        servers = ((str(server), server.endpoint) for server in self._mcp_servers)
        agents = ((str(agent), agent.place) for agent in self._a2a_agents)
        check_free(f"sim.a2a({name!r})", where, [*servers, *agents])
        known = settings.texts("skills", skills)
        shown = tuple({"id": each, "name": each, "description": each, "tags": []} for each in known)
        card = Card(name=name, description=description, version=version, skills=shown)
        tool = self.tool(
            name,
            result=as_reply(reply),
            latency_s=latency_s,
            failure_probability=failure_probability,
        )
        agent = SimA2a(card, url, where, tool)
        self._a2a_agents.append(agent)
        return agent
