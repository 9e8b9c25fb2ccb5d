"""The section `policies` of a scenario file, and what can be wrong with it as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from pydantic_core import PydanticCustomError

from harness.errors import did_you_mean
from harness.fields import AgentName
from harness.resilience import CallQueue, Policies
from harness.resilience.shared import differing
from harness.scenario.cycles import cycle_of
from harness.scenario.section import Section


class PolicySection(Section):
    """Policies for failing calls."""

    default: Policies = Policies()
    """For every agent."""
    agents: dict[AgentName, Policies] = {}
    """For single agents, over the default."""

    def of(self, agent: str) -> Policies:
        """The policies of one agent: its own, over the default."""
        own = self.agents.get(agent)
        return self.default if own is None else own.over(self.default)

    def place_of(self, agent: str, policy: str) -> tuple[str, ...]:
        """Where a policy of an agent stands, in the scenario."""
        own = self.agents.get(agent)
        if own is None or getattr(own, policy) is None:
            return ("policies", "default", policy)
        return ("policies", "agents", agent, policy)


def check_policies(
    section: PolicySection, agents: Iterable[str], customers: Iterable[str | None]
) -> None:
    """Check what can be seen only when the policies of all agents come together.

    Args:
        section: The section.
        agents: The agents of the scenario.
        customers: Whom its tasks are for.
    """
    policies = {agent: section.of(agent) for agent in agents}
    flows = {"agent": set(policies), "customer": {it for it in customers if it is not None}}
    for agent, mine in policies.items():
        _check_fallbacks(agent, policies, section)
        _check_weights(agent, mine.queue, section, flows)
    cycle = cycle_of({agent: _named(agent, mine) for agent, mine in policies.items()})
    if cycle:
        raise PydanticCustomError(
            "cycle",
            "policies hand calls on in a cycle: {cycle}",
            {"cycle": " -> ".join(cycle), "at": ("policies",)},
        )
    for agent, mine in policies.items():
        if mine.health is not None and mine.fallback is None:
            raise PydanticCustomError(
                "one_of",
                "`health` needs a `fallback`, which gets the calls that {agent} does not get",
                {"agent": agent, "at": section.place_of(agent, "health")},
            )
    found = differing(policies)
    if found is not None:
        name, first, second = found
        raise PydanticCustomError(
            "one_of",
            "differs between {first} and {second}, which share it by name: give both the same values, or other names",
            {"first": first, "second": second, "at": section.place_of(second, name)},
        )


def without_price(
    section: PolicySection, models: Mapping[str, str], prices: Mapping[str, object]
) -> tuple[tuple[str, ...], str] | None:
    """The place of the first budget in money that is of an agent whose model has no price, and that model; None if there is none.

    Args:
        section: The section.
        models: Of each agent.
        prices: Of each model; None if it is not known.
    """
    for agent, model in models.items():
        budget = section.of(agent).budget
        if budget is not None and budget.usd is not None and prices[model] is None:
            return (*section.place_of(agent, "budget"), "usd"), model
    return None


def _check_fallbacks(start: str, policies: dict[str, Policies], section: PolicySection) -> None:
    path = [start]
    while (fallback := policies[path[-1]].fallback) is not None:
        if fallback in path:
            cycle = " -> ".join([*path[path.index(fallback) :], fallback])
            raise PydanticCustomError(
                "cycle",
                "fallbacks form a cycle: {cycle}",
                {"cycle": cycle, "at": section.place_of(path[-1], "fallback")},
            )
        path.append(fallback)


def _check_weights(
    agent: str, queue: CallQueue | None, section: PolicySection, flows: Mapping[str, Set[str]]
) -> None:
    """Check that a queue gives weights to flows that there are."""
    if queue is None:
        return
    for name in queue.weights:
        if name not in flows[queue.flows]:
            known = sorted(flows[queue.flows])
            raise PydanticCustomError(
                "one_of",
                "there is no {flow} {name}{hint}",
                {
                    "flow": queue.flows,
                    "name": repr(name),
                    "hint": did_you_mean(name, known)
                    or f"; known are {', '.join(known) or 'none'}",
                    "at": (*section.place_of(agent, "queue"), "weights", name),
                },
            )


def _named(agent: str, policies: Policies) -> list[str]:
    """Those to whom calls of an agent may go on; it may be an instance of its own."""
    validate, balance, rollout = policies.validate, policies.balance, policies.rollout
    return [
        *([] if policies.fallback is None else [policies.fallback]),
        *([] if validate is None or validate.critic is None else [validate.critic]),
        *([] if balance is None else (it for it in balance.over if it != agent)),
        *([] if rollout is None else [rollout.to]),
    ]


def functions_of_policies(spec: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """The functions that policies name, each with its place.

    Args:
        spec: What a scenario file says.
    """
    section = getattr(spec, "policies", None)
    if not isinstance(section, PolicySection):
        return
    places: dict[tuple[str, ...], Policies] = {("policies", "default"): section.default}
    places |= {("policies", "agents", agent): mine for agent, mine in section.agents.items()}
    for place, policies in places.items():
        if policies.validate is not None and policies.validate.function is not None:
            yield (*place, "validate", "function"), policies.validate.function
