"""`harness.testing.check_pattern`: all of ours pass, and each thing that it looks for is found."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.agents import Message, Task
from harness.patterns import PATTERNS, MemberName, PatternError, Team
from harness.spans import SpanLog
from harness.testing import PatternCheckError, check_pattern
from tests.patterns.test_on_stock_asyncio import PLAYS


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_of_ours_does_what_every_pattern_must(name: str) -> None:
    play = PLAYS[name]
    check_pattern(play.pattern, play.agents, tools={"clock": "noon"}, answer=play.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One after another; a base for patterns that do something wrong."""

    members: tuple[MemberName, ...] = ("a", "b")
    seen: list[str] = field(default_factory=list)

    async def run(self, task: Message, team: Team) -> Message:
        message = task
        for name in self.members:
            message = await team[name].handle(message)
        return message


@dataclass
class Thawed:
    who: str = "a"

    async def run(self, task: Message, team: Team) -> Message:
        return await team[self.who].handle(task)


class Blocking(Row):
    def run(self, task: Message, team: Team) -> Message:  # type: ignore[override]
        raise NotImplementedError


class Textual(Row):
    async def run(self, task: Message, team: Team) -> str:  # type: ignore[override]
        return (await team["a"].handle(task)).text


class OfAnotherTask(Row):
    async def run(self, task: Message, team: Team) -> Message:
        span = SpanLog(lambda: 0.0).open_task("other", 9)
        return Message.of_text(Task(9, "other", span), "a", "hi")


_counter = itertools.count()


class Counting(Row):
    async def run(self, task: Message, team: Team) -> Message:
        answer = await team["a"].handle(task)
        return await team["a"].handle(task) if next(_counter) % 2 else answer


class Remembering(Row):
    async def run(self, task: Message, team: Team) -> Message:
        self.seen.append("x")
        try:
            answer = await team["a"].handle(task)
            return answer if len(self.seen) == 1 else task.reply("a", "busy")
        finally:
            self.seen.pop()


class Growing(Row):
    async def run(self, task: Message, team: Team) -> Message:
        self.seen.append("x")
        return await team["a"].handle(task)


class Prying(Row):
    async def run(self, task: Message, team: Team) -> Message:
        with team["a"].turn(task) as turn:  # type: ignore[attr-defined]  # what it should not use
            return turn.say(await turn.call())  # type: ignore[no-any-return]


class Abrupt(Row):
    async def run(self, task: Message, team: Team) -> Message:
        try:
            return await team["a"].handle(task)
        except Exception as error:
            raise RuntimeError("oh") from error


class Hiding(Row):
    async def run(self, task: Message, team: Team) -> Message:
        try:
            return await team["a"].handle(task)
        except Exception:  # noqa: BLE001 - the mistake
            return await team["b"].handle(task)


class Leaving(Row):
    async def run(self, task: Message, team: Team) -> Message:
        slow = asyncio.ensure_future(team["b"].handle(task))
        answer = await team["a"].handle(task)
        _kept.append(slow)
        return answer


class LeavingWhenGivenUp(Row):
    async def run(self, task: Message, team: Team) -> Message:
        work = [asyncio.ensure_future(team[name].handle(task)) for name in self.members]
        _kept.extend(work)
        done = await asyncio.wait(work)
        return [one.result() for one in work if one in done[0]][-1]


class Failing(Row):
    async def run(self, task: Message, team: Team) -> Message:
        raise PatternError("no")


_kept: list[Any] = []


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Thawed, "it is no frozen dataclass"),
        (Blocking, "it has no method `async def run(self, task, team)`"),
        (Textual, "it returns 'A'"),
        (OfAnotherTask, "its answer is of another task"),
        (Counting, "the same play gives another execution"),
        (Remembering, "two tasks at the same time disturb one another"),
        (Growing, "its record has changed"),
        (Prying, "it does not take a team where an agent could stand"),
        (Abrupt, "when a fails it raises RuntimeError('oh')"),
        (Hiding, "it hides a mistake in the code behind a"),
        (Leaving, "after its answer something goes on"),
        (LeavingWhenGivenUp, "when somebody gives up on the task something goes on"),
        (Failing, "it fails with PatternError('no')"),
    ],
)
def test_what_a_pattern_must_not_do_is_found(kind: type[Any], says: str) -> None:
    with pytest.raises(PatternCheckError) as raised:
        check_pattern(kind(), {"a": "A", "b": "B"})
    assert says in str(raised.value)
    assert "\n  Why: " in str(raised.value)
    assert "\n  How to fix: " in str(raised.value)


def test_answer_is_compared() -> None:
    check_pattern(Row(), {"a": "A", "b": lambda prompt: f"{prompt}!"}, answer="A!")
    with pytest.raises(PatternCheckError, match="it answers 'B', not 'C'"):
        check_pattern(Row(), {"a": "A", "b": "B"}, answer="C")


def test_replies_are_said_one_a_call() -> None:
    check_pattern(Row(members=("a", "a", "a")), {"a": ["1", "2"]}, answer="2")
