"""Attempts that rate limits refused: whose they were, and which limit refused them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from harness.metrics.tally import RATE_LIMITED
from harness.rate_limits import in_words
from harness.spans import ATTEMPT, Table


class Refusals(NamedTuple):
    """The attempts of one agent that one limit refused."""

    agent: str
    limit: str
    """Its name, such as `output_tokens_per_min`; empty where it is not known."""
    attempts: int

    def __str__(self) -> str:
        noun = "attempt" if self.attempts == 1 else "attempts"
        return f"{self.agent}: {self.attempts:,} {noun} refused by {limit_told(self.limit)}"


def limit_told(limit: str) -> str:
    """A limit as a part of a sentence: `the limit of output tokens a minute`."""
    return f"the limit of {in_words(limit)}" if limit else "a rate limit"


def refusals(spans: Table, *, warmup_tasks: int = 0) -> list[Refusals]:
    """Count the attempts that were refused with a 429, the most frequent first.

    Args:
        spans: The spans of a run.
        warmup_tasks: How many of the first tasks are left out.
    """
    found = Counter(
        (agent, limit)
        for kind, task, agent, error, limit in spans.rows(
            "kind", "task", "agent", "error", "limited_by"
        )
        if kind == ATTEMPT and task > warmup_tasks and (limit or error == RATE_LIMITED)
    )
    ranked = sorted(found.items(), key=lambda it: (-it[1], it[0]))
    return [Refusals(agent, limit, count) for (agent, limit), count in ranked]
