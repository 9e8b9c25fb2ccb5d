"""Faults of tools at work: what happens to each use."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

from harness.agents import Tool, ToolError
from harness.agents.mishap import Mishap
from harness.chance import Draws
from harness.faults.api import ToolFault
from harness.faults.chooser import Chooser
from harness.faults.inject import PlannedFault
from harness.models import ToolCall
from harness.spans import Span, SpanLog


class ToolFaults:
    """The faults of tools of one run.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: Where it is noted that one has met something.
        without_effect: Each tool of a scenario, as it is when it takes no effect.
    """

    def __init__(
        self,
        planned: Sequence[PlannedFault],
        draws: Draws,
        log: SpanLog,
        without_effect: Mapping[str, Tool] | None = None,
    ) -> None:
        self.chooser = Chooser(planned, ToolFault, draws, log)
        self._without_effect = without_effect or {}
        self._last: dict[str, str] = {}
        """What each tool answered at its last use."""

    def mishap(
        self, tool: str, agent: str, customer: str, key: str, span: Span, *, used_before: bool
    ) -> Mishap | None:
        """What happens to a use; None for nothing.

        Args:
            tool: The tool.
            agent: Who uses it.
            customer: Whom its task is for.
            key: Names the draws of the use.
            span: Of the use.
            used_before: Whether the tool has answered before.
        """
        met = self.chooser.occurrence(agent, span.task, customer, key, tool)

        def fits(fault: ToolFault) -> bool:
            return fault.tool in (None, tool) and (used_before or not fault.mishap().is_stale)

        fault = self.chooser.choose(met, fits, span)
        return None if fault is None else fault.mishap()

    async def use(
        self, tool: Tool, call: ToolCall, key: str, span: Span, agent: str, customer: str
    ) -> str:
        """Use a tool of a scenario.

        Raises:
            ToolError: It did not work, or a fault says so.
        """
        name = call.tool
        before = self._last.get(name)
        mishap = self.mishap(name, agent, customer, key, span, used_before=before is not None)
        if mishap is None:
            result = self._last[name] = await tool.use(call, key)
            return result
        if mishap.effects == 0:
            await wait(mishap.wait_s)
            result = await self._without_effect.get(name, tool).use(call, key)
        else:
            keys = [key, *(f"{key}/again{number}" for number in range(1, mishap.effects))]
            result, *_ = await asyncio.gather(*(tool.use(call, each) for each in keys))
            await wait(mishap.wait_s)
        if mishap.error:
            raise ToolError(mishap.error, breaks=mishap.breaks)
        if mishap.is_stale and before is not None:
            return before
        if mishap.result is not None:
            return mishap.result
        self._last[name] = result
        told: str = mishap.altered(result)
        return told


async def wait(for_s: float) -> None:
    """Let time pass; infinity is for ever."""
    if math.isinf(for_s):
        await asyncio.get_running_loop().create_future()
    else:
        await asyncio.sleep(for_s)
