"""A tool: what an agent can call besides its model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.agents.broken import Breaks
from harness.agents.effects import Effects
from harness.chance import Draws
from harness.chance.distributions import AnyDistribution, Constant
from harness.errors import did_you_mean
from harness.models import ToolCall
from harness.models.schemas import violation
from harness.units import Probability, whole_microseconds


class Tool(Protocol):
    """Something that does a piece of work and says what came out."""

    async def use(self, call: ToolCall, key: str) -> str:
        """Do the work.

        Args:
            call: What is wanted.
            key: Names the draws of this use, and begins with the number of the task.

        Raises:
            ToolError: It did not work.
        """


class ToolError(Exception):
    """A tool that did not work; a simulated error.

    Args:
        message: What the caller is told.
        breaks: What breaks with it where a server has the tool; see `Mishap.breaks`.
        result: What the tool has given, where only the answer is lost.
    """

    def __init__(self, message: str = "", *, breaks: Breaks = "", result: object = None) -> None:
        super().__init__(message)
        self.breaks: Breaks = breaks
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a scenario describes it."""

    latency_s: AnyDistribution = Constant(0.0)
    """How long one use takes [s]."""
    result: str = "done"
    """What it answers."""
    failure_probability: Probability = 0.0
    """Share of uses that fail, after their latency; they take no effect."""
    parameters: Mapping[str, Any] | None = None
    """The JSON Schema of its arguments; a use with others fails, and takes no effect. Absent means that it takes all."""
    idempotency_key: str | None = None
    """The argument that is its idempotency key: a use whose key is known takes no effect again, and is answered like the first.
    Absent means that each use has a key of its own."""
    idempotent: bool = True
    """Whether a use that is repeated with its key, after a crash, takes no effect again; false for a far end that does not
    know such keys."""

    def __post_init__(self) -> None:
        known = (self.parameters or {}).get("properties")
        if self.idempotency_key is None or not known or self.idempotency_key in known:
            return
        raise ValueError(
            f"`idempotency_key` is {self.idempotency_key!r}, which is none of `parameters`"
            f"{did_you_mean(self.idempotency_key, known)}"
        )


class SimulatedTool:
    """A tool that takes time, answers what it was told to answer, and sometimes fails.

    Args:
        name: Its name in the scenario.
        spec: How it behaves.
        draws: Where chance comes from.
        effects: Where it is noted what uses did to the world; None notes nothing.
    """

    def __init__(
        self, name: str, spec: ToolSpec, draws: Draws, effects: Effects | None = None
    ) -> None:
        self._name = name
        self._spec = spec
        self._draws = draws
        self._effects = effects

    async def use(self, call: ToolCall, key: str) -> str:
        """Take effect, wait, then answer: a caller that is gone meanwhile has done what it wanted, and does not know it.

        Raises:
            ToolError: This use was drawn to fail, or its arguments are not those of the tool.
        """
        fails = self._draws.uniform(key, "failure") < self._spec.failure_probability
        wrong = None
        if self._spec.parameters is not None:
            wrong = violation(call.arguments, dict(self._spec.parameters))
        if self._effects is not None and not fails and wrong is None:
            task = int(key.partition("/")[0])
            own = self._key_of(call, key)
            self._effects.happen(call, own, idempotent=self._spec.idempotent, task=task)
        await asyncio.sleep(
            whole_microseconds(self._spec.latency_s.sample(self._draws, key, "latency"))
        )
        if wrong is not None:
            raise ToolError(f"{self._name}: invalid arguments: {wrong}")
        if fails:
            raise ToolError(f"{self._name} failed")
        return self._spec.result

    def _key_of(self, call: ToolCall, key: str) -> str:
        """The idempotency key of a use: the one that the caller states, or its own."""
        name = self._spec.idempotency_key
        if name is None or name not in call.arguments:
            return key
        return f"{self._name}/{call.arguments[name]}"
