"""The timers of a run lead to latencies: time-outs of others, the very instant of a timer, and not what was cancelled before."""

from __future__ import annotations

import asyncio
import threading

from harness import Choices
from harness.explore.deviation import Latency
from harness.sim import Sim
from tests.zoo.asking import CALL_ERRORS, ask, async_client
from tests.zoo.table import TABLE

ZOO = {bug.name: bug for bug in TABLE}


def test_timer_tells_when_what_it_waited_for_came() -> None:
    async def program() -> None:
        rang = threading.Event()
        threading.Timer(1, rang.set).start()
        await asyncio.to_thread(rang.wait, 30)
        async with asyncio.timeout(30):
            await asyncio.sleep(2)
        await asyncio.sleep(5)

    seen = Choices()
    Sim().run(program, choices=seen)
    ended = {(one.kind, one.due_s): one.cancelled_s for one in seen.timers if one.kind != "sleep"}
    assert ended[("timer", 31.0)] == 3.0
    assert ended[("wait", 30.0)] == 1.0
    assert not any(one.cancelled_s for one in seen.timers if one.fired_s is not None)


def test_call_outlasts_the_patience_of_who_waits_for_it_among_the_first_runs() -> None:
    bug = ZOO["turnstile_given_back_by_who_never_passed"]
    sim = Sim(1)
    bug.describe(sim)
    (finding,) = sim.explore(bug.program, check=bug.check, runs=15, at_most=1).findings
    assert len(finding.overrides) == 1


def test_instant_of_a_timer_is_met_by_a_task_whose_parent_makes_unrelated_calls() -> None:
    bug = ZOO["answered_with_an_apology"]
    sim = Sim(1)
    bug.describe(sim)
    sim.agent("greeter", system="*greeter*", reply="hello", latency_s=1.37)

    async def after_greetings() -> object:
        async with async_client() as client:
            for number in range(3):
                try:
                    await ask(client, "greeter", f"guest {number}")
                except CALL_ERRORS:
                    continue
                finally:
                    await asyncio.sleep(0.113)
        return await bug.program()

    found = sim.explore(after_greetings, check=bug.check, runs=50, wall_s=600, at_most=1)
    ((late,),) = [finding.overrides for finding in found.findings]
    assert isinstance(late, Latency)
    assert late.takes_s == 10.0
