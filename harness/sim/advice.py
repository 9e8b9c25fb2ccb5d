"""Messages of failed assertions, with advice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from harness.sim.call_view import CallView


def calls_in_words(number: int) -> str:
    """So many calls."""
    return f"{number} {'call' if number == 1 else 'calls'}"


def unheard(
    agent: str, source: str, heard: Sequence[str], calls: int, replied: int
) -> tuple[str, str]:
    """Why no prompt of an agent has text of another one's reply, and what to do about it."""
    if not replied:
        return (
            f"agent {agent!r} read no text of {source!r}, which gave no reply",
            f"How to fix: see below why {source!r} did not reply.",
        )
    if not calls:
        return (
            f"agent {agent!r} read no text of {source!r}, because {agent!r} was never called",
            f"How to fix: call {agent!r} with the reply of {source!r}.",
        )
    others = f"only from {', '.join(heard)}" if heard else "from no other agent's reply"
    return (
        f"agent {agent!r} read no text of {source!r}: its prompts have text {others}",
        f"How to fix: put the reply of {source!r} into the prompt of {agent!r}.",
    )


def one_after_another(calls: Sequence[CallView], wanted: int) -> list[str]:
    """Why calls did not go on at once, as far as that can be seen, and what to do about it."""
    if len(calls) < wanted:
        return [f"How to fix: see below why there are no {wanted} calls."]
    pairs = pairwise(sorted(calls, key=lambda call: call.start_s))
    found = next(((one, then) for one, then in pairs if then.start_s >= one.end_s), None)
    told = []
    if found is not None:
        one, then = found
        told.append(
            f"call {then.ordinal} of {then.agent} began at {then.start_s:.3f} s, and call {one.ordinal} of {one.agent} had "
            f"ended at {one.end_s:.3f} s"
        )
    told.append(
        "How to fix: start the calls together, with asyncio.gather or a TaskGroup, instead of one after the other; and see "
        f"that no semaphore, pool or lock lets fewer than {wanted} through."
    )
    return told


def most_at_once(calls: Sequence[CallView]) -> int:
    """How many of some calls went on at the same time."""
    points = sorted(
        point
        for call in calls
        for point in ((call.start_s, 1), (math.inf if math.isnan(call.end_s) else call.end_s, -1))
    )
    most = now = 0
    for _, change in points:  # at one instant ends come before beginnings
        now += change
        most = max(most, now)
    return most
