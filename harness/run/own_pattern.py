"""A pattern of the user's own module while it runs: what goes wrong in it is told as the user's."""

from __future__ import annotations

from harness.agents import Message
from harness.errors import HarnessError
from harness.models import CALL_ERRORS
from harness.patterns import Member, Pattern, PatternError, Team
from harness.patterns.own import OwnPattern
from harness.scenario.functions import find_function
from harness.virtual.tracebacks import place_of


class Members(dict[str, Member]):
    """The members of a team, by name."""

    def __missing__(self, name: str) -> Member:
        raise HarnessError(
            f"a pattern asks for {name!r}, and there is no such member of the team; known are {', '.join(self)}\n"
            "  How to fix: annotate the field that names it as `harness.patterns.MemberName`, so that the file is checked"
        )


def made(pattern: Pattern) -> Pattern:
    """The pattern that runs for one of a scenario."""
    return _Watched(pattern) if isinstance(pattern, OwnPattern) else pattern


class _Watched:
    """A pattern of the user's own module; its class is the one of the run.

    Args:
        kept: What the scenario keeps of it.
    """

    def __init__(self, kept: OwnPattern) -> None:
        self._name = kept.name
        self._pattern = kept.made(find_function)

    async def run(self, task: Message, team: Team) -> Message:
        """Run it.

        Raises:
            ModelError: As it raises it; so with the other simulated errors.
            HarnessError: It raises what no pattern may raise, or returns no message.
        """
        try:
            answer = await self._pattern.run(task, team)
        except (*CALL_ERRORS, PatternError, HarnessError):
            raise
        except Exception as error:
            place = place_of(error)
            where = f"\n  Where: {place}" if place else ""
            raise HarnessError(
                f"a task of the pattern {self._name!r} failed with {error!r}{where}\n"
                "  How to fix: mend it; what a task may fail with is a subclass of `harness.patterns.PatternError`"
            ) from error
        if not isinstance(answer, Message):
            raise HarnessError(
                f"the pattern {self._name!r} returns {answer!r}, which is no message\n"
                "  How to fix: return what an agent said, or `task.reply(sender, text)`"
            )
        return answer
