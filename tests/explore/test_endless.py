# ruff: noqa: ASYNC110 - programs as their authors write them
"""What goes on for ever is cut at a bound relative to the passing run, and what only takes long is not."""

from __future__ import annotations

import asyncio
import contextlib

import anthropic

from harness.explore.exploration import Exploration
from harness.explore.observation import Bounds
from harness.sim import Sim


async def ask(client: anthropic.AsyncAnthropic, what: str = "Go.") -> None:
    await client.messages.create(
        model="claude-haiku-4-5", max_tokens=50, messages=[{"role": "user", "content": what}]
    )


async def polls(step_s: float, catches: bool) -> None:
    """Looks for a flag that a worker sets; one that fails does not, unless it catches its errors."""
    flag = asyncio.Event()

    async def work() -> None:
        async with anthropic.AsyncAnthropic(api_key="test", max_retries=0) as client:
            with contextlib.suppress(*([anthropic.APIError] if catches else [])):
                await ask(client)
            flag.set()

    working = asyncio.create_task(work())
    while not flag.is_set():
        await asyncio.sleep(step_s)
    await working


async def spins() -> None:
    """Gives way again and again once the call has failed."""
    async with anthropic.AsyncAnthropic(api_key="test", max_retries=0) as client:
        try:
            await ask(client)
        except anthropic.APIError:
            while True:
                await asyncio.sleep(0)


async def beats() -> None:
    """A heartbeat goes on while the program waits for what nobody does any more."""
    done = asyncio.Event()

    async def beat() -> None:
        while True:
            await asyncio.sleep(0.01)

    async def work() -> None:
        async with anthropic.AsyncAnthropic(api_key="test", max_retries=0) as client:
            with contextlib.suppress(anthropic.APIError):
                await ask(client)
                done.set()

    beating = asyncio.create_task(beat())
    working = asyncio.create_task(work())
    await done.wait()
    beating.cancel()
    await working


def explored(program: object, *args: object, faults: tuple[str, ...]) -> Exploration:
    sim = Sim(1)
    sim.agent("x", reply="done", latency_s=1.0)
    return sim.explore(program, *args, runs=6, at_most=1, faults=faults)  # type: ignore[arg-type]  # a program


def test_a_poll_of_what_never_comes_is_cut_after_steps_and_not_at_the_horizon() -> None:
    (finding,) = explored(polls, 0.1, False, faults=("overloaded",)).findings
    assert finding.kind == "livelock"
    assert "idle_instants exceeded: more than 2000" in finding.message


def test_a_poll_beside_a_call_that_hangs_is_no_livelock() -> None:
    found = explored(polls, 0.05, True, faults=("hang",))
    assert not found.findings
    assert not found.not_reproducible


def test_what_gives_way_for_ever_at_one_instant_is_cut() -> None:
    (finding,) = explored(spins, faults=("overloaded",)).findings
    assert "steps_per_instant exceeded: more than 10000" in finding.message


def test_a_heartbeat_beside_what_waits_for_ever_is_cut() -> None:
    (finding,) = explored(beats, faults=("overloaded",)).findings
    assert "more than 2000" in finding.message


def test_bounds_are_wider_but_for_those_that_are_known_to_be_passed() -> None:
    bounds = Bounds(horizon_s=10.0, calls=2, idle_instants=30, steps=40)
    assert bounds.times(4) == Bounds(40.0, 8, 120, 160)
    assert bounds.times(4, but={"calls_per_task", "horizon_s"}) == Bounds(10.0, 2, 120, 160)


async def watches() -> str:
    """A watcher is asked every few seconds for as long as another call takes, which is an hour if its answers never come."""
    client = anthropic.AsyncAnthropic(api_key="test")

    async def work() -> str:
        for _ in range(2):
            with contextlib.suppress(anthropic.APIError):
                await ask(client, "Work.")
                return "done"
        return "given up"

    working = asyncio.create_task(work())
    while not working.done():
        await ask(client, "Watch.")
        await asyncio.wait([working], timeout=5)
    return await working


def test_calls_beside_one_that_hangs_are_no_livelock() -> None:
    sim = Sim()
    sim.agent(
        "worker", when=lambda request: request.prompt == "Work.", reply="done", latency_s=11.0
    )
    sim.agent(
        "watcher",
        when=lambda request: request.prompt == "Watch.",
        reply="all is well",
        latency_s=2.0,
    )
    assert sim.explore(watches, faults=["hang"], runs=40).findings == ()
