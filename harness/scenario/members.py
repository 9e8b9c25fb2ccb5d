"""The members of a team in a scenario file: agents, and teams that stand where an agent could."""

from __future__ import annotations

import re
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import AfterValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from harness.agents.context import AnyContext, Inputs
from harness.fields import ModelName, ToolName
from harness.models.recorded import ReplayLatency
from harness.models.schemas import mistake
from harness.patterns import AnyPattern
from harness.scenario.copies import AgentCount
from harness.scenario.fitted import AnySize
from harness.scenario.meaning import Judging
from harness.scenario.section import Name, Section
from harness.units import Count, Tokens


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PydanticCustomError(
            "regex", "must be a regular expression: {why}", {"why": str(error)}
        ) from None
    return pattern


Regex = Annotated[str, AfterValidator(_regex)]
"""A regular expression."""


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if (wrong := mistake(schema)) is not None:
        raise PydanticCustomError("schema", "must be a JSON Schema: {why}", {"why": wrong})
    return schema


JsonSchema = Annotated[dict[str, Any], AfterValidator(_json_schema)]
"""A JSON Schema."""


class Match(Section):
    """Conditions for the calls of an agent in a program of your own; all that are stated must hold."""

    system: str | None = None
    """A glob that the whole system prompt must match."""
    system_regex: Regex | None = None
    """A regular expression to be found in the system prompt."""
    model: str | None = None
    """A glob that the model's name must match, as the API knows it."""
    tools: tuple[str, ...] = ()
    """Names of tools that must all be offered."""
    headers: dict[str, str] = {}
    """HTTP headers, by name, each with a glob for its value."""


class AgentSpec(Judging):
    """An agent."""

    model: ModelName
    """The model that it calls."""
    stub: str | None = None
    """Its replies: a YAML file, or `module:function`; absent means a fixed sentence."""
    cassette: str | None = None
    """A recording of its calls, in place of `stub`: its replies come as they were recorded, after the times that they took."""
    cassette_latency: ReplayLatency = "recorded"
    """How long recorded replies take: as long as they took (`recorded`), what the model's profile says (`profile`), or no time
    (`none`)."""
    system: str = ""
    """Its system prompt."""
    system_tokens: Tokens | None = None
    """Size of what is sent with every call, such as the system prompt and tool descriptions [tokens]; absent
    means the length of `system`."""
    output_tokens: AnySize | None = None
    """Size of its replies [tokens]; absent means what the task says, or the length of the reply."""
    tools: tuple[ToolName, ...] = ()
    """The tools that it can call."""
    accepts: JsonSchema | None = None
    """The JSON Schema that each message to it must keep: its text as JSON or as a string; absent means that it
    takes all. Another message is refused without a call, with the error `invalid_message`."""
    version: Name | Annotated[tuple[Name, ...], MinLen(1)] | None = None
    """The versions of messages that it speaks, the one that it prefers first; absent means any. Of what is in another version, one
    that its sender speaks too is taken; without any the message is refused with the error `version_mismatch`."""
    context: AnyContext = Inputs()
    """How much of its earlier turns in a task it is given again; absent means `inputs`: what a turn begins with alone."""
    window_tokens: Count | None = None
    """The most that it is told with a call, with its system prompt [tokens]; what is longer is refused by the provider with a 400.
    Absent means no bound."""
    count: AgentCount | None = None
    """How many of it there are: `NAME-1`, `NAME-2` and so on, alike unless an entry of such a name says otherwise. In a list of a pattern
    `{all: NAME}` means all of them, and under `policies` and `latency_factors` NAME does. Absent means one, of that name."""
    match: Match | None = None
    """How to tell its calls when a program takes the place of the pattern; absent means by `system`, or by the header
    `x-harness-agent`."""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of messages that it speaks."""
        return (self.version,) if isinstance(self.version, str) else self.version or ()


class TeamSpec(Section):
    """A team that stands where an agent could: what it is asked is a task to its pattern."""

    pattern: AnyPattern
    """How its members work together."""


def _kind_of_member(value: object) -> str:
    """Which kind of entry it is: the texts stand in pydantic's locations alone."""
    return "a team" if isinstance(value, dict) and "pattern" in value else "an agent"


AnyMember = Annotated[
    Annotated[AgentSpec, Tag("an agent")] | Annotated[TeamSpec, Tag("a team")],
    Discriminator(_kind_of_member),
]
