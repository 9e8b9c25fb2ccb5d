"""The claims of one task: who made them, which replies carry them, and the way of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from harness.models.api import Injection, Reply, Request
from harness.models.meaning.spoken import Spoken
from harness.models.meaning.traced import TracedClaim
from harness.models.phrases import words_in


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that is true or false."""

    number: int
    """Its number in its task, from 1."""
    is_true: bool
    agent: str
    """Who made it."""
    call: int
    """span_id of the call in whose reply it was made."""
    at_s: float
    """When that reply was made [s]."""
    cause: str
    """Why it is as it is: `accuracy`, `stub`, `correction`, or the name of a fault."""
    key: str
    """Key of the draws about it."""
    about: int
    """Number of the first claim about the same: of a corrected or garbled claim, the one that it was made of."""
    text: str = ""
    """Its words; empty if it is a whole reply."""
    opposes: int | None = None
    """Number of the claim that it contradicts."""


@dataclass(slots=True)
class Statement:
    """A reply, or a stated claim in it, and the claims that it carries."""

    agent: str
    call: str
    """Key of its call; samples of one call have keys of their own."""
    span: int
    """span_id of its call."""
    claims: dict[int, int | None] = field(default_factory=dict)
    """Each claim with the statement that it was read in; None of one that was made here."""
    corrects: frozenset[int] = frozenset()
    """Claims that whoever reads it knows to be false."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The claims that a prompt holds."""

    claims: dict[int, int]
    """Each with the statement that it was read in."""
    own: frozenset[int]
    """Those that the agent said itself, earlier in the conversation."""
    corrects: frozenset[int]
    """Claims that the prompt says to be false."""
    statements: tuple[int, ...]


class TaskMeaning:
    """What was claimed in one task."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.claims: list[Claim] = []
        self.injections: list[Injection] = []
        self._spoken = Spoken()
        self._statements: list[Statement] = []
        self._of_call: dict[str, list[int]] = {}
        self._worded: set[int] = set()
        """Statements that are one stated claim of a reply."""
        self._replies: dict[str, dict[str, Reply]] = {}
        self._obeyed: dict[tuple[str, Injection], str] = {}

    def claim(self, number: int) -> Claim:
        """The claim of a number."""
        return self.claims[number - 1]

    def hear(self, request: Request) -> Heard:
        """Read a prompt."""
        own = self._spoken.found_in(_own_words(request))
        others = self._spoken.read(told(request))
        found = sorted({*own, *others})
        claims, corrects = self._claims_in(found)
        from_others = {claim for it in others for claim in self._statements[it].claims}
        return Heard(claims, frozenset(claims.keys() - from_others), corrects, tuple(found))

    def _claims_in(self, statements: Iterable[int]) -> tuple[dict[int, int], frozenset[int]]:
        """The claims of some statements, of several about the same the latest; and those that are known to be false."""
        statements = self._one_of_each_call(statements)
        corrects = frozenset().union(*(self._statements[it].corrects for it in statements))
        found: dict[int, tuple[int, int]] = {}
        for number in statements:
            for claim in self._statements[number].claims:
                if claim not in corrects:
                    found[self.claim(claim).about] = claim, number
        return dict(found.values()), corrects

    def recorded(self, request: Request) -> object:
        """The claims of the reply to a request, by their keys, as JSON."""
        new = [it for it in self.claims if it.call == request.call_span.span_id]
        return [
            [
                [
                    it.key, it.is_true, it.at_s, it.cause, it.text, self.claim(it.about).key,
                    None if it.opposes is None else self.claim(it.opposes).key,
                ]
                for it in new
            ],
            [
                [[[self.claim(number).key, self._call_of(source)] for number, source in it.claims.items()], self._keys(it.corrects), place in self._worded]
                for place in self._of_call.get(request.key, ())
                for it in [self._statements[place]]
            ],
        ]  # fmt: skip

    def restore(self, request: Request, reply: Reply, recorded: object) -> None:
        """Note a reply with the claims that were recorded of it."""
        heard = self.hear(request)
        numbers = {claim.key: claim.number for claim in self.claims}
        new, statements = cast("list[Any]", recorded)
        for key, is_true, at_s, cause, text, about, opposes in new:
            number = numbers[key] = len(self.claims) + 1
            self.claims.append(
                Claim(
                    number, is_true, request.agent, request.call_span.span_id, at_s, cause, key, numbers[about], text,
                    numbers.get(opposes),
                )
            )  # fmt: skip
        self._replies.setdefault(request.agent, {})[request.key] = reply
        for claims, corrects, is_worded in statements:
            carried = {numbers[key]: self._carrier(numbers[key], call) for key, call in claims}
            text = self.claim(next(iter(carried))).text if is_worded else _text_of(reply)
            known = frozenset(numbers[key] for key in corrects)
            self._state(request, heard, text, carried, known, is_worded=is_worded)

    def _call_of(self, statement: int | None) -> str | None:
        return None if statement is None else self._statements[statement].call

    def _carrier(self, claim: int, call: str | None) -> int | None:
        """The statement of a call that carries a claim."""
        carriers = self._of_call.get(call or "", ())
        return next((it for it in carriers if claim in self._statements[it].claims), None)

    def _keys(self, numbers: Iterable[int]) -> list[str]:
        return [self.claim(number).key for number in sorted(numbers)]

    def _one_of_each_call(self, statements: Iterable[int]) -> list[int]:
        """Of samples of one call with equal texts, one that is as true as most of them."""
        of_calls: dict[int, dict[str, list[int]]] = {}
        for number in statements:
            said = self._statements[number]
            of_calls.setdefault(said.span, {}).setdefault(said.call, []).append(number)
        found: list[int] = []
        for samples in of_calls.values():
            votes = [self._is_true(sample) for sample in samples.values()]
            most = votes.count(True) * 2 > len(votes) or (
                votes.count(False) * 2 == len(votes) and votes[0]
            )
            found += list(samples.values())[votes.index(most)]
        return sorted(found)

    def _is_true(self, statements: Iterable[int]) -> bool:
        return all(
            self.claim(it).is_true
            for number in statements
            for it in self._statements[number].claims
        )

    def arrived(self, request: Request, text: str) -> list[Statement]:
        """The statements in the reply to a request, of which another text arrived."""
        numbers = self._of_call.get(request.key, ())
        for number in numbers:
            self._spoken.said(number, text, ())
        return [self._statements[number] for number in numbers]

    def earlier(self, agent: str, key: str) -> Sequence[Reply]:
        """The replies of an agent before a call."""
        return [reply for call, reply in self._replies.get(agent, {}).items() if call != key]

    def say(
        self,
        request: Request,
        heard: Heard,
        reply: Reply,
        claims: dict[int, int | None],
        corrects: frozenset[int],
    ) -> None:
        """Note a reply and the claims that it carries; that of a retry takes the place of the one before."""
        self._replies.setdefault(request.agent, {})[request.key] = reply
        for number in self._of_call.pop(request.key, ()):
            self._statements[number].claims.clear()
        text = _text_of(reply)
        words = {
            number: claim.text
            for number in claims
            if (claim := self.claim(number)).text and claim.text in text
            and claim.call == request.call_span.span_id
        }  # fmt: skip
        for number, said in words.items():
            self._state(request, heard, said, {number: None}, frozenset(), is_worded=True)
        whole = {number: source for number, source in claims.items() if number not in words}
        if whole or corrects or not words:
            self._state(request, heard, text, whole, corrects, is_worded=False)

    def _state(
        self,
        request: Request,
        heard: Heard,
        text: str,
        claims: dict[int, int | None],
        corrects: frozenset[int],
        *,
        is_worded: bool,
    ) -> None:
        number = len(self._statements)
        if is_worded:
            self._worded.add(number)
        self._statements.append(
            Statement(request.agent, request.key, request.call_span.span_id, claims, corrects)
        )
        self._of_call.setdefault(request.key, []).append(number)
        self._spoken.said(number, text, heard.statements)

    def obeys(self, request: Request, injection: Injection) -> bool:
        """Whether an agent reads an instruction that it has not obeyed before; from now on it has."""
        if self._obeyed.get((request.agent, injection), request.key) != request.key:
            return False
        wanted = " ".join(words_in(injection.text))
        if any(wanted in " ".join(words_in(text)) for text in told(request)):
            self._obeyed[request.agent, injection] = request.key
            return True
        return False

    def traced(self, output: Iterable[str]) -> list[TracedClaim]:
        """All claims of the task with their ways, in the order in which they were made.

        Args:
            output: The texts of the task's output.
        """
        last: dict[int, int] = {}
        for number, statement in enumerate(self._statements):
            last.update(dict.fromkeys(statement.claims, number))
        ends, _ = self._claims_in(self._spoken.found_in(output))
        return [
            TracedClaim(
                self.number, claim.is_true, claim.agent, claim.call, claim.at_s, claim.cause, claim.text,
                tuple(self._way(claim.number, ends.get(claim.number, last[claim.number]))),
                claim.number in ends,
                "" if claim.opposes is None else self.claim(claim.opposes).agent,
            )
            for claim in self.claims
            if claim.number in last
        ]  # fmt: skip

    def _way(self, claim: int, end: int) -> list[str]:
        way: list[str] = []
        at: int | None = end
        while at is not None:
            way.append(self._statements[at].agent)
            at = self._statements[at].claims.get(claim)
        return way[::-1]


def _text_of(reply: Reply) -> str:
    return reply.text or "\n".join(json.dumps(it.arguments) for it in reply.tool_calls)


def told(request: Request) -> Iterator[str]:
    """The texts of a prompt, except the model's own replies."""
    yield request.system
    for said in request.conversation:
        if said.role != "assistant":
            yield said.text
        for result in said.tool_results:
            yield result.text


def _own_words(request: Request) -> Collection[str]:
    return [said.text for said in request.conversation if said.role == "assistant"]
