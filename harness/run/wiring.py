"""From a scenario to a program's environment: providers with servers, agents with rules, faults."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.apis import AGENT_HEADER, APIS, vendor_of
from harness.faults import InjectedFault
from harness.run.functions import content_in
from harness.run.program_world import WireModel, WireProvider, default_providers
from harness.scenario import AnyScenario, LoadedScenario, Scenario, TargetScenario
from harness.scenario.members import AgentSpec, Match
from harness.scenario.schema import ProviderSpec, WireProviderSpec
from harness.wire.routing import AgentRule, RequestMatch

Find = Callable[[str], Callable[..., object]]
"""Gives the function that a stub names."""

_API_OF_PATTERNS = "anthropic"
"""What the providers of a pattern speak when it is served, unless their names say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a scenario says of the world around a program."""

    providers: Mapping[str, WireProvider]
    roles: tuple[AgentRule, ...]
    faults: tuple[InjectedFault, ...]
    latency_factors: Mapping[str, float]
    """How many times as long the attempts of single agents take to serve."""
    may_be_unused: frozenset[str]
    """Agents of whom it is fine that they are never called."""
    allow_unmatched: bool
    """Whether made-up agents answer calls of none of these."""


def surroundings(scenario: LoadedScenario, find: Find) -> Surroundings:
    """What a scenario says of the world around a program.

    The agents of a pattern's scenario are told by their system prompts, or by the header that names them.

    Args:
        scenario: The scenario.
        find: Gives the function of a stub by its name.
    """
    spec = scenario.spec
    if isinstance(spec, TargetScenario):
        roles = _roles_of_program(spec, scenario, find)
    else:
        roles = _roles_of_pattern(spec, scenario, find)
    return Surroundings(
        providers=_providers(spec, scenario),
        roles=roles,
        faults=spec.faults,
        latency_factors=spec.latency_factors,
        allow_unmatched=isinstance(spec, TargetScenario) and spec.allow_unmatched,
        may_be_unused=frozenset(
            name
            for name, part in spec.agents.items()
            if part.stub is None and part.cassette is None
        ),
    )


def _roles_of_program(
    spec: TargetScenario, scenario: LoadedScenario, find: Find
) -> tuple[AgentRule, ...]:
    return tuple(
        AgentRule(
            name=name,
            content=content_in(scenario, name, find),
            match=_rules(part.match),
            latency=part.latency,
            output_tokens=part.output_tokens,
            traits=part.traits,
        )
        for name, part in spec.agents.items()
    )


def _roles_of_pattern(
    spec: Scenario, scenario: LoadedScenario, find: Find
) -> tuple[AgentRule, ...]:
    return tuple(
        AgentRule(
            name=name,
            content=content_in(scenario, name, find),
            match=_rules_of_pattern(name, part),
            output_tokens=part.output_tokens,
            traits=part.traits,
        )
        for name, part in spec.agents.items()
    )


def _rules_of_pattern(name: str, part: AgentSpec) -> RequestMatch:
    if part.match is not None:
        return _rules(part.match)
    if part.system:
        return RequestMatch(system=glob.escape(part.system))
    return RequestMatch(headers={AGENT_HEADER: name})


def _rules(match: Match) -> RequestMatch:
    return RequestMatch(
        system=match.system,
        system_regex=match.system_regex,
        model=match.model,
        tools=frozenset(match.tools),
        headers=match.headers,
    )


def _providers(spec: AnyScenario, scenario: LoadedScenario) -> dict[str, WireProvider]:
    stated: dict[str, ProviderSpec] = {name: WireProviderSpec() for name in default_providers()}
    stated.update(spec.providers)
    return {name: _provider(name, part, spec, scenario) for name, part in stated.items()}


def _provider(
    name: str, part: ProviderSpec, spec: AnyScenario, scenario: LoadedScenario
) -> WireProvider:
    vendor = vendor_of(name)
    api = vendor.api if vendor else _API_OF_PATTERNS
    hosts: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    if isinstance(part, WireProviderSpec):
        api, hosts, paths = part.api or api, frozenset(part.hosts), part.paths
    usual = vendor.hosts if vendor and vendor.speaking(api) else (APIS[api].host,)
    models = {
        model.name: WireModel(
            alias=alias,
            latency=scenario.latencies[alias],
            prices=scenario.prices[alias],
            pool=model.pool,
        )
        for alias, model in spec.models.items()
        if model.provider == name
    }
    return WireProvider(
        name=name,
        api=api,
        hosts=hosts or frozenset(usual),
        paths=paths,
        settings=part.settings,
        models=models,
    )
