"""Programs that survive that anything is late, but not two things; and one that is late after a fault."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Fault, Late, planted


def merge_was_reviewed(output: dict[str, Any]) -> None:
    assert not output["merged"] or output["reviews"], f"merged without a review: {output}"


@planted(
    "pair of latencies",
    Late("security", 1, 31.0),
    Late("style", 1, 32.0),
    agents={
        "security": {"reply": "approve", "latency_s": 6.0},
        "style": {"reply": "approve", "latency_s": 9.0},
        "merger": {"reply": "merged", "latency_s": 2.0},
    },
    check=merge_was_reviewed,
)
async def merged_by_nobody(fixed: bool) -> dict[str, Any]:
    """Those who have not reviewed after thirty seconds are not waited for, and all who have must approve."""
    async with async_client() as client:
        reviewing = [
            asyncio.create_task(ask(client, who, "the change")) for who in ("security", "style")
        ]
        done, pending = await asyncio.wait(reviewing, timeout=30)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        reviews = [task.result() for task in reviewing if task in done]
        approved = all(review == "approve" for review in reviews) and (bool(reviews) or not fixed)
        if approved:
            await ask(client, "merger", "merge it")
        return {"merged": approved, "reviews": reviews}


def hedge_ends_with_an_answer(output: dict[str, Any]) -> None:
    assert output["answer"], f"no answer: {output}"


@planted(
    "pair of latencies",
    Late("quick", 1, 30.0),
    Late("spare", 1, 20.0),
    agents={
        "quick": {"reply": "forty-two", "latency_s": 3.0},
        "spare": {"reply": "about forty", "latency_s": 6.0},
        "teller": {"reply": "told", "latency_s": 1.0},
    },
    check=hedge_ends_with_an_answer,
    depth=2,
    by_check=False,
)
async def hedge_without_a_winner(fixed: bool) -> dict[str, Any]:
    """After five seconds a second model is asked as well; the first of both that answers within fifteen more is taken."""
    async with openai_client() as client:
        racing = [asyncio.create_task(ask(client, "quick", "the question"))]
        done, pending = await asyncio.wait(racing, timeout=5)
        if not done:
            racing.append(asyncio.create_task(ask(client, "spare", "the question")))
            done, pending = await asyncio.wait(
                racing, timeout=15, return_when=asyncio.FIRST_COMPLETED
            )
        for loser in pending:
            loser.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if fixed and not done:
            raise TimeoutError
        answer = done.pop().result()
        await ask(client, "teller", answer)
        return {"answer": answer}


def ore_is_of_the_last_order(output: dict[str, Any]) -> None:
    assert output["result"] == f"ore {output['order']}", f"the result of an older order: {output}"


@planted(
    "pair of latencies",
    Late("miner", 1, 45.0),
    Late("miner", 2, 30.0),
    agents={
        "miner": {"reply": lambda call: f"ore {call.prompt}", "latency_s": 5.0},
        "smelter": {"reply": "iron", "latency_s": 4.0},
    },
    check=ore_is_of_the_last_order,
    depth=2,
)
async def lease_of_a_namesake(fixed: bool) -> dict[str, Any]:
    """Work whose lease of 20 s runs out goes to the other of two miners; a result counts if it is of the miner who holds it."""
    held: dict[str, Any] = {"by": "", "order": 0, "result": None}
    finished = asyncio.Event()

    async with async_client() as client:

        async def mine(who: str, order: int) -> None:
            ore = await ask(client, "miner", str(order))
            holds = held["order"] == order if fixed else held["by"] == who
            if holds and not finished.is_set():
                held["result"] = ore
                finished.set()

        miners = []
        for order in range(1, 6):
            held.update(by=("left", "right")[order % 2], order=order)
            miners.append(asyncio.create_task(mine(held["by"], order)))
            try:
                await asyncio.wait_for(finished.wait(), 20)
                break
            except TimeoutError:
                continue
        for miner in miners:
            miner.cancel()
        await asyncio.gather(*miners, return_exceptions=True)
        if not finished.is_set():
            raise TimeoutError
        await ask(client, "smelter", held["result"])
        return {"result": held["result"], "order": held["order"]}


def badge_is_valid_when_shown(output: dict[str, Any]) -> None:
    assert output["age_s"] <= 60, f"a badge was shown after it had expired: {output}"


@planted(
    "pair of latencies",
    Late("renewer", 1, 40.0),
    Late("negotiator", 1, 70.0),
    agents={
        "issuer": {"reply": "badge", "latency_s": 2.0},
        "renewer": {"reply": "new badge", "latency_s": 3.0},
        "negotiator": {"reply": "a good price", "latency_s": 50.0},
    },
    check=badge_is_valid_when_shown,
)
async def badge_that_has_expired(fixed: bool) -> dict[str, Any]:
    """A badge is valid for a minute and renewed every 45 seconds; it is shown when the negotiation ends."""
    loop = asyncio.get_running_loop()
    badge: dict[str, Any] = {}

    async with async_client() as client:
        name = await ask(client, "issuer", "a badge, please")
        badge.update(name=name, since_s=loop.time())

        async def keep_fresh() -> None:
            while True:
                await asyncio.sleep(45)
                badge.update(name=await ask(client, "renewer", "again"), since_s=loop.time())

        fresh = asyncio.create_task(keep_fresh())
        price = await ask(client, "negotiator", "a kite")
        if fixed and loop.time() - badge["since_s"] > 60:
            badge.update(name=await ask(client, "issuer", "a new one"), since_s=loop.time())
        shown = {"price": price, "age_s": loop.time() - badge["since_s"]}
        fresh.cancel()
        await asyncio.gather(fresh, return_exceptions=True)
        return shown


def outage_has_an_answer(output: dict[str, Any]) -> None:
    assert output["answer"] is not None, f"nothing was said to the customer: {output}"


@planted(
    "fault and latency",
    Fault("helper", 1),
    Late("apologist", 1, 12.0),
    agents={
        "helper": {"reply": "Turn it off and on.", "latency_s": 4.0},
        "apologist": {"reply": "We are sorry.", "latency_s": 2.0},
        "archivist": {"reply": "filed", "latency_s": 1.0},
    },
    check=outage_has_an_answer,
    depth=2,
)
async def apology_that_comes_late(fixed: bool) -> dict[str, Any]:
    """If the helper fails, a model words an apology; it has ten seconds, and then there is none."""
    answer = None
    async with async_client() as client:
        try:
            answer = await ask(client, "helper", "It does not work.")
        except CALL_ERRORS:
            try:
                answer = await asyncio.wait_for(ask(client, "apologist", "Say sorry."), 10)
            except TimeoutError:
                if fixed:
                    answer = "Please call again."
            except CALL_ERRORS:
                answer = "We are out of order."
        await ask(client, "archivist", str(answer))
    return {"answer": answer}


def standby_and_leader_do_not_both_write(output: dict[str, Any]) -> None:
    writers = output["log"]
    assert len(writers) == len({step for step, _ in writers}), f"a step by two leaders: {writers}"


@planted(
    "fault and latency",
    Fault("leader", 2),
    Late("standby", 1, 16.0),
    agents={
        "leader": {"reply": "written", "latency_s": 3.0},
        "standby": {"reply": "written", "latency_s": 4.0},
        "auditor": {"reply": "seen", "latency_s": 2.0},
    },
    check=standby_and_leader_do_not_both_write,
    depth=2,
)
async def two_leaders(fixed: bool) -> dict[str, Any]:
    """A leader that fails rests for fifteen seconds; the standby does its step meanwhile, and is not asked whether it has done so."""
    log: list[tuple[int, str]] = []
    done: set[int] = set()

    async with openai_client() as client:

        async def write(who: str, step: int) -> None:
            await ask(client, who, f"step {step}")
            if not fixed or step not in done:
                log.append((step, who))
            done.add(step)

        for step in range(3):
            try:
                await write("leader", step)
            except CALL_ERRORS:
                standing_in = asyncio.create_task(write("standby", step))
                await asyncio.sleep(15)
                if step not in done:
                    try:
                        await write("leader", step)
                    except CALL_ERRORS:
                        log.append((-1 - step, "nobody"))
                await asyncio.gather(standing_in, return_exceptions=True)
        await ask(client, "auditor", str(log))
    return {"log": log}
