"""Majority of several samples: the same question is asked several times at once, and the most frequent reply taken.

(Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", ICLR 2023.)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from harness.models import CALL_ERRORS, Reply, Request
from harness.resilience.api import Call, PolicyError
from harness.resilience.branches import branch
from harness.spans import SpanLog
from harness.units import Count

VOTED = "voted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """How many replies vote. Texts that differ in spaces and in upper and lower case alone are the same.

    Where the scenario states an accuracy, a right and a wrong reply are not the same whatever their texts are, as with a question
    that has two answers.
    """

    count: Annotated[int, Ge(2), Le(1000)] = 3
    """How often to ask."""
    agree: Count | None = None
    """Least number of samples that agree, or the call fails with `no_majority`; absent means that the most frequent reply will do,
    of several the one that was asked for first."""

    def __post_init__(self) -> None:
        if self.agree is not None and self.agree > self.count:
            raise ValueError(f"{self.count} samples are never {self.agree} that agree")


class NoMajority(PolicyError):  # noqa: N818 - names the condition
    """Too few samples agree."""


def majority(replies: Sequence[Reply], agree: int | None = None) -> Reply:
    """The most frequent of some replies.

    Args:
        replies: At least one.
        agree: How many must agree; None means any number.

    Raises:
        NoMajority: Too few agree.
    """
    votes = Counter(map(_answer, replies))
    chosen, count = votes.most_common(1)[0]
    if agree is not None and count < agree:
        raise NoMajority("no_majority", message=f"{count} of {len(replies)} agree, not {agree}")
    return next(reply for reply in replies if _answer(reply) == chosen)


def _answer(reply: Reply) -> tuple[str, bool | None, str]:
    return " ".join(reply.text.casefold().split()), reply.correct, repr(reply.tool_calls)


def with_samples(call: Call, samples: Samples | None, log: SpanLog) -> Call:
    """Ask several times at once, and take the reply that most samples give. A sample that fails has no vote.

    Args:
        call: A call with its retries.
        samples: How many; None leaves the call as it is.
        log: Where the votes are noted.
    """
    if samples is None:
        return call

    async def call_samples(request: Request) -> Reply:
        copies = [branch(request, f"sample {number}") for number in range(1, samples.count + 1)]
        for number, copy in enumerate(copies, 1):
            copy.sample = number
        asked = [asyncio.create_task(_outcome(call, copy)) for copy in copies]
        try:
            outcomes = await asyncio.gather(*asked)
        finally:
            left = [one for one in asked if not one.done()]
            for one in left:
                one.cancel()
            if left:
                await asyncio.gather(*left, return_exceptions=True)
            request.cost_usd += sum(copy.cost_usd for copy in copies)
        replies = [one for one in outcomes if isinstance(one, Reply)]
        if not replies:
            raise next(one for one in outcomes if isinstance(one, Exception))
        reply = majority(replies, samples.agree)
        votes = sum(_answer(one) == _answer(reply) for one in replies)
        log.event(VOTED, request.call_span, f"{votes} of {samples.count}")
        if reply.correct is not None:
            request.call_span.correct = int(reply.correct)
        return reply

    return call_samples


async def _outcome(call: Call, request: Request) -> Reply | Exception:
    try:
        return await call(request)
    except CALL_ERRORS as error:
        return error
