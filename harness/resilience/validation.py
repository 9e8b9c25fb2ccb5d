"""Output validation: a reply that is not what it should be is asked again, and is told what was wrong."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from harness.fields import AgentName
from harness.json_types import JsonObject
from harness.models import ChatMessage, Reply, Request
from harness.models.schemas import checker, mistake
from harness.provider.tokens import count_tokens
from harness.resilience.api import Call, PolicyError
from harness.resilience.branches import branch
from harness.spans import SpanLog
from harness.units import Count, Probability

INVALID = "invalid_output"

_TEXTS_KEPT = 256
"""Of so many texts it is remembered how they violate the schema."""

Check = Callable[[str], str | bool | None]
"""What is wrong with a text: None or True if nothing is, False if it does not say."""

Critic = Callable[[Request, Reply], Awaitable[str | None]]
"""Asks somebody what is wrong with a reply; None if nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a reply must be. Replies that want tools are not looked at, but for the tools."""

    json_schema: JsonObject | None = None
    """The JSON Schema that the text keeps, as JSON."""
    function: str | None = None
    """A function `module:function` that is given the text, and gives None if nothing is wrong, or says what is. It may give True
    or False."""
    min_confidence: Probability | None = None
    """Least confidence that the reply states in its field `confidence`; one that states none is not valid."""
    critic: AgentName | None = None
    """An agent that reads the reply, and accepts it if its own begins with `accept` or has `verdict: accept`."""
    attempts: Count = 2
    """How often to ask in all before the call fails with `invalid_output`."""

    def __post_init__(self) -> None:
        if (self.json_schema, self.function, self.min_confidence, self.critic) == (None,) * 4:
            raise ValueError("give `json_schema`, `function`, `min_confidence` or `critic`")
        if self.json_schema is not None and (wrong := mistake(self.json_schema)) is not None:
            raise ValueError(f"`json_schema` must be a JSON Schema: {wrong}")


class InvalidOutput(PolicyError):  # noqa: N818 - names the condition
    """No reply was valid."""


@dataclass(frozen=True, kw_only=True)
class Validator:
    """Checks replies; for use by hand on any event loop."""

    stated: Validation
    """What is checked."""
    function: Check | None = None
    """The function, where one is named."""
    critic: Critic | None = None
    """Asks the critic, where one is named."""
    confidence: Callable[[str], float | None] = field(default=lambda _: None)
    """Reads how sure a reply says that it is."""

    async def wrong(self, request: Request, reply: Reply) -> str | None:
        """What is wrong with a reply; None if nothing is."""
        if reply.tool_calls:
            return None
        return (
            self._against_schema(reply.text)
            or self._against_function(reply.text)
            or self._against_confidence(reply.text)
            or (None if self.critic is None else await self.critic(request, reply))
        )

    @cached_property
    def _against_schema(self) -> Callable[[str], str | None]:
        """How a text violates the schema; any text is right where there is none. Agents say the same again and again."""
        if self.stated.json_schema is None:
            return lambda _: None
        violation = checker(self.stated.json_schema)

        @lru_cache(maxsize=_TEXTS_KEPT)
        def against(text: str) -> str | None:
            try:
                value = json.loads(text)
            except ValueError as error:
                return f"it is not JSON: {error}"
            return violation(value)

        return against

    def _against_function(self, text: str) -> str | None:
        if self.function is None:
            return None
        said = self.function(text)
        if said is None or said is True:
            return None
        return (
            f"{self.stated.function or 'the check'} does not accept it" if said is False else said
        )

    def _against_confidence(self, text: str) -> str | None:
        least = self.stated.min_confidence
        if least is None:
            return None
        stated = self.confidence(text)
        if stated is None:
            return "it states no confidence"
        return None if stated >= least else f"its confidence {stated:g} is below {least:g}"


def with_validation(call: Call, validator: Validator | None, log: SpanLog) -> Call:
    """Ask again when a reply is not valid; the request then says what was wrong.

    Args:
        call: A call with its retries.
        validator: What checks the reply; None leaves the call as it is.
        log: Where it is noted.
    """
    if validator is None:
        return call

    async def call_until_valid(request: Request) -> Reply:
        asked, why = request, ""
        for number in range(1, validator.stated.attempts + 1):
            try:
                reply = await call(asked)
            finally:
                if asked is not request:
                    request.cost_usd += asked.cost_usd
                    request.attempt = asked.attempt
            wrong = await validator.wrong(request, reply)
            if wrong is None:
                return reply
            log.event(INVALID, request.call_span, wrong)
            why = wrong
            asked = _again(request, reply, wrong, number)
        raise InvalidOutput(INVALID, message=why)

    return call_until_valid


def _again(request: Request, reply: Reply, wrong: str, number: int) -> Request:
    """The request that says what was wrong with a reply."""
    asked = branch(request, f"again {number}", request.attempt)
    asked.prompt = f"Your reply is not valid: {wrong}\nPlease answer again."
    asked.said = (
        *request.conversation,
        ChatMessage("assistant", reply.text),
        ChatMessage("user", asked.prompt),
    )
    asked.input_tokens += (reply.output_tokens or 0) + count_tokens(asked.prompt)
    return asked
