"""The peers of a program in one run: MCP servers and A2A agents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.run.program_world import ProgramWorld
from harness.sim.a2a import A2aAgents, SimA2a
from harness.sim.mcp import SimMcp
from harness.sim.mcp_servers import McpServers
from harness.wire.peers import AllPeers


@contextmanager
def serving(
    world: ProgramWorld, servers: Sequence[SimMcp], agents: Sequence[SimA2a]
) -> Iterator[McpServers]:
    """Context manager: clients of this run reach the MCP servers and A2A agents; what these still work on at the end is stopped."""
    here, others = McpServers(world, servers), A2aAgents(world, agents)
    world.peers = AllPeers((here, others))
    try:
        yield here
    finally:
        here.end()
        others.end()
