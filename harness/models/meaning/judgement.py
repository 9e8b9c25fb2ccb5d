"""What an agent makes of the claims that it reads: noticed, swayed, garbled, passed on, and its own.

A reply of an agent with an accuracy makes one claim, or, if its prompt holds claims already, passes those on; each is garbled with
probability `1 - accuracy`. So a pipeline of k agents gives a true claim with probability p^k. An agent without an accuracy passes
on what it reads as it is. A reply that asks for tools makes no claim of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.chance import Draws
from harness.models.api import Reply, Request
from harness.models.meaning.claims import Claim, Heard, TaskMeaning
from harness.models.meaning.ledger import Ledger
from harness.models.meaning.traits import Traits, is_right, shares_errors

Carried = dict[int, int | None]
"""Each claim with the statement that it was read in; None of one that is new."""


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


class Judgement(NamedTuple):
    """The judgement of one reply."""

    draws: Draws
    traits: Traits
    ledger: Ledger
    request: Request
    task: TaskMeaning
    heard: Heard

    def of(self, reply: Reply) -> Judged:
        """The claims of a reply."""
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
