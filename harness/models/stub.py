"""Scripted answers: fixed, in order, by a pattern on the prompt, or from a Python function.

A script that runs out is an error, and so are lines that no call ever asked for; each message names the switch.
"""

from __future__ import annotations

import fnmatch
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import StubError
from harness.models.api import Reply, Request, ToolCall

OUTPUT_TOKENS_MAX = 10**12
"""More than any model will ever say; a store keeps sizes in 64 bits."""

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
    """All that one agent may say."""

    agent: str
    lines: tuple[Line, ...]
    in_order: bool
    """Whether the n-th call of the agent in a task gets the n-th line; otherwise the first that answers the prompt."""
    when_exhausted: WhenExhausted = "error"
    """What comes after the last line in order: an error, the last again, or the first again."""
    allow_unused: bool = False
    """Whether lines may stay unused."""


class Stub:
    """A model that says what its script says; a retry of a call is told what the call was told.

    Args:
        script: What to say.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.used: set[int] = set()
        """The lines that have been given."""

    async def reply(self, request: Request) -> Reply:
        """Say the line that this call gets.

        Raises:
            StubError: No line answers the prompt, or the lines in order have run out.
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
            f"no reply of agent {request.agent!r} answers the prompt {_shorten(request.prompt)!r}\n"
            f"  there is one for: {', '.join(map(str, self._script.lines))}\n"
            "  How to fix: add a rule without `prompt` at the end; it answers everything."
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


class PythonStub:
    """A model whose answers come from a function.

    Args:
        function: Takes the request; gives a text or a `Reply`. It must not keep state from call to call.
        name: How to call it in messages.
    """

    def __init__(self, function: Callable[[Request], str | Reply], name: str) -> None:
        self._function = function
        self._name = name

    async def reply(self, request: Request) -> Reply:
        """Ask the function.

        Raises:
            StubError: It failed, or gave something that is not a reply.
        """
        try:
            answer = self._function(request)
        except (Exception, SystemExit) as error:
            raise StubError(
                f"stub {self._name} failed for agent {request.agent!r}: {error!r}"
            ) from error
        if isinstance(answer, str):
            return Reply(answer)
        if not _is_reply(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise StubError(
                f"stub {self._name} gave {answer!r} for agent {request.agent!r}\n"
                "  How to fix: return a text or a harness.models.Reply."
            )
        return answer


def _is_reply(answer: object) -> bool:
    """Whether a function gave a reply all of whose parts are what they should be, whatever its types say."""
    if not isinstance(answer, Reply):
        return False
    parts: tuple[Any, ...] = answer
    text, calls, tokens = parts[:3]
    return (
        isinstance(text, str)
        and isinstance(calls, tuple)
        and all(isinstance(call, ToolCall) for call in calls)
        and (tokens is None or (isinstance(tokens, int) and 0 <= tokens <= OUTPUT_TOKENS_MAX))
    )


def check_all_used(scripts: Iterable[Script], used: Mapping[str, Set[int]]) -> None:
    """Complain about lines that no call asked for in any run.

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
