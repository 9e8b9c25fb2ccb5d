"""Scripted replies: fixed, in order, or chosen by a pattern on the prompt.

A script that runs out is an error, and so are lines that no call ever asked for; each message names the switch.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from harness.errors import StubError
from harness.models.api import Reply, Request

WhenExhausted = Literal["error", "repeat", "cycle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One reply of a script."""

    reply: Reply
    """What is said."""
    place: str
    """Where it stands, as `file:line`; for messages."""
    prompt: str | None = None
    """A glob that the whole prompt must match; None matches all."""
    prompt_regex: str | None = None
    """A regular expression to be found in the prompt; None matches all."""

    def answers(self, prompt: str) -> bool:
        """Whether this reply is for such a prompt."""
        if self.prompt is not None and not fnmatch.fnmatchcase(prompt, self.prompt):
            return False
        return self.prompt_regex is None or re.search(self.prompt_regex, prompt) is not None

    def __str__(self) -> str:
        if self.prompt_regex is not None:
            return f"prompt_regex {self.prompt_regex!r}"
        return "any prompt" if self.prompt is None else f"prompt {self.prompt!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All replies of one agent."""

    agent: str
    lines: tuple[Line, ...]
    in_order: bool
    """Whether the n-th call of the agent in a task gets the n-th line; otherwise the first that answers the prompt."""
    when_exhausted: WhenExhausted = "error"
    """What comes after the last line in order: an error, the last again, or the first again."""
    allow_unused: bool = False
    """Whether lines may stay unused."""


class Stub:
    """A model with the replies of its script. A retry of a call gets the same reply as the call.

    Args:
        script: What to say.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.used: set[int] = set()
        """The lines that have been given."""

    @property
    def agent(self) -> str:
        """Whose script it is."""
        return self._script.agent

    def reply(self, request: Request) -> Reply:
        """Return the reply for this call.

        Raises:
            StubError: No line matches the prompt, or the lines in order have run out.
        """
        script = self._script
        number = self._in_order(request) if script.in_order else self._by_prompt(request)
        self.used.add(number)
        return script.lines[number].reply

    def _by_prompt(self, request: Request) -> int:
        for number, line in enumerate(self._script.lines):
            if line.answers(request.prompt):
                return number
        raise StubError(
            f"no reply of agent {request.agent!r} matches the prompt {_shorten(request.prompt)!r}\n"
            f"  prompts with a reply: {', '.join(map(str, self._script.lines))}\n"
            "  How to fix: add a rule without `prompt` at the end; it matches every prompt."
        )

    def _in_order(self, request: Request) -> int:
        number, lines = request.call_in_task - 1, self._script.lines
        if number < len(lines):
            return number
        if self._script.when_exhausted == "cycle":
            return number % len(lines)
        if self._script.when_exhausted == "repeat":
            return len(lines) - 1
        raise StubError(
            f"{lines[-1].place}: the replies of agent {request.agent!r} ran out: this is call {number + 1} of one task, "
            f"and there are {len(lines)} in order\n"
            "  How to fix: see why the agent is called so often; if it may be, add a reply, or say `when_exhausted: repeat` or "
            "`when_exhausted: cycle` beside them."
        )


def distinct(scripts: Iterable[Script]) -> list[Script]:
    """Some scripts without repetition; agents of one entry of a scenario share one."""
    return list({script.agent: script for script in scripts}.values())


def check_all_used(scripts: Iterable[Script], used: Mapping[str, Set[int]]) -> None:
    """Raise an error for lines that no call used in any run.

    Args:
        scripts: The scripts of all agents.
        used: What each agent's stub has given, over all runs.

    Raises:
        StubError: Names every such line.
    """
    unused = [
        f"{line.place}: no call of agent {script.agent!r} asked for {_shorten(line.reply.text)!r}"
        for script in scripts
        if not script.allow_unused
        for number, line in enumerate(script.lines)
        if number not in used.get(script.agent, frozenset())
    ]
    if unused:
        raise StubError(
            "\n".join(unused)
            + "\n  How to fix: take the lines out, or say `allow_unused: true` beside them if that is meant."
        )


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
