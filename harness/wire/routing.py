"""Rules that assign a call to an agent by its prompt, and names for calls that match no rule."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.chance.distributions import AnyDistribution
from harness.models import Content, Request
from harness.models.meaning import Traits
from harness.provider import Latency
from harness.spans import AGENT, CANCELLED, ERROR, OK, Span, SpanLog
from harness.wire.api import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMatch:
    """What the calls of an agent look like; all that is stated must hold."""

    system: str | None = None
    """A glob that the whole system prompt must match."""
    system_regex: str | None = None
    """A regular expression to be found in the system prompt."""
    model: str | None = None
    """A glob that the model's name must match."""
    tools: frozenset[str] = frozenset()
    """Tools that must all be offered."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """HTTP headers, by name, each with a glob for its value."""
    when: Callable[[Request], bool] | None = None
    """Anything else about the call."""

    @property
    def says_something(self) -> bool:
        """Whether it narrows calls down at all."""
        return self is not ANYTHING and self != ANYTHING

    def meets(self, prompt: Prompt, headers: Mapping[str, str], request: Request) -> bool:
        """Whether a call looks like this."""
        return all(met for *_, met in self.conditions(prompt, headers)) and (
            self.when is None or self.when(request)
        )

    def conditions(
        self, prompt: Prompt, headers: Mapping[str, str]
    ) -> Iterator[tuple[str, str, str, bool]]:
        """Each condition but `when`: its name, what it asks for, what the call has, and whether it holds."""
        if self.system is not None:
            met = fnmatch.fnmatchcase(prompt.system, self.system)
            yield "system", self.system, prompt.system, met
        if self.system_regex is not None:
            met = re.search(self.system_regex, prompt.system) is not None
            yield "system_regex", self.system_regex, prompt.system, met
        if self.model is not None:
            yield "model", self.model, prompt.model, fnmatch.fnmatchcase(prompt.model, self.model)
        if self.tools:
            wanted, offered = ", ".join(sorted(self.tools)), ", ".join(prompt.tools)
            yield "tools", wanted, offered, self.tools <= set(prompt.tools)
        for name, glob in self.headers.items():
            value = headers.get(name.lower(), "")
            yield f"header {name}", glob, value, fnmatch.fnmatchcase(value, glob)


ANYTHING = RequestMatch()
"""What narrows no calls down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRule:
    """An agent as the wire knows it: how to tell its calls, and who answers them how."""

    name: str
    content: Content
    match: RequestMatch = ANYTHING
    latency: Latency | None = None
    """Instead of that of the model it asks."""
    output_tokens: AnyDistribution | None = None
    """Size of its replies [tokens]; absent means their length."""
    traits: Traits = Traits()
    """How well it judges."""
    as_is: bool = False
    """Whether its replies are sent even if they do not obey the request."""


class Scope(NamedTuple):
    """What a piece of the program belongs to."""

    span: Span
    """The parent of what happens in it."""
    agent: str | None
    """Whose work it is, where the program says so."""


_scope: ContextVar[Scope] = ContextVar("harness_scope")


def scope_here(default: Scope) -> Scope:
    """The scope of the code that runs now; it follows the program's tasks, as every context variable does."""
    return _scope.get(default)


@contextmanager
def inside(scope: Scope) -> Iterator[None]:
    """Make everything that is begun in the block belong to a scope."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def context_of(scope: Scope) -> Context:
    """A context in which everything that is begun belongs to a scope."""
    context = Context()
    context.run(_scope.set, scope)
    return context


@contextmanager
def turn_of(agent: str, log: SpanLog, default: Scope) -> Iterator[None]:
    """Make everything that is begun in the block one turn of an agent, with a span of its own."""
    span = log.open(AGENT, agent, scope_here(default).span, agent)
    status = CANCELLED
    try:
        with inside(Scope(span, agent)):
            yield
        status = OK
    except Exception as error:
        status, span.error = ERROR, type(error).__name__
        raise
    finally:
        log.close(span, status)


def first_that_meets(
    roles: Sequence[AgentRule], prompt: Prompt, headers: Mapping[str, str], request: Request
) -> AgentRule | None:
    """The agent that a call is given to: the first whose rules meet it; one without rules takes what is left."""
    rest = None
    for role in roles:
        if not role.match.says_something:
            rest = rest or role
        elif role.match.meets(prompt, headers, request):
            return role
    return rest
