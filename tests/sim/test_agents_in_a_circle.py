"""Agents of a program that wait for one another are named, each with whom it waits for since when, also beside timers that go on."""

# ruff: noqa: ASYNC110 - programs as users write them
from __future__ import annotations

import asyncio
import queue
import threading
import time  # noqa: TID251 - as the programs under test do
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import pytest

from harness.errors import Deadlock, LimitExceeded
from harness.sim import Sim

Program = Callable[[], Coroutine[Any, Any, Any]]

NEXT = {"analyst": "critic", "critic": "writer", "writer": "analyst"}

IN_A_CIRCLE = (
    "analyst waits for critic's reply since 1.000000 s, critic for writer's since 2.000000 s, "
    "writer for analyst's since 3.000000 s"
)
AT_ONCE = IN_A_CIRCLE.replace("1.0", "0.0").replace("2.0", "0.0").replace("3.0", "0.0")
BY_EVENT = ", ".join(
    f"{one}{' waits' if one == 'analyst' else ''} for {other} (Event `done['{other}']`) since 1.000000 s"
    for one, other in NEXT.items()
)


def team() -> Sim:
    sim = Sim(1)
    for name in NEXT:
        sim.agent(name, system=f"*{name}*", reply=f"{name} says", latency_s=1.0, allow_unused=True)
    return sim


async def think(agent: str, text: str) -> str:
    anthropic = pytest.importorskip("anthropic")
    message = await anthropic.AsyncAnthropic().messages.create(
        model="claude-sonnet-4-6",
        max_tokens=99,
        system=f"You are the {agent}.",
        messages=[{"role": "user", "content": text}],
    )
    return str(message.content[0].text)


async def beat(every_s: float = 5.0) -> None:
    while True:
        await asyncio.sleep(every_s)


def asking(
    answer: Literal["inbox", "future", "queue"], every_s: float = 0, patience_s: float | None = None
) -> Program:
    """Each agent thinks about what it is asked, and asks the next before it answers."""

    async def main() -> None:
        inbox: dict[str, asyncio.Queue[Any]] = {name: asyncio.Queue() for name in NEXT}

        async def agent(who: str) -> None:
            text = "Ulm?"
            if who != "analyst":
                text, _ = await inbox[who].get()
            await think(who, text)
            async with asyncio.timeout(patience_s):
                await ask(who)

        async def ask(who: str) -> None:
            other = inbox[NEXT[who]]
            if answer == "inbox":
                await other.put(("help me", None))
                while (await inbox[who].get())[0] != "here you are":
                    pass
            elif answer == "future":
                reply = asyncio.get_running_loop().create_future()
                await other.put(("help me", reply))
                await reply
            else:
                replies: asyncio.Queue[str] = asyncio.Queue()
                await other.put(("help me", replies))
                await replies.get()

        beating = asyncio.create_task(beat(every_s)) if every_s else None
        await asyncio.gather(*(agent(name) for name in NEXT))
        assert beating is None

    return main


async def objects_with_mailboxes() -> Any:  # noqa: ANN401 - never given
    class Agent:
        def __init__(self, name: str) -> None:
            self.name = name
            self.inbox: asyncio.Queue[Any] = asyncio.Queue()
            self.peers: dict[str, Agent] = {}

        async def request(self, other: str, text: str) -> Any:  # noqa: ANN401 - never given
            reply = asyncio.get_running_loop().create_future()
            await self.peers[other].inbox.put((text, reply))
            return await reply

        async def run(self) -> None:
            while True:
                text, reply = await self.inbox.get()
                reply.set_result(await self.request(NEXT[self.name], text))

    agents = {name: Agent(name) for name in NEXT}
    for agent in agents.values():
        agent.peers = agents
    running = [asyncio.create_task(agent.run()) for agent in agents.values()]
    reply = asyncio.get_running_loop().create_future()
    await agents["analyst"].inbox.put(("Ulm?", reply))
    return await reply, running


async def results_that_depend_on_one_another() -> None:
    done = {name: asyncio.Event() for name in NEXT}

    async def agent(name: str) -> None:
        await asyncio.sleep(1)
        await done[NEXT[name]].wait()
        done[name].set()

    async with asyncio.TaskGroup() as group:
        for name in NEXT:
            group.create_task(agent(name))


async def a_ring_that_runs_dry() -> None:
    inbox: dict[str, asyncio.Queue[int]] = {name: asyncio.Queue() for name in NEXT}

    async def agent(name: str) -> None:
        while True:
            hops = await inbox[name].get()
            if hops:
                await inbox[NEXT[name]].put(hops - 1)

    await inbox["analyst"].put(3)
    await asyncio.gather(*(agent(name) for name in NEXT))


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (asking("inbox"), IN_A_CIRCLE),
        (asking("future"), IN_A_CIRCLE),
        (asking("queue"), IN_A_CIRCLE),
        (objects_with_mailboxes, AT_ONCE),
        (results_that_depend_on_one_another, BY_EVENT),
        (a_ring_that_runs_dry, AT_ONCE),
    ],
)
def test_circle_is_named_with_times(program: Program, named: str) -> None:
    sim = team()
    with pytest.raises(Deadlock) as caught:
        sim.run(program)
    assert caught.value.report.splitlines()[0] == f"  agents: {named}"
    assert sim.tell_failure(caught.value).splitlines()[0].endswith(f": {named}")
    events = [
        row for row in sim.last_run.events_table.rows("name", "detail") if row[0] == "deadlock"
    ]
    assert events == [("deadlock", named)]


@pytest.mark.parametrize(
    ("answer", "every_s"),
    [("inbox", 60.0), ("inbox", 3600.0), ("future", 0.5), ("future", 3600.0), ("queue", 5.0)],
)
def test_timer_that_still_ticks_does_not_hide_it(
    answer: Literal["inbox", "future", "queue"], every_s: float
) -> None:
    sim = team()
    with pytest.raises(Deadlock, match="agents wait for one another, and only timers go on") as caught:  # fmt: skip
        sim.run(asking(answer, every_s))
    assert caught.value.report.splitlines()[0] == f"  agents: {IN_A_CIRCLE}"
    assert "(beat) waits for" in caught.value.report
    assert (
        sim.last_run.latency_s < 2_000 * every_s
    )  # also beside the idle thread that a client has left


def test_circle_beside_a_main_task_that_ticks_is_named_at_the_horizon() -> None:
    async def main() -> None:
        working = asyncio.create_task(asking("inbox")())
        while not working.done():
            await asyncio.sleep(600)

    sim = team()
    with pytest.raises(LimitExceeded) as caught:
        sim.run(main)
    assert f"  agents: {IN_A_CIRCLE}" in str(caught.value)
    assert ("deadlock", IN_A_CIRCLE) in list(sim.last_run.events_table.rows("name", "detail"))


def test_agent_that_died_is_no_part_of_a_circle_that_is_only_likely() -> None:
    """Who waits for the dead is not said to wait for the idle one who has written to it last."""

    async def main() -> None:
        inbox: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue() for name in NEXT}

        async def agent(name: str) -> None:
            while True:
                text = await inbox[name].get()
                if name == "critic":
                    raise ValueError("no ink")
                await inbox["analyst"].put(f"{name}: {text}")

        working = [asyncio.create_task(agent(name)) for name in ("critic", "writer")]
        for name in ("critic", "writer"):
            await inbox[name].put("Ulm?")
        for _ in range(2):
            await inbox["analyst"].get()
        assert working

    sim = team()
    with pytest.raises(Deadlock) as caught:
        sim.run(main)
    assert "agents:" not in caught.value.report
    assert (
        sim.tell_failure(caught.value)
        .splitlines()[0]
        .endswith("(agent) has failed with ValueError: no ink (exception not retrieved)")
    )


# -- threads ----------------------------------------------------------------------------------------------------------


def threads(answer: Literal["inbox", "queue"], ticking: bool = False) -> Callable[[], None]:
    """The same with a thread for each agent, and blocking clients."""

    def main() -> None:
        inbox: dict[str, queue.Queue[Any]] = {name: queue.Queue() for name in NEXT}

        def agent(who: str) -> None:
            text = "Ulm?" if who == "analyst" else inbox[who].get()[0]
            asyncio.run(think(who, text))  # noqa: TID251 - as such programs do
            replies = inbox[who] if answer == "inbox" else queue.Queue()
            inbox[NEXT[who]].put(("help me", replies))
            while replies.get()[0] != "here you are":
                pass

        def tick() -> None:
            while True:
                time.sleep(60)

        working = [threading.Thread(target=agent, args=(name,)) for name in NEXT]
        if ticking:
            threading.Thread(target=tick).start()
        for one in working:
            one.start()
        for one in working:
            one.join()

    return main


@pytest.mark.parametrize("answer", ["inbox", "queue"])
@pytest.mark.parametrize("ticking", [False, True])
def test_circle_of_threads_is_named_too(
    answer: Literal["inbox", "queue"],
    ticking: bool,
) -> None:
    sim = team()
    with pytest.raises(Deadlock) as caught:
        sim.run(threads(answer, ticking))
    assert caught.value.report.splitlines()[0] == f"  agents: {IN_A_CIRCLE}"


# -- healthy ----------------------------------------------------------------------------------------------------------


def test_who_gives_up_after_a_time_is_in_no_circle() -> None:
    with pytest.raises(TimeoutError):
        team().run(asking("future", 1.0, patience_s=100_000.0))


def test_who_gives_up_after_a_time_of_anyio_is_in_no_circle() -> None:
    anyio = pytest.importorskip("anyio")

    async def main() -> None:
        beating = asyncio.create_task(beat(1.0))
        with anyio.fail_after(100_000.0):
            await asking("future")()
        beating.cancel()

    with pytest.raises(TimeoutError):
        team().run(main)


def test_who_is_given_up_by_a_supervisor_is_in_no_circle() -> None:
    async def main() -> str:
        working = asyncio.create_task(asking("inbox")())

        async def supervise() -> None:
            for _ in range(50_000):
                await asyncio.sleep(1)
            working.cancel()

        supervising = asyncio.create_task(supervise())
        await asyncio.wait([working])
        return f"given up at {asyncio.get_running_loop().time():g} s, {supervising.done()}"

    assert team().run(main).output == "given up at 50000 s, True"


def test_idle_agents_that_wait_for_work_of_a_timer_are_in_no_circle() -> None:
    async def main() -> int:
        inbox: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue() for name in NEXT}
        done = 0

        async def agent(name: str) -> None:
            nonlocal done
            while True:
                text = await inbox[name].get()
                await think(name, text)
                done += 1
                if text == "Ulm?":
                    await inbox[NEXT[name]].put("Tell nobody.")

        async def every_day() -> None:
            for _ in range(3):
                for name in NEXT:
                    await inbox[name].put("Ulm?")
                for _ in range(86_400 // 20):
                    await asyncio.sleep(20)

        serving = [asyncio.create_task(agent(name)) for name in NEXT]
        await asyncio.gather(every_day())
        for one in serving:
            one.cancel()
        return done

    assert team().run(main).output == 18
