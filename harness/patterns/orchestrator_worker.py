"""Orchestrator and workers: one agent plans, several work concurrently, one combines the results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from harness.agents import Message, joined
from harness.agents.reading import fields, items
from harness.models import error_name
from harness.patterns.aggregators import AnyAggregator
from harness.patterns.api import PatternError, Team, post
from harness.patterns.decisions import TEAM, beginning
from harness.patterns.dependencies import check_dependencies, numbered, read_after
from harness.patterns.nested import MemberName
from harness.patterns.pool import Assignment, Pool
from harness.patterns.side_by_side import MEMBER_ERRORS, Outcome
from harness.units import Count, PositiveSeconds

OnFailure = Literal["fail", "partial", "default"]


class PlanUnusable(PatternError):  # noqa: N818 - names the condition
    """The plan has no subtasks, too many, one for which there is no worker, or some that wait for one another."""


class Subtask(NamedTuple):
    """A piece of the work."""

    role: str
    """Who is to do it; empty where any worker can."""
    text: str
    """What is to be done; empty where that is the whole task."""
    after: tuple[int, ...] = ()
    """The subtasks that it waits for, 1 for the first; it is told their results."""


_WHOLE = Subtask("", "")
"""The whole task, for any worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorWorker:
    """Plan, work side by side, synthesise."""

    orchestrator: MemberName | None = None
    """Who plans; absent means that the workers get the bare task."""
    workers: tuple[MemberName, ...] = ()
    """Who works. Without `tasks` each gets the task and the plan, and one may occur more than once."""
    roles: Mapping[str, tuple[MemberName, ...]] = field(default_factory=dict)
    """The workers of each role. A subtask that begins with a role, such as `style: check the names`, goes to one of them, and
    any other to one of `workers`."""
    tasks: Literal["from_plan"] | tuple[str, ...] | None = None
    """The subtasks: a list, or `from_plan` for the list that the orchestrator writes; absent means that every worker gets the
    whole task. A subtask may say which others it waits for, as in `write the tests (after 1, 2)`."""
    max_tasks: Count = 20
    """Most subtasks of a plan; a longer one fails the task."""
    assign: Assignment = "round_robin"
    """Which worker gets a subtask: the next in turn, for whom it waits if need be, or the first who has the least to do."""
    at_once: Count = 1
    """How many subtasks a worker has at the same time; the others wait."""
    synthesizer: MemberName | None = None
    """Who puts the results together; absent means that they are only joined."""
    aggregate: AnyAggregator | None = None
    """How the results become one where no synthesizer does it, such as `{majority: {}}` for workers that may disagree."""
    on_failure: OnFailure = "fail"
    """When a worker fails: the task fails and the other workers are cancelled; or the synthesis does without its
    result; or with `default_text` in its place. When all fail, the task fails."""
    default_text: str = "no result"
    """What stands for a result that is missing."""
    synthesise_after_s: PositiveSeconds | None = None
    """When to go on with the results that are there [s], counted from the end of the plan; who still works is cancelled, and his
    result is missing. With no result at all the task fails."""
    progress_to: MemberName | None = None
    """Who finds an update in the mailbox for each result that comes, and reads them at the next turn."""

    def __post_init__(self) -> None:
        if not self.workers and not self.roles:
            raise ValueError("there is nobody in `workers` or `roles`")
        if self.roles and self.tasks is None:
            raise ValueError("`roles` needs `tasks`: which subtasks there are")
        if self.tasks == "from_plan" and self.orchestrator is None:
            raise ValueError("`tasks: from_plan` needs an `orchestrator` who writes the plan")
        if self.aggregate is not None and self.synthesizer is not None:
            raise ValueError("give one of `synthesizer` and `aggregate`")
        for role, members in self.roles.items():
            if not members:
                raise ValueError(f"there is nobody in role {role!r}")
        if isinstance(self.tasks, tuple):
            self._checked([self._subtask(text) for text in self.tasks], ValueError)

    async def run(self, task: Message, team: Team) -> Message:
        """Plan, work, and put together.

        Raises:
            PlanUnusable: The plan has no subtasks, too many, one for which there is no worker, or some that wait for one
                another.
        """
        plan = None
        if self.orchestrator is not None:
            plan = await team[self.orchestrator].handle(task)
        work = _Work(self, task, plan, team)
        results = await work.results(self._subtasks(plan))
        if self.aggregate is not None:
            return await self.aggregate.combine(task, results, team)
        if self.synthesizer is not None:
            return await team[self.synthesizer].handle(*results)
        whole = joined(results)
        return whole._replace(sender=TEAM, recipient=task.sender, number=task.task.next_message())

    def _subtasks(self, plan: Message | None) -> list[Subtask]:
        if self.tasks is None:
            return [_WHOLE] * len(self.workers)
        if self.tasks != "from_plan":
            return [self._subtask(text) for text in self.tasks]
        assert plan is not None, "there is an orchestrator"
        found = [self._subtask(text) for text in items(plan.text)]
        return self._checked(found, PlanUnusable, beginning(plan.text))

    def _subtask(self, text: str) -> Subtask:
        """Read a line such as `style: check the names`, or a JSON object with `role` and `task`."""
        text, after = read_after(text)
        said = fields(text) if text.startswith("{") else {}
        role, colon, rest = text.partition(":")
        if "task" in said:
            role, text = str(said.get("role", "")), str(said["task"])
            colon, rest = ":", text
        known = {name.casefold(): name for name in self.roles}.get(role.strip(" *_`").casefold())
        if colon and known:
            return Subtask(known, rest.strip(), after)
        return Subtask("", text, after)

    def _checked(
        self, subtasks: list[Subtask], error: type[Exception], plan: str = ""
    ) -> list[Subtask]:
        said = f": {plan!r}" if plan else ""
        if not subtasks:
            raise error(f"there are no subtasks{said}")
        if len(subtasks) > self.max_tasks:
            raise error(f"{len(subtasks)} subtasks are more than {self.max_tasks}{said}")
        for role, text, _ in subtasks:
            if not role and not self.workers:
                raise error(f"no role is named by the subtask {beginning(text)!r}{said}")
        check_dependencies(numbered([subtask.after for subtask in subtasks]), error)
        return subtasks


class _Work:
    """The subtasks of one task, until their results are there."""

    def __init__(
        self, pattern: OrchestratorWorker, task: Message, plan: Message | None, team: Team
    ) -> None:
        self._pattern = pattern
        self._task = task
        self._plan = plan
        self._team = team
        self._outcomes: dict[int, Outcome] = {}
        self._workers: dict[int, str] = {}
        self._have_ended: list[asyncio.Event] = []

    async def results(self, subtasks: Sequence[Subtask]) -> list[Message]:
        """Let the workers work, and give what there is to put together, in the order of the subtasks."""
        of = len(subtasks)
        if self._pattern.tasks is None:
            work = [
                self._ask(place, worker, subtasks[place], of)
                for place, worker in enumerate(self._pattern.workers)
            ]
        else:
            pools = self._pools()
            self._have_ended = [asyncio.Event() for _ in subtasks]
            work = [
                self._assigned(place, subtask, of, pools[subtask.role])
                for place, subtask in enumerate(subtasks)
            ]
        await _ended([asyncio.create_task(one) for one in work], self._pattern.synthesise_after_s)
        found = [self._result(place, subtask) for place, subtask in enumerate(subtasks)]
        if not any(isinstance(outcome, Message) for outcome in self._outcomes.values()):
            failures = (it for it in self._outcomes.values() if isinstance(it, Exception))
            raise next(failures, TimeoutError())
        return [result for result in found if result is not None]

    def _pools(self) -> dict[str, Pool]:
        """Those who can do the subtasks of each role; of the empty role, those without one."""
        pattern = self._pattern
        members = {**pattern.roles, "": pattern.workers}
        return {role: Pool(them, pattern.assign, pattern.at_once) for role, them in members.items()}

    async def _assigned(self, place: int, subtask: Subtask, of: int, pool: Pool) -> None:
        """Wait for the subtasks that come before it, and for a worker, and let it work."""
        for number in subtask.after:
            await self._have_ended[number - 1].wait()
        async with pool.member() as worker:
            await self._ask(place, worker, subtask, of)
        self._have_ended[place].set()

    async def _ask(self, place: int, worker: str, subtask: Subtask, of: int) -> None:
        """Let a worker work, keep what comes of it, and tell of it."""
        pattern = self._pattern
        self._workers[place] = worker
        try:
            self._outcomes[place] = await self._team[worker].handle(*self._brief(subtask, worker))
        except MEMBER_ERRORS as error:
            if pattern.on_failure == "fail":
                raise
            self._outcomes[place] = error
        if pattern.progress_to is not None:
            outcome = self._outcomes[place]
            how = "done" if isinstance(outcome, Message) else error_name(outcome)
            text = f"{len(self._outcomes)} of {of}: {worker}: {how}"
            update = self._task.reply(worker, text, recipient=pattern.progress_to, type="update")
            post(self._team[pattern.progress_to], update)

    def _brief(self, subtask: Subtask, worker: str) -> list[Message]:
        """What a worker is told: the task, and the plan or a piece of it."""
        if not subtask.text:
            return [self._task] if self._plan is None else [self._task, self._plan]
        order = self._plan or self._task
        asked = order.reply(
            self._pattern.orchestrator or TEAM, subtask.text, recipient=worker, type="request"
        )
        before = [self._outcomes[number - 1] for number in subtask.after]
        return [self._task, *(it for it in before if isinstance(it, Message)), asked]

    def _result(self, place: int, subtask: Subtask) -> Message | None:
        """What stands in the synthesis for a subtask; None for nothing."""
        pattern, outcome = self._pattern, self._outcomes.get(place)
        if isinstance(outcome, Message):
            if not subtask.text:
                return outcome
            return outcome.headed(f"{subtask.text}: ")
        worker = self._workers.get(place, TEAM)
        if pattern.on_failure == "default":
            return Message.of_text(self._task.task, worker, pattern.default_text, type="error")
        if not subtask.text:
            return None
        why = "not there in time" if outcome is None else error_name(outcome)
        return Message.of_text(
            self._task.task, worker, f"{subtask.text}: no result ({why})", type="error"
        )


async def _ended(working: list[asyncio.Task[None]], after_s: float | None) -> None:
    """Wait until all have ended, one has failed, or the time is over [s]; then end the others."""
    deadline = None if after_s is None else asyncio.timeout(after_s)
    try:
        if deadline is None:
            await asyncio.gather(*working)
        else:
            async with deadline:
                await asyncio.gather(*working)
    except TimeoutError:
        if deadline is None or not deadline.expired():
            raise
    finally:
        left = [one for one in working if not one.done()]
        for one in left:
            one.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
