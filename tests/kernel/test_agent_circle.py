"""Looking for agents that wait for one another, while a run goes on."""

from __future__ import annotations

import asyncio
from types import FrameType

from harness.kernel import Kernel, happened, run
from harness.kernel.agent_circle import Circle, TaskWaits, circle_beside_timers
from harness.kernel.awaited import AnyTask
from harness.kernel.deadlock_report import tasks_in_order


class Watched(TaskWaits):
    """Waits that note whose frames were looked at."""

    def __init__(self) -> None:
        self.seen: list[AnyTask] = []

    def frames(self, doer: AnyTask) -> list[FrameType]:
        self.seen.append(doer)
        return super().frames(doer)


def looked_at(kernel: Kernel, *members: str) -> tuple[Circle | None, Watched]:
    """What is found among a lead and members that wait for a reply, or for the next one's event."""
    waits = Watched()
    found: list[Circle | None] = []
    heard = {name: asyncio.Event() for name in ("analyst", "writer")}

    async def member(name: str, waits_for: str) -> None:
        if waits_for:
            await heard[waits_for].wait()
        else:
            await happened(kernel.env.timeout(10))
        heard[name].set()

    async def main() -> None:
        working = [
            asyncio.create_task(member(name, other), name=name)
            for name, other in zip(heard, members, strict=True)
        ]

        async def look() -> None:
            await asyncio.sleep(1)
            tasks = [it for it in tasks_in_order(asyncio.get_running_loop()) if it is not looking]
            found.append(circle_beside_timers(tasks, lambda _: "", waits, strict=False))
            for one in working:
                one.cancel()

        looking = asyncio.create_task(look())
        await asyncio.gather(*working, looking, return_exceptions=True)

    run(kernel, main())
    return found[0], waits


def test_agents_that_wait_for_replies_are_not_looked_at_further() -> None:
    circle, waits = looked_at(Kernel(), "", "")
    assert circle is None
    assert waits.seen == []


def test_agent_that_waits_for_one_with_a_reply_to_come_is_in_no_circle() -> None:
    assert looked_at(Kernel(), "writer", "")[0] is None


def test_agents_that_wait_for_each_other_are_a_circle() -> None:
    circle, _ = looked_at(Kernel(), "writer", "analyst")
    assert circle is not None
    assert "analyst waits for writer" in circle.words
