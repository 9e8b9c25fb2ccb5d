"""Read stub files: the replies of each agent.

agents:
  lead:
    replies: ["1. style 2. security", "merge after two fixes"]      # one a call, in order, within each task
  security:
    rules:                                                         # the first that fits the prompt
      - {prompt: "*password*", reply: "a secret in the code"}
      - {reply: "nothing found"}
  style: {reply: "two long lines"}                                 # always the same
  facts: {reply: {text: "Ulm is old. It is a port.", claims: [{text: "Ulm is old"}, {text: "It is a port", is_true: false}]}}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from annotated_types import Len, MinLen
from pydantic import (
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness.errors import ScenarioError
from harness.json_types import JsonObject
from harness.models import Line, Reply, Script, ToolCall
from harness.models.api import StatedClaim
from harness.models.stub import WhenExhausted
from harness.scenario.members import Regex
from harness.scenario.problems import allowed, explain, nearest
from harness.scenario.section import Section
from harness.scenario.yaml_file import Document, Path_, read_yaml


class ToolCallSpec(Section):
    """A tool that the model wants to be used."""

    tool: str
    """The tool's name."""
    arguments: JsonObject = Field(default_factory=dict)
    """What it is given."""


class ClaimSpec(Section):
    """A claim that a reply makes."""

    text: str
    """Its words; it goes wherever they go, if they are part of the reply, and with the whole reply otherwise."""
    is_true: bool = True
    """Whether it is true."""


class ReplySpec(Section):
    """One reply with tool calls."""

    text: str = ""
    """What is said."""
    tool_calls: tuple[ToolCallSpec, ...] = ()
    """Tools to be used before the agent goes on."""
    as_is: bool = False
    """Whether it is sent, as a deliberate fault, even if it does not obey the request."""
    claims: tuple[ClaimSpec, ...] = ()
    """What it claims; absent means that the whole reply is one claim, of an agent with an accuracy."""

    def reply(self) -> Reply:
        """The reply itself."""
        calls = tuple(ToolCall(call.tool, call.arguments) for call in self.tool_calls)
        claims = tuple(StatedClaim(claim.text, claim.is_true) for claim in self.claims)
        return Reply(self.text, calls, as_is=self.as_is, claims=claims)


AnyReply = Annotated[
    Annotated[str, Tag("text")] | Annotated[ReplySpec, Tag("reply")],
    Discriminator(lambda value: "reply" if isinstance(value, dict | ReplySpec) else "text"),
]
"""A reply, as a file says it: a text, or a mapping when it has tool calls."""


class RuleSpec(Section):
    """A reply for some prompts."""

    prompt: str | None = None
    """A glob that the whole prompt must match."""
    prompt_regex: Regex | None = None
    """A regular expression to be found in the prompt."""
    reply: AnyReply
    """What is said."""


class AgentScript(Section):
    """What one agent says: exactly one of `reply`, `replies` and `rules`."""

    reply: AnyReply | None = None
    """The same for every call."""
    replies: Annotated[tuple[AnyReply, ...], MinLen(1)] | None = None
    """One for each call of a task, in order."""
    rules: Annotated[tuple[RuleSpec, ...], MinLen(1)] | None = None
    """The first whose prompt fits."""
    when_exhausted: WhenExhausted = "error"
    """What comes after the last of `replies`."""
    allow_unused: bool = False
    """Whether replies may stay unused."""

    @model_validator(mode="after")
    def _check_one(self) -> AgentScript:
        if sum(given is not None for given in (self.reply, self.replies, self.rules)) != 1:
            raise PydanticCustomError("one_of", "give exactly one of reply, replies, rules")
        return self


class StubFile(Section):
    """A file of replies."""

    agents: Annotated[dict[str, AgentScript], Len(1)]
    """What each agent says, by its name in the scenario."""


class StubsOfFile:
    """A file of replies that was read.

    Args:
        path: The file.
        name: How to call it in messages.

    Raises:
        ScenarioError: The file is wrong.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._document = document = read_yaml(path, name)
        try:
            self._stubs = TypeAdapter(StubFile).validate_json(json.dumps(document.data)).agents
        except ValidationError as error:
            raise ScenarioError(*explain(error, document, StubFile)) from None
        self._scripts: dict[str, Script] = {}

    def script_of(self, agent: str) -> Script:
        """What one agent says, or all agents of one entry of a scenario.

        Raises:
            ScenarioError: The file says nothing of it.
        """
        if agent not in self._scripts:
            self._scripts[agent] = self._read(agent)
        return self._scripts[agent]

    def _read(self, agent: str) -> Script:
        document, stubs = self._document, self._stubs
        if agent not in stubs:
            raise ScenarioError(
                f"{document.place(('agents',))}: agents: there is nothing for agent {agent!r}"
                f"{nearest(agent, stubs) or allowed(stubs)}"
            )
        spec = stubs[agent]
        return Script(
            agent=agent,
            lines=_lines(spec, ("agents", agent), document),
            in_order=spec.replies is not None,
            when_exhausted=spec.when_exhausted,
            allow_unused=spec.allow_unused,
        )


def _lines(spec: AgentScript, path: Path_, document: Document) -> tuple[Line, ...]:
    def place(*inner: str | int) -> str:
        return document.place((*path, *inner)).rpartition(":")[0]

    if spec.rules is not None:
        return tuple(
            Line(
                reply=_reply(rule.reply),
                place=place("rules", index),
                prompt=rule.prompt,
                prompt_regex=rule.prompt_regex,
            )
            for index, rule in enumerate(spec.rules)
        )
    if spec.replies is not None:
        return tuple(
            Line(reply=_reply(reply), place=place("replies", index))
            for index, reply in enumerate(spec.replies)
        )
    assert spec.reply is not None
    return (Line(reply=_reply(spec.reply), place=place("reply")),)


def _reply(spec: str | ReplySpec) -> Reply:
    return Reply(spec) if isinstance(spec, str) else spec.reply()
