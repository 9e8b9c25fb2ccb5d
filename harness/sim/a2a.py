"""A2A agents as a test describes them, and those of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from harness.run.program_world import ProgramWorld
from harness.run.tools import SimTool
from harness.sim.notifications import push_of
from harness.sim.place import Place, place
from harness.virtual.aside import Aside
from harness.wire.a2a.agent import A2aAgent, Card
from harness.wire.a2a.endpoint import Endpoint
from harness.wire.api import Ids
from harness.wire.peers import OnRequest


class SimA2a:
    """A simulated A2A agent; see `Equipment.a2a`.

    Args:
        card: What it says of itself.
        url: Where it takes messages.
        where: The same, taken apart.
        tool: What makes its replies.
    """

    def __init__(self, card: Card, url: str, where: Place, tool: SimTool) -> None:
        self.card = card
        self.name = card.name
        self.url = url
        self.place = where
        self.tool = tool
        self._running: WeakKeyDictionary[ProgramWorld, A2aAgent] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<A2A agent {self.name!r}>"

    def __str__(self) -> str:
        return f"the A2A agent {self.name!r}"

    @property
    def uses(self) -> list[str]:
        """The text of each message that it was sent."""
        return [str(named["message"]) for _, named in self.tool.uses]

    def running(self, world: ProgramWorld) -> A2aAgent:
        """The agent in a run."""
        agent = self._running.get(world)
        if agent is None:
            ids = Ids(world.draws.root("a2a", self.name))
            push = push_of(self.name, world)
            agent = A2aAgent(self.card, self.tool, push, world.kernel, Aside(world.kernel), ids)
            self._running[world] = agent
        return agent


class A2aAgents:
    """The agents that a test describes, in one run.

    Args:
        world: The run.
        agents: The agents; more may come.
    """

    def __init__(self, world: ProgramWorld, agents: Sequence[SimA2a]) -> None:
        self._world = world
        self._agents = agents

    def end(self) -> None:
        """Stop all their work."""
        for agent in self._agents:
            agent.running(self._world).end()

    @property
    def places(self) -> list[str]:
        """Their hosts, each with its port."""
        return [agent.place.host_and_port for agent in self._agents]

    def at(self, host: str, port: int) -> OnRequest | None:
        """The agent of a host and a port."""
        here = place(host, port)
        for agent in self._agents:
            if agent.place.host_and_port == here:
                running = agent.running(self._world)
                path, root = agent.place.path, self._world.root
                return Endpoint(running, agent.url, path, root).on_request
        return None


def as_reply(reply: object) -> object:
    """The result of the tool that makes an agent's replies: a function is given the text of the message."""
    if not callable(reply):
        return reply
    answer: Callable[[str], object] = reply
    return lambda message: answer(message)  # noqa: PLW0108 - a tool is called with names, and it may call it otherwise
