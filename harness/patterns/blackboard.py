"""Members read a shared board and write on it, until one of them has the answer.

Hayes-Roth, "A blackboard architecture for control", Artificial Intelligence 26(3), 1985.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import choice
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import ask
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import all_of
from harness.state import AnyDiscipline, Optimistic, SharedState
from harness.units import Count

BOARD = "board"
QUESTION = "Add what you know to the board, or begin with solved and the answer."


class Unsolved(PatternError):  # noqa: N818 - names the condition
    """Nobody has the answer after the last round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackboard:
    """In each round, all agents read the board and add to it, concurrently; a reply that begins with `solved` is the answer."""

    members: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who reads and writes; each gets the task and the board."""
    state: AnyDiscipline = Optimistic()
    """What happens when several write at once; absent means `optimistic`."""
    max_rounds: Count = 3
    """Most rounds."""
    on_exhausted: Literal["fail", "board"] = "fail"
    """When there is no answer after the last round: the task fails, or the board is the answer."""

    async def run(self, task: Message, team: Team) -> Message:
        """Read and write until there is an answer.

        Returns:
            The reply that begins with `solved`; of several the one that is listed first.

        Raises:
            Unsolved: Nobody has the answer.
            StateError: A write was given up.
        """
        log = task.task.log
        board = task.task.sharing(self.state.open(log, None if log is None else task.task.span))
        for _ in range(self.max_rounds):
            replies = await all_of([_turn(name, task, board, team) for name in self.members])
            for reply in replies:
                if choice(reply.text, ["solved"]) is not None:
                    return reply
        if self.on_exhausted == "fail":
            raise Unsolved(f"nobody has the answer after {self.max_rounds} rounds")
        return task.reply(BOARD, board.read(BOARD, BOARD).value)


async def _turn(name: str, task: Message, board: SharedState, team: Team) -> Message:
    """Let a member read and write once; its reply is the last one that it gave, whose writing was not refused."""
    replies: list[Message] = []

    async def think(value: str) -> str:
        seen = [task.reply(BOARD, value, type="update", recipient=name)] if value else []
        replies.append(await team[name].handle(task, *seen, ask(task, QUESTION)))
        return replies[-1].text

    await board.update(BOARD, name, think)
    return replies[-1]
