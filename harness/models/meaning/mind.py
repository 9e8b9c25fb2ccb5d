"""How an agent judges: which claims of what it reads its reply carries on, and which it adds.

    prompt -> statements in it -> claims -> noticed, swayed, garbled -> claims of the reply -> text

A reply of an agent with an accuracy makes one claim, or, if its prompt holds claims already, passes those on; each is garbled with
probability `1 - accuracy`. So a pipeline of k agents gives a true claim with probability p^k. An agent without an accuracy passes
on what it reads as it is. A reply that asks for tools makes no claim of its own.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from harness.chance import Draws
from harness.models.api import Content, Injection, Reply, Request, ToolCall, Work
from harness.models.meaning.claims import Claim, Heard, TaskMeaning
from harness.models.meaning.ledger import Ledger
from harness.models.meaning.traits import Traits, is_right, shares_errors

Carried = dict[int, int | None]
"""Each claim with the statement that it was read in; None of one that is new."""


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

    def restore(self, request: Request, reply: Reply, recorded: Any) -> None:  # noqa: ANN401 - JSON
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
        judged = _Judgement(self._draws, self._traits, self._ledger, seen, task, heard).of(reply)
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


class Judged(NamedTuple):
    """What an agent makes of the claims that it reads."""

    claims: Carried
    corrects: frozenset[int] = frozenset()
    """Claims that whoever reads the reply knows to be false."""
    has_noticed: bool = False
    """Whether it has noticed a false claim."""

    def is_wrong(self, task: TaskMeaning) -> bool:
        """Whether it holds a false claim."""
        return any(not task.claim(number).is_true for number in self.claims)


class _Judgement(NamedTuple):
    """The judgement of one reply."""

    draws: Draws
    traits: Traits
    ledger: Ledger
    request: Request
    task: TaskMeaning
    heard: Heard

    def of(self, reply: Reply) -> Judged:
        faults = self.request.misled
        heard: Carried = {} if any(fault.ignores for fault in faults) else dict(self.heard.claims)
        noticed = set() if any(fault.is_blind for fault in faults) else self._noticed(heard)
        speaks = bool(reply.text) and not reply.tool_calls
        if self.traits.sways and speaks:
            claims = self._swayed(heard)
        else:
            claims = self._passed_on(heard, noticed, speaks=speaks)
        for stated in reply.claims:
            claims[self._new(is_true=stated.is_true, cause="stub", text=stated.text)] = None
        for fault in faults:
            if fault.is_false:
                opposed = self._latest_of_another() if fault.opposes else None
                claims[self._new(is_true=False, cause=fault.cause, opposes=opposed)] = None
        if speaks and not claims and self.traits.accuracy is not None:
            claims[self._own()] = None
        return Judged(claims, self.heard.corrects | noticed, bool(noticed))

    def _noticed(self, heard: Carried) -> set[int]:
        """The false claims that it notices, which are not its own words."""
        if not self.traits.catches:
            return set()
        return {
            number
            for number in heard
            if number not in self.heard.own
            and not (claim := self.task.claim(number)).is_true
            and self.draws.uniform(self.request.key, "catches", claim.key) < self.traits.catches
            and not self._shares_error(claim)
        }

    def _shares_error(self, claim: Claim) -> bool:
        """Whether it overlooks an error because its model would have made it too."""
        return claim.cause == "accuracy" and shares_errors(
            self.draws, self.request, self.traits.correlation
        )

    def _passed_on(self, heard: Carried, noticed: set[int], *, speaks: bool) -> Carried:
        """What it reads: corrected where it notices an error, and garbled where it makes one."""
        claims: Carried = {}
        for place, (number, source) in enumerate(heard.items()):
            about = self.task.claim(number).about
            if number in noticed:
                claims[self._new(is_true=True, cause="correction", about=about)] = None
            elif (
                not speaks
                or number in self.heard.own
                or not self.task.claim(number).is_true
                or is_right(self.draws, self.request, self.traits, place) is not False
            ):
                claims[number] = source
            else:
                claims[self._new(is_true=False, cause="accuracy", about=about)] = None
        return claims

    def _swayed(self, heard: Carried) -> Carried:
        """Its own view, or that of the majority of what it reads."""
        read = {number: it for number, it in heard.items() if number not in self.heard.own}
        true = [number for number in read if self.task.claim(number).is_true]
        false = [number for number in read if number not in true]
        if (
            len(true) == len(false)
            or self.draws.uniform(self.request.key, "sways") >= self.traits.sways
        ):
            return {}
        chosen = max(true, false, key=len)[0]
        return {chosen: read[chosen]}

    def _own(self) -> int:
        is_true = is_right(self.draws, self.request, self.traits) is not False
        return self._new(is_true=is_true, cause="accuracy")

    def _latest_of_another(self) -> int | None:
        others = [it.number for it in self.task.claims if it.agent != self.request.agent]
        return others[-1] if others else None

    def _new(
        self,
        *,
        is_true: bool,
        cause: str,
        text: str = "",
        about: int | None = None,
        opposes: int | None = None,
    ) -> int:
        claim = self.ledger.new_claim(
            self.request, is_true=is_true, cause=cause, text=text, about=about, opposes=opposes
        )
        return claim.number


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
