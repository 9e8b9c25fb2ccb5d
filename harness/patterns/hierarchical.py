"""Managers of managers: each passes on what it was asked, and sums up what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from harness.agents import Message
from harness.agents.reading import items
from harness.fields import OrRecord
from harness.patterns.api import PatternError, Team
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import messages, raise_first_failure, side_by_side


class NotEnoughItems(PatternError):  # noqa: N818 - names the condition
    """A manager's plan has another number of items than there are reports to do them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A manager and those who report to it."""

    manager: MemberName
    """Who plans for its reports, and sums up what they say."""
    reports: Annotated[tuple[AnyReport, ...], MinLen(1)]
    """Those who work for it: agents, or managers with reports of their own."""


AnyReport = Annotated[
    str | Branch, OrRecord(value=MemberName, record=Branch, key="manager", unless="pattern")
]
"""The name of an agent, or a mapping with a manager and its reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchical:
    """The task goes down level by level, and the results come up; what a manager leaves out is lost on the way."""

    manager: MemberName
    """Who is at the top."""
    reports: Annotated[tuple[AnyReport, ...], MinLen(1)]
    """Those who work for it: agents, or mappings with `manager` and `reports`, to any depth."""
    passes: Literal["plan", "task_and_plan"] = "plan"
    """What a report is told: what its manager says, or also what the manager itself was told."""
    split: bool = False
    """Whether each report gets one item of the manager's list, in order; else each gets all of it."""
    on_failure: Literal["fail", "partial"] = "fail"
    """When a report fails: its manager fails too, and the others below are cancelled; or the manager sums up without it. When
    all of its reports fail, the manager does."""

    async def run(self, task: Message, team: Team) -> Message:
        """Pass the task down, and the results up.

        Raises:
            NotEnoughItems: With `split` a manager has not one item for each report.
        """
        return await self._lead(Branch(manager=self.manager, reports=self.reports), (task,), team)

    async def _lead(self, branch: Branch, told: Sequence[Message], team: Team) -> Message:
        """Plan, let the reports work side by side, and sum up."""
        plan = await team[branch.manager].handle(*told)
        orders = [(plan,)] * len(branch.reports)
        if self.split:
            orders = [(item,) for item in self._items(plan, branch)]
        above = tuple(told) if self.passes == "task_and_plan" else ()
        outcomes = await side_by_side(
            [
                self._work(report, (*above, *order), team)
                for report, order in zip(branch.reports, orders, strict=True)
            ],
            enough=len(branch.reports) if self.on_failure == "fail" else None,
        )
        results = messages(outcomes)
        if self.on_failure == "fail" or not results:
            raise_first_failure(outcomes)
        return await team[branch.manager].handle(*results)

    async def _work(self, report: str | Branch, told: Sequence[Message], team: Team) -> Message:
        if isinstance(report, Branch):
            return await self._lead(report, told, team)
        return await team[report].handle(*told)

    def _items(self, plan: Message, branch: Branch) -> list[Message]:
        found = items(plan.text)
        if len(found) != len(branch.reports):
            raise NotEnoughItems(
                f"{branch.manager} has {len(found)} items for {len(branch.reports)} reports"
            )
        return [plan.reply(branch.manager, item, type="request", recipient="") for item in found]
