"""Members of a team that work at the same time, and what came of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence

from harness.agents import Message
from harness.models import CALL_ERRORS
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import TEAM
from harness.state import StateError

MEMBER_ERRORS = (*CALL_ERRORS, PatternError, StateError)
"""What a member of a team may fail with; every other error is a bug."""

Outcome = Message | Exception
"""What came of one member's work; an exception is one of `MEMBER_ERRORS`."""


async def side_by_side(
    work: Sequence[Coroutine[object, None, Message]], *, enough: int | None = None
) -> dict[int, Outcome]:
    """Let members work at the same time.

    Args:
        work: What each one does.
        enough: How many messages are wanted. Once they are there, or can no longer be reached, the others are cancelled.
            None waits for all.

    Returns:
        What came of each one that came to an end, by its place in `work`, in the order of the ends.
    """
    ended: asyncio.Queue[tuple[int, Outcome]] = asyncio.Queue()
    outcomes: dict[int, Outcome] = {}
    tasks = [asyncio.create_task(_work_on(place, one, ended)) for place, one in enumerate(work)]
    try:
        left, missing = len(tasks), enough
        while left and (missing is None or 0 < missing <= left):
            place, outcome = await ended.get()
            if isinstance(outcome, Exception) and not isinstance(outcome, MEMBER_ERRORS):
                raise outcome
            outcomes[place] = outcome
            left -= 1
            if missing is not None and isinstance(outcome, Message):
                missing -= 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in work:
            one.close()  # a task that was cancelled before its first step has not begun it
    return outcomes


async def _work_on(
    place: int, work: Coroutine[object, None, Message], ended: asyncio.Queue[tuple[int, Outcome]]
) -> None:
    try:
        outcome: Outcome = await work
    except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
        outcome = error
    ended.put_nowait((place, outcome))


async def all_of(work: Sequence[Coroutine[object, None, Message]]) -> list[Message]:
    """Let members work at the same time, and do without none.

    Returns:
        Their messages, in the order of `work`.

    Raises:
        ModelError: One of them failed; the others are cancelled. So with the other errors.
        TimeoutError: See above.
        PatternError: See above.
    """
    outcomes = await side_by_side(work, enough=len(work))
    raise_first_failure(outcomes)
    return messages(outcomes)


def messages(outcomes: Mapping[int, Outcome]) -> list[Message]:
    """The messages among outcomes, in the order in which their senders were listed."""
    return [said for _, said in sorted(outcomes.items()) if isinstance(said, Message)]


def raise_first_failure(outcomes: Mapping[int, Outcome]) -> None:
    """Raise the failure that happened first, if any did."""
    for outcome in outcomes.values():
        if isinstance(outcome, Exception):
            raise outcome


async def joined(task: Message, answers: Sequence[Message], team: Team, by: str | None) -> Message:
    """Several answers as one.

    Args:
        task: What was asked for.
        answers: What came of it.
        team: Who can help.
        by: Who puts them together; None means that they are only joined.
    """
    if by is not None:
        return await team[by].handle(task, *answers)
    text = "\n\n".join(answer.text for answer in answers)
    return answers[-1].reply(
        TEAM, text, sum(answer.tokens for answer in answers), recipient=task.sender
    )
