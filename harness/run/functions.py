"""User functions that a run calls, from modules that are imported anew for each run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.models import Content, PythonStub, Script, content_of
from harness.models.cassette_agent import CassetteAgent
from harness.scenario import LoadedScenario
from harness.scenario.schema import WireAgentSpec


@contextmanager
def modules_of_run(scenario: LoadedScenario) -> Iterator[None]:
    """Context manager: own modules are imported anew, and forgotten afterwards; where a scenario names no function, nothing is done."""
    if not scenario.functions:
        yield
        return
    from harness.rollback.fresh import OwnModules

    with OwnModules(scenario.folder).entered_once():
        yield


def content_in(
    scenario: LoadedScenario, agent: str, find: Callable[[str], Callable[..., object]]
) -> Content:
    """The source of the replies of an agent in a scenario.

    Args:
        scenario: The scenario.
        agent: The agent's name.
        find: Gives the function that the scenario names.
    """
    part = scenario.spec.agents[agent]
    if agent in scenario.cassettes:
        own = isinstance(part, WireAgentSpec) and part.latency is not None
        latency = "profile" if own else part.cassette_latency
        return CassetteAgent(scenario.cassettes[agent], agent, latency)
    said: Script | PythonStub | None = scenario.scripts.get(agent)
    stub = part.stub
    if said is None and stub is not None:
        said = PythonStub(find(stub), stub)
    return content_of(agent, said)


def is_async(function: Callable[..., object]) -> bool:
    """Whether a function is meant to be called from a running loop, also behind decorators and `functools.partial`."""
    while isinstance(function, functools.partial):
        function = function.func
    inner = inspect.unwrap(function)
    return any(
        map(inspect.iscoroutinefunction, (function, inner, getattr(type(inner), "__call__", None)))  # noqa: B004 - of its class
    )
