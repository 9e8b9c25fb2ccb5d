"""Agents that are right or wrong, read one another, and pass on what they believe.

They are the stubs of error_order.yaml and error_amplification.yaml. All members follow one rule, whatever team they are in. An
agent has a view of its own, which is right with `accuracy`. Of the wrong answers that it reads it notices a share of `notices`,
and forgets those. It gives the answer that most of the others and its own view give; at a tie it goes with what it has read. In
every task one of the members is the faulty one, each in turn, and is wrong with `wrong`, whatever it has read. The numbers
stand in the system prompts.
"""

from __future__ import annotations

import random
import re

from harness.models import Reply, Request

MEMBERS = ("a", "b", "c")
SPEAKERS = ("c", "lead")
"""Who speaks for a team, after reading what others say."""

luck: float | None = None
"""The luck of the run: the first number that its seed gives, whoever is asked first."""


def member(request: Request) -> Reply:
    """An agent's answer to a question; `correct` is said of the answer that the team gives."""
    traits = traits_of(request)
    read = answers_in(request)
    kept = [
        is_right
        for number, is_right in enumerate(read)
        if is_right or chance(request, f"notice {number}") >= traits["notices"]
    ]
    own = chance(request, "view") < traits["accuracy"]
    votes = [*kept, own]
    right = votes.count(True)
    is_right = kept[0] if 2 * right == len(votes) else 2 * right > len(votes)
    task = int(request.key.partition("/")[0])
    is_faulty = request.agent == MEMBERS[task % len(MEMBERS)]
    if is_faulty and chance(request, "fault") < traits["wrong"]:
        is_right = False
    return Reply(said(is_right), correct=is_right if read and request.agent in SPEAKERS else None)


def lead(request: Request) -> Reply:
    """A plan for a task, and an answer when there are results."""
    return (
        member(request) if answers_in(request) else Reply("Answer the question, each for yourself.")
    )


def part(request: Request) -> Reply:
    """One part of an answer, done alone."""
    is_right = chance(request, "view") < traits_of(request)["accuracy"]
    return Reply(said(is_right), correct=is_right if request.agent == "alone" else None)


def collector(request: Request) -> Reply:
    """All parts as they are, which nobody has checked."""
    return whole(answers_in(request))


def checker(request: Request) -> Reply:
    """All parts, each looked at once; of those that are noticed to be wrong, the agent's own view."""
    traits = traits_of(request)
    checked = [
        is_right
        or (
            chance(request, f"notice {number}") < traits["notices"]
            and chance(request, f"view {number}") < traits["accuracy"]
        )
        for number, is_right in enumerate(answers_in(request))
    ]
    return whole(checked)


def whole(parts: list[bool]) -> Reply:
    """An answer of several parts, which is right if all of them are."""
    return Reply("\n".join(map(said, parts)), correct=all(parts))


def said(is_right: bool) -> str:
    """An answer as agents write it."""
    return f"answer: {'right' if is_right else 'wrong'}"


def answers_in(request: Request) -> list[bool]:
    """The answers that an agent reads."""
    return [word == "right" for word in re.findall(r"answer: (right|wrong)", request.prompt)]


def traits_of(request: Request) -> dict[str, float]:
    """The numbers in the system prompt."""
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", request.system)}


def chance(request: Request, what: str) -> float:
    """A number from 0 to 1 that the seed, the task and the agent decide, in whatever team the agent is."""
    global luck
    if luck is None:
        luck = random.random()
    task = request.key.partition("/")[0]
    return random.Random(f"{luck} {task} {request.agent} {what}").random()
