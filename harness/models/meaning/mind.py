"""How an agent judges: which claims of what it reads its reply carries on, and which it adds.

prompt -> statements in it -> claims -> noticed, swayed, garbled -> claims of the reply -> text
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Awaitable, Callable

from harness.chance import Draws
from harness.models.api import Content, Injection, Reply, Request, ToolCall, Work
from harness.models.meaning.claims import Heard, TaskMeaning
from harness.models.meaning.judgement import Judged, Judgement
from harness.models.meaning.ledger import Ledger
from harness.models.meaning.traits import Traits


class Mind:
    """Content of an agent that judges.

    Args:
        content: What it says.
        traits: How well it judges.
        ledger: Where claims are noted.
        draws: Source of random values.
    """

    def __init__(self, content: Content, traits: Traits, ledger: Ledger, draws: Draws) -> None:
        self._content = content
        self._traits = traits
        self._ledger = ledger
        self._draws = draws

    def reply(self, request: Request) -> Reply | Work:
        """The reply to one request, with its claims noted."""
        if not self._ledger.is_active and not request.misled:
            return self._first_claims(request, self._content.reply(request))
        self._ledger.is_active = True
        seen = _seen(request)
        task = self._ledger.task(request)
        heard = task.hear(seen)
        return _then(self._content.reply(seen), lambda reply: self._meant(seen, task, heard, reply))

    def _first_claims(self, request: Request, said: Reply | Work) -> Reply | Work:
        """A reply in a run in which nothing was claimed so far."""
        if isinstance(said, Reply) and not said.claims:
            return said

        def meant(reply: Reply) -> Reply:
            if not reply.claims:
                return reply
            self._ledger.is_active = True
            task = self._ledger.task(request)
            return self._meant(request, task, task.hear(request), reply)

        return _then(said, meant)

    def recorded(self, request: Request) -> object:
        """The claims of the reply to a request, as JSON; None while nothing is noted."""
        return self._ledger.task(request).recorded(request) if self._ledger.is_active else None

    def restore(self, request: Request, reply: Reply, recorded: object) -> None:
        """Note a reply that was given back to a resumed run, with its claims as they were recorded."""
        self._ledger.is_active = True
        self._ledger.task(request).restore(request, reply, recorded)

    def spoil(self, request: Request, text: str) -> None:
        """Note that the reply to a request was damaged on its way: this text arrived, and what it claims is false."""
        task = self._ledger.task(request)
        for statement in task.arrived(request, text):
            for number in [it for it in statement.claims if task.claim(it).is_true]:
                false = self._ledger.new_claim(
                    request, is_true=False, cause=request.span.fault, about=task.claim(number).about
                )
                del statement.claims[number]
                statement.claims[false.number] = None

    def _meant(self, seen: Request, task: TaskMeaning, heard: Heard, reply: Reply) -> Reply:
        """The reply as it is said, after its claims are noted."""
        judged = Judgement(self._draws, self._traits, self._ledger, seen, task, heard).of(reply)
        text = None
        if self._traits.objection is not None and judged.has_noticed:
            text = self._traits.objection
        elif self._traits.wrong_reply is not None and judged.is_wrong(task):
            text = self._traits.wrong_reply
        if text is not None and not reply.tool_calls:
            reply = reply._replace(text=text)
        for fault in seen.misled:
            if fault.says is not None:
                earlier = task.earlier(seen.agent, seen.key)
                reply = fault.says(reply, seen, earlier)._replace(as_is=True)
            if fault.injection is not None and fault.injection not in task.injections:
                task.injections.append(fault.injection)
        reply = self._under_injections(seen, task, judged, reply)
        task.say(seen, heard, reply, judged.claims, judged.corrects)
        return reply

    def _under_injections(
        self, seen: Request, task: TaskMeaning, judged: Judged, reply: Reply
    ) -> Reply:
        """The reply of an agent that may obey what was injected into its prompt."""
        gullible = self._traits.gullible
        for injection in task.injections:
            if (
                gullible
                and self._draws.uniform(seen.key, "gullible") < gullible
                and _can_obey(seen, injection)
                and task.obeys(seen, injection)
            ):
                if injection.tool:
                    self._ledger.obeyed(seen, injection)
                    calls = (ToolCall(injection.tool, json.loads(injection.arguments)),)
                    return Reply(injection.says, calls, as_is=True)
                false = self._ledger.new_claim(seen, is_true=False, cause="prompt_injection")
                judged.claims[false.number] = None
                return reply._replace(text=injection.says, tool_calls=(), as_is=True)
        return reply


def _then(said: Reply | Work, change: Callable[[Reply], Reply]) -> Reply | Work:
    """A reply that is known, or will be made, changed."""
    if isinstance(said, Reply):
        return change(said)

    def call() -> Reply | Awaitable[Reply]:
        reply = said()
        return changed(reply) if inspect.isawaitable(reply) else change(reply)

    async def changed(reply: Awaitable[Reply]) -> Reply:
        return change(await reply)

    return call


def _seen(request: Request) -> Request:
    """The request as the model reads it."""
    seen = request
    for fault in request.misled:
        if fault.reads is not None:
            seen = fault.reads(copy.copy(seen))
    return seen


def _can_obey(request: Request, injection: Injection) -> bool:
    if not injection.tool:
        return bool(injection.says)
    return injection.tool in request.tools or injection.tool in request.tool_schemas
