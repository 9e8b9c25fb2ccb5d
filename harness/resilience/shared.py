"""The states of policies, of which agents may share some by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar, cast

from harness.resilience.policies import Policies


class MayBeShared(Protocol):
    """The parameters of a policy whose state agents may share."""

    @property
    def shared(self) -> str | None:
        """The name of the state; None if an agent has its own."""


R = TypeVar("R", bound=MayBeShared)
S = TypeVar("S")


class Shared:
    """The states of policies of one run, made when an agent first needs them."""

    def __init__(self) -> None:
        self._states: dict[tuple[type, bool, str], object] = {}

    def of(self, stated: R | None, agent: str, make: Callable[[R, str], S]) -> S | None:
        """The state that an agent uses; None if it has no such policy.

        Args:
            stated: The parameters.
            agent: The agent's name.
            make: Makes a new state of parameters and a name.
        """
        if stated is None:
            return None
        key = (type(stated), stated.shared is not None, stated.shared or agent)
        if key not in self._states:
            self._states[key] = make(stated, key[2])
        return cast("S", self._states[key])


def differing(policies: Mapping[str, Policies]) -> tuple[str, str, str] | None:
    """The first two agents that share a state by name and state different parameters, after the policy; None if there are none.

    Args:
        policies: Of each agent.
    """
    first: dict[tuple[str, str], tuple[str, object]] = {}
    for agent, mine in policies.items():
        for name, stated in mine.stated().items():
            shared = getattr(stated, "shared", None)
            if shared is None:
                continue
            other, theirs = first.setdefault((name, shared), (agent, stated))
            if theirs != stated:
                return name, other, agent
    return None
