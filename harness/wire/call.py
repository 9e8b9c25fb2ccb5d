"""One call of a program: what its client awaits, with all its attempts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from harness.kernel.lineage import Lineage
from harness.models import Backend, Reply, Request
from harness.spans import Span
from harness.wire.api import Prompt
from harness.wire.routing import AgentRule, Scope


@dataclass(slots=True, eq=False)
class Call:
    """One call: the request, its agent, and the reply."""

    number: int
    """1 for the first call of the run."""
    agent: str
    role: AgentRule
    backend: Backend
    """What decides its attempts."""
    prompt: Prompt
    request: Request
    span: Span
    scope: Scope
    caller: Lineage | None
    """The task that made it, if it is known."""
    digest: bytes
    """Of the request's bytes."""
    task_path: str
    """The path of the task or thread that made it."""
    provider: str
    retries: int = 0
    """What its client said of the latest attempt: how many it had made before. 0 if the client says nothing."""
    attempts: list[Span] = field(default_factory=list)
    timed_out: list[int] = field(default_factory=list)
    """Ordinals of the attempts that the client's own timeout ended."""
    reply: Reply | None = None
    """The answer; None if there is none, or none yet."""
    sources: tuple[int, ...] = ()
    """Numbers of the calls whose replies are part of this prompt."""
    asked: int = 0
    """Place of its latest attempt in the order of requests and answers; 0 of a request of a batch."""
    repeats: int | None = None
    """Number of the failed call that the program repeats with this one."""
    done: bool = False
    """Whether its last attempt was answered."""
    awaited: bool = True
    """Whether a client waits for it; for requests of batches and in the background none does."""
    _asks: bytes = b""

    @property
    def is_open(self) -> bool:
        """Whether one of its attempts is running."""
        return not self.done and bool(self.attempts) and math.isnan(self.attempts[-1].end_s)

    @property
    def asks(self) -> bytes:
        """Equal for calls of one agent, in one task of the user's, that ask one provider's model the same."""
        if not self._asks:
            prompt = self.prompt
            said = (self.provider, prompt.model, prompt.system, prompt.conversation)
            whole = repr((self.span.task, self.agent, said))
            self._asks = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return self._asks


def request_of(prompt: Prompt, scope: Scope, body: bytes) -> Request:
    """A prompt as agents and faults see it; nobody has it yet."""
    last = prompt.conversation[-1] if prompt.conversation else None
    if last is None:
        told = ""
    elif last.text:
        told = last.text
    else:
        told = "\n\n".join(result.text for result in last.tool_results)
    return Request(
        "",
        prompt.model,
        told,
        prompt.tokens,
        "",
        0,
        0,
        scope.span,
        prompt.system,
        prompt.tools,
        said=prompt.conversation,
        body=body,
        wanted=prompt.wanted,
        wanted_tool=prompt.wanted_tool,
        tool_choice=prompt.tool_choice,
        tool_schemas=prompt.tool_schemas,
    )


def nearest(caller: Lineage | None, failed: Iterable[Call]) -> Call | None:
    """Of several failed calls, the one that a task most likely repeats; None if none is likely.

    Args:
        caller: The task, if it is known.
        failed: The calls, in the order of failure.
    """
    found: list[tuple[int, int, Call]] = []
    for call in failed:
        steps: int | None = 0  # if a caller is unknown
        if caller is not None and call.caller is not None:
            steps = caller.steps_to(call.caller, call.attempts[-1].end_s)
        if steps is not None:
            found.append((steps, -call.retries, call))
    return min(found, key=lambda each: each[:2], default=(0, 0, None))[2]
