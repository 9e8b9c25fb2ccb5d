"""Steps of healthy programs of asyncio; each maker draws the sizes and pauses of one."""

# ruff: noqa: TID251 - drawn outside of any run
from __future__ import annotations

import asyncio
import random

from tests.zoo import healthy
from tests.zoo.asking import CALL_ERRORS, Unusable, ask
from tests.zoo.healthy import Stage, Step
from tests.zoo.streams import request


async def retry(stage: Stage, who: str, text: str, tries: int = 3, pause_s: float = 1.0) -> str:
    """Ask, and ask again after growing pauses; the last error is let through."""
    for attempt in range(1, tries):
        try:
            return await ask(stage.client, who, text)
        except CALL_ERRORS:
            await asyncio.sleep(pause_s * 2**attempt)
    return await ask(stage.client, who, text)


def chain(rng: random.Random) -> Step:
    """One after the other, each tried again."""
    agents, pause_s = rng.sample(healthy.AGENTS, rng.randint(2, 4)), rng.uniform(0.3, 2)

    async def step(stage: Stage) -> None:
        told = "a kite"
        for agent in agents:
            told = await retry(stage, agent, told, pause_s=pause_s)
        stage.note("the chain has an end", holds=told.startswith(agents[-1]))

    return step


def hedge(rng: random.Random) -> Step:
    """A second call if the first is slow; the first good answer counts, and the other is ended."""
    after_s, within_s = rng.uniform(1, 8), rng.uniform(20, 50)

    async def step(stage: Stage) -> None:
        racing = {asyncio.ensure_future(ask(stage.client, "worker", "quick"))}
        answers: list[str] = []
        try:
            for wait_s in (after_s, within_s, within_s):
                done, _ = await asyncio.wait(
                    racing, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
                )
                answers += [
                    it.result() for it in done if not it.cancelled() and it.exception() is None
                ]
                if answers:
                    break
                racing -= done
                racing.add(asyncio.ensure_future(ask(stage.client, "clerk", "quick")))
        finally:
            for loser in racing:
                loser.cancel()
            await asyncio.gather(*racing, return_exceptions=True)
        if not answers:
            raise Unusable("hedge")
        stage.note("the hedge ends with an answer", holds=bool(answers[0]))

    return step


def fan_out(rng: random.Random) -> Step:
    """Many at a time, but not all; each is there or known to be missing."""
    number, width = rng.randint(3, 6), rng.randint(2, 3)

    async def step(stage: Stage) -> None:
        gate = asyncio.Semaphore(width)

        async def one(part: int) -> str:
            async with gate:
                return await ask(stage.client, "worker", f"part {part}")

        ends = await asyncio.gather(*map(one, range(number)), return_exceptions=True)
        good = [end for end in ends if isinstance(end, str)]
        stage.note("parts and failures add up", holds=len(ends) == number)
        stage.note("no permit is lost", holds=not gate.locked())
        if good:
            await retry(stage, "writer", "; ".join(good))

    return step


def work_queue(rng: random.Random) -> Step:
    """Workers on a queue; who fails puts the item back, three times at most."""
    number, workers = rng.randint(3, 6), rng.randint(2, 3)

    async def step(stage: Stage) -> None:
        items: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        for item in range(number):
            items.put_nowait((item, 1))
        done: list[int] = []
        failed: list[int] = []

        async def work() -> None:
            while True:
                item, attempt = await items.get()
                try:
                    await ask(stage.client, "worker", f"item {item}")
                    done.append(item)
                except CALL_ERRORS:
                    if attempt < 3:
                        items.put_nowait((item, attempt + 1))
                    else:
                        failed.append(item)
                finally:
                    items.task_done()

        working = [asyncio.create_task(work()) for _ in range(workers)]
        try:
            await items.join()
        finally:
            for worker in working:
                worker.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        stage.note("each item is done once", holds=sorted(done + failed) == list(range(number)))

    return step


def locked_update(rng: random.Random) -> Step:
    """Several change one number, and hold a lock from reading to writing."""
    number, pause_s = rng.randint(2, 4), rng.uniform(0, 3)

    async def step(stage: Stage) -> None:
        lock = asyncio.Lock()
        total, changes = 0, 0

        async def change(after_s: float) -> None:
            nonlocal total, changes
            await asyncio.sleep(after_s)
            async with lock:
                before = total
                await ask(stage.client, "clerk", f"{before} and one")
                total = before + 1
                changes += 1

        pauses = [pause_s * place for place in range(number)]
        await asyncio.gather(*map(change, pauses), return_exceptions=True)
        stage.note("no update is lost", holds=total == changes)

    return step


def breaker(rng: random.Random) -> Step:
    """Two failures in a row open a breaker; what comes then waits, and is then done or noted."""
    number, rest_s = rng.randint(3, 5), rng.uniform(5, 15)

    async def step(stage: Stage) -> None:
        done: list[int] = []
        skipped: list[int] = []
        failures = 0
        for item in range(number):
            if failures >= 2:
                await asyncio.sleep(rest_s)
                failures = 0
            try:
                await ask(stage.client, "critic", f"item {item}")
                done.append(item)
                failures = 0
            except CALL_ERRORS:
                skipped.append(item)
                failures += 1
        stage.note("each item is done or noted", holds=len(done) + len(skipped) == number)

    return step


def cache(rng: random.Random) -> Step:
    """A page is cached if nothing changed while it was made; failures are not cached."""
    after_s = rng.uniform(0.2, 6)

    async def step(stage: Stage) -> None:
        cached: dict[str, int] = {}
        version = 1

        async def show() -> None:
            of = version
            await retry(stage, "writer", f"version {of}")
            if of == version:
                cached["page"] = of

        async def change() -> None:
            nonlocal version
            await asyncio.sleep(after_s)
            await ask(stage.client, "planner", "a change")
            version += 1
            cached.pop("page", None)

        await asyncio.gather(show(), change(), return_exceptions=True)
        stage.note("the cache is of now", holds=cached.get("page", version) == version)

    return step


def bus(rng: random.Random) -> Step:
    """Topics keep their messages, so that who subscribes late hears of all."""
    number, late_s = rng.randint(2, 4), rng.uniform(0, 9)

    async def step(stage: Stage) -> None:
        kept: list[str] = []
        changed = asyncio.Condition()

        async def publish() -> None:
            for message in range(number):
                try:
                    text = await ask(stage.client, "planner", f"message {message}")
                except CALL_ERRORS:
                    text = "no words"
                async with changed:
                    kept.append(text)
                    changed.notify_all()

        async def hear() -> int:
            await asyncio.sleep(late_s)
            heard = 0
            while heard < number:
                async with changed:
                    while len(kept) <= heard:
                        await changed.wait()
                    message = kept[heard]
                try:
                    await ask(stage.client, "clerk", message)
                except CALL_ERRORS:
                    await asyncio.sleep(0.1)
                heard += 1
            return heard

        _, one, other = await asyncio.gather(publish(), hear(), hear())
        stage.note("all hear all", holds=one == other == number)

    return step


def effect_once(rng: random.Random) -> Step:
    """Charged once, whatever becomes of the receipt."""
    order, pause_s = f"order {rng.randrange(10**9)}", rng.uniform(0.5, 3)

    async def step(stage: Stage) -> None:
        await ask(stage.client, "critic", f"Is {order} fine?")
        await healthy.charge(stage.ledger, order)
        try:
            receipt = await retry(stage, "clerk", order, pause_s=pause_s)
        except CALL_ERRORS:
            receipt = "by post"
        stage.note("there is a receipt", holds=bool(receipt))

    return step


def streamed(rng: random.Random) -> Step:
    """A stream whose every piece has a limit; half a text is no text."""
    limit_s = rng.uniform(15, 30)

    async def step(stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        text, whole = "", False
        try:
            async with asyncio.timeout(limit_s) as limit:
                async with stage.client.messages.stream(**request("writer", "a text")) as stream:
                    async for piece in stream.text_stream:
                        limit.reschedule(loop.time() + limit_s)
                        text += piece
                    final = await stream.get_final_message()
                    whole = final.stop_reason == "end_turn"
        except CALL_ERRORS:
            whole = False
        if whole:
            stage.note("the text is whole", holds=text == "writer says so")

    return step


def in_time(rng: random.Random) -> Step:
    """A deadline with a default."""
    limit_s = rng.uniform(8, 25)

    async def step(stage: Stage) -> None:
        try:
            text = await asyncio.wait_for(ask(stage.client, "writer", "soon"), limit_s)
        except CALL_ERRORS:
            text = "the default"
        stage.note("there is a text", holds=bool(text))

    return step


def group(rng: random.Random) -> Step:
    """All or nothing; what fails ends the others."""
    number = rng.randint(2, 3)

    async def step(stage: Stage) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(retry(stage, "worker", f"part {n}")) for n in range(number)
                ]
        except* CALL_ERRORS:
            parts = []
        stage.note("all or nothing", holds=len(parts) in (0, number))

    return step


def saga(rng: random.Random) -> Step:
    """What was reserved is used or given back, also when words fail."""
    pause_s = rng.uniform(0.1, 2)

    async def step(stage: Stage) -> None:
        reserved = used = 0
        reserved += 1
        try:
            await ask(stage.client, "planner", "use it")
            await asyncio.sleep(pause_s)
            await ask(stage.client, "critic", "Is it used well?")
            used += 1
        except CALL_ERRORS:
            try:
                await ask(stage.client, "clerk", "a letter of regret")
            except CALL_ERRORS:
                await asyncio.sleep(pause_s)
        finally:
            reserved -= 1
        stage.note("nothing stays reserved", holds=reserved == 0 and used in (0, 1))

    return step


def beside_threads(rng: random.Random) -> Step:
    """Work in threads beside a call, with a lock around what is shared."""
    number = rng.randint(2, 4)

    async def step(stage: Stage) -> None:
        counted: list[int] = []

        def count(item: int) -> None:
            with stage.guard:
                counted.append(item)

        work = [asyncio.to_thread(count, item) for item in range(number)]
        await asyncio.gather(ask(stage.client, "worker", "beside"), *work, return_exceptions=True)
        stage.note("all is counted", holds=sorted(counted) == list(range(number)))

    return step


MAKERS = [
    chain, hedge, fan_out, work_queue, locked_update, breaker, cache, bus, effect_once, streamed, in_time, group, saga,
    beside_threads,
]  # fmt: skip
