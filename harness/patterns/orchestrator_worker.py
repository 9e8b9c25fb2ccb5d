"""Orchestrator and workers: one agent plans, several work concurrently, one combines the results."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message, joined
from harness.models import CALL_ERRORS
from harness.patterns.api import Team
from harness.patterns.nested import MemberName


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorWorker:
    """Plan, work side by side, synthesise."""

    orchestrator: MemberName | None = None
    """Who plans; absent means that the workers get the bare task."""
    workers: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who works; each gets the task and the plan. One may occur more than once."""
    synthesizer: MemberName | None = None
    """Who puts the results together; absent means that they are only joined."""
    on_failure: Literal["fail", "partial", "default"] = "fail"
    """When a worker fails: the task fails and the other workers are cancelled; or the synthesis does without its
    result; or with `default_text` in its place. When all fail, the task fails."""
    default_text: str = "no result"
    """What stands for a result that is missing."""

    async def run(self, task: Message, team: Team) -> Message:
        """Plan, work, and put together."""
        brief: tuple[Message, ...] = (task,)
        if self.orchestrator is not None:
            brief = (task, await team[self.orchestrator].handle(task))
        workers = [asyncio.create_task(team[worker].handle(*brief)) for worker in self.workers]
        results = await (
            _all(workers) if self.on_failure == "fail" else self._those_that_work(task, workers)
        )
        if self.synthesizer is not None:
            return await team[self.synthesizer].handle(*results)
        return joined(results)._replace(sender="team", recipient=task.sender)

    async def _those_that_work(
        self, task: Message, workers: list[asyncio.Task[Message]]
    ) -> list[Message]:
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
        results: list[Message] = []
        failures: list[BaseException] = []
        for worker, outcome in zip(self.workers, outcomes, strict=True):
            if not isinstance(outcome, BaseException):
                results.append(outcome)
                continue
            if not isinstance(outcome, CALL_ERRORS):
                raise outcome
            failures.append(outcome)
            if self.on_failure == "default":
                results.append(Message.of_text(task.task, worker, self.default_text))
        if len(failures) == len(workers):
            raise failures[0]
        return results


async def _all(workers: list[asyncio.Task[Message]]) -> list[Message]:
    try:
        return await asyncio.gather(*workers)
    except BaseException:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise
