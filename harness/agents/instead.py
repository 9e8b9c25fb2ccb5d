"""Who answers in place of an agent: an instance of its role, a new version, its fallback, or a person."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from harness.agents.message import Task
from harness.chance import Draws
from harness.models import Reply
from harness.provider.tokens import count_tokens
from harness.resilience import Balancer, Desk, Health, Policies, Release
from harness.resilience.balance import BALANCED
from harness.resilience.health import SKIPPED
from harness.resilience.rollout import NEW_VERSION, ROLLED_BACK
from harness.spans import CANCELLED, ESCALATED, OK, WAIT, Span, SpanLog


class Asked(Protocol):
    """The turn for which there must be an answer."""

    task: Task
    span: Span


TurnT = TypeVar("TurnT", bound=Asked)
Asked_contra = TypeVar("Asked_contra", bound=Asked, contravariant=True)


class Answerer(Protocol[Asked_contra]):
    """Somebody who answers in a turn of somebody else."""

    async def answer(self, turn: Asked_contra) -> Reply:
        """Call its model once, under its own policies, or let somebody else do it."""

    async def answer_itself(self, turn: Asked_contra) -> Reply:
        """Call its model once, under its own policies."""


class Instead(Generic[TurnT]):
    """Decides for each call of an agent whether somebody else makes it.

    Args:
        agent: The agent's name.
        policies: Its policies.
        health: Its health, if its policies have one.
        log: Where it is noted.
        draws: Source of random values.
    """

    def __init__(
        self, agent: str, policies: Policies, health: Health | None, log: SpanLog, draws: Draws
    ) -> None:
        self.others: Mapping[str, Answerer[TurnT]] = {}
        """Those who may answer, by name; set when all agents are made."""
        self._agent = agent
        self._log = log
        self._draws = draws
        self._release = None if policies.rollout is None else Release(policies.rollout)
        self._balancer = None if policies.balance is None else Balancer(policies.balance)
        self._health = health
        self._fallback = policies.fallback
        self._calls = 0

    def is_needed(self) -> bool:
        """Whether anybody else can answer by these policies; a fallback after a failure is not among them."""
        return not (self._release is None and self._balancer is None and self._health is None)

    def names(self) -> list[str]:
        """Those who may answer."""
        release, balancer = self._release, self._balancer
        found = [] if release is None else [release.stated.to]
        found += [] if balancer is None else balancer.names
        return found if self._fallback is None else [*found, self._fallback]

    async def answer(self, turn: TurnT) -> Reply | None:
        """The reply of whoever makes the call in place of the agent; None if the agent itself does.

        Raises:
            ModelError: The other's call failed for good.
            TimeoutError: It took too long.
        """
        self._calls += 1
        if self._release is not None and self._is_new(turn, self._release):
            return await self._by_new(turn, self._release)
        if self._balancer is not None:
            name = self._balancer.choose(self._luck(turn, "balance"))
            self._log.event(BALANCED, turn.span, name, self._agent)
            other = self.others[name]
            ask = other.answer_itself if name == self._agent else other.answer
            with self._balancer.used(name):
                return await ask(turn)
        health = self._health
        if health is not None and self._luck(turn, "health") >= health.share:
            self._log.event(SKIPPED, turn.span, f"{health.score:.3f}", self._agent)
            assert self._fallback is not None
            return await self.others[self._fallback].answer(turn)
        return None

    def _is_new(self, turn: TurnT, release: Release) -> bool:
        share = release.share(self._log.clock())
        return self._draws.uniform("rollout", self._agent, turn.task.number) < share

    async def _by_new(self, turn: TurnT, release: Release) -> Reply:
        self._log.event(NEW_VERSION, turn.span, release.stated.to, self._agent)
        succeeded = False
        try:
            reply = await self.others[release.stated.to].answer(turn)
            succeeded = True
        except asyncio.CancelledError:
            succeeded = True  # nobody knows
            raise
        finally:
            if release.note(succeeded=succeeded):
                self._log.event(ROLLED_BACK, turn.span, release.stated.to, self._agent)
        return reply

    def _luck(self, turn: TurnT, what: str) -> float:
        return self._draws.uniform(
            turn.task.number, self._agent, turn.task.count(f"{what} of {self._agent}"), what
        )


async def decided(desk: Desk, agent: str, turn: Asked, log: SpanLog) -> Reply:
    """Bring a case to people, and wait for the answer: first for somebody to look, then for the decision.

    Args:
        desk: Where they are.
        agent: Who could not answer.
        turn: Of which task.
        log: Where it is noted.
    """
    now_s = log.clock()
    visit = desk.visit(now_s)
    log.event(ESCALATED, turn.span, "", agent)
    for name, end_s in (("attention", visit.start_s), ("person", visit.end_s)):
        span = log.open(WAIT, name, turn.span, agent)
        status = CANCELLED
        try:
            await asyncio.sleep(end_s - log.clock())
            status = OK
        finally:
            log.close(span, status)
    return Reply(desk.stated.text, output_tokens=count_tokens(desk.stated.text))


def needs_turn(policies: Policies) -> bool:
    """Whether a policy must know the turn of a request."""
    has_critic = policies.validate is not None and policies.validate.critic is not None
    return has_critic or policies.task_deadline_s is not None or policies.default_answer is not None
