"""Whose call a request is: the agent that the program names, that its rules name, or a made-up one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.models import Request
from harness.wire.api import Prompt
from harness.wire.names import UNMATCHED, Names
from harness.wire.replay import RecordedAsk
from harness.wire.routing import AgentRule, first_that_meets
from harness.wire.unmatched import undescribed, unmatched


class Roles:
    """The agents of a run.

    Args:
        described: Those that are described, in the order in which their rules are asked.
        unknown: Makes an agent of a name that no rule knows.
        allow_unmatched: Whether it may do so although there are agents.
    """

    def __init__(
        self,
        described: Sequence[AgentRule],
        unknown: Callable[[str], AgentRule],
        *,
        allow_unmatched: bool,
    ) -> None:
        self._described = described
        self._make = unknown
        self._allow_unmatched = allow_unmatched
        self._made: dict[str, AgentRule] = {}
        self._names = Names()

    def role_of(
        self,
        prompt: Prompt,
        headers: Mapping[str, str],
        request: Request,
        agent: str | None,
        recorded: RecordedAsk | None = None,
    ) -> AgentRule:
        """The agent whose call it is: the one that the program names, else the first that its rules name, else who was recorded.

        Args:
            prompt: What is asked.
            headers: Of the request, by name in lower case.
            request: The call.
            agent: The name that the program gives; None if it gives none.
            recorded: What a cassette knows of the call; None without one.

        Raises:
            HarnessError: There are agents, the call is of none of them, and that is not allowed.
        """
        strict = bool(self._described) and not self._allow_unmatched and recorded is None
        if agent is not None:
            known = next((role for role in self._described if role.name == agent), None)
            if known is None and strict:
                raise undescribed(agent, self._described)
            return self._made_up(agent) if known is None else known
        role = first_that_meets(self._described, prompt, headers, request)
        if role is not None:
            return role
        if recorded is not None and recorded.agent is not None:
            return self._made_up(recorded.agent)
        if strict:
            raise unmatched(prompt, headers, self._described)
        name = self._names.of(prompt)
        is_beside_others = self._described and recorded is None
        return self._made_up(UNMATCHED + name if is_beside_others else name)

    def _made_up(self, name: str) -> AgentRule:
        role = self._made.get(name)
        if role is None:
            role = self._made[name] = self._make(name)
        return role
