# ruff: noqa: ANN401, SIM105, N818, TID251 - programs as their authors write them
"""Small programs with one planted mistake each, and the same programs without it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import anthropic

from harness.sim import Sim


class Unanswered(Exception):
    """No usable answer."""


async def ask(
    client: anthropic.AsyncAnthropic, who: str, text: str, timeout_s: float | None = None
) -> str:
    try:
        async with asyncio.timeout(timeout_s):
            answer: Any = await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=200,
                system=f"You are the {who}.",
                messages=[{"role": "user", "content": text}],
            )
    except (anthropic.APIError, ValueError, TimeoutError) as error:
        raise Unanswered(who) from error
    if not answer.content or answer.stop_reason != "end_turn":
        raise Unanswered(who)
    return str(answer.content[0].text)


def ask_blocking(client: anthropic.Anthropic, who: str, text: str) -> str:
    try:
        answer: Any = client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=200,
            system=f"You are the {who}.",
            messages=[{"role": "user", "content": text}],
        )
    except (anthropic.APIError, ValueError) as error:
        raise Unanswered(who) from error
    if not answer.content or answer.stop_reason != "end_turn":
        raise Unanswered(who)
    return str(answer.content[0].text)


Agents = dict[str, tuple[str, float]]
"""Reply and latency [s] of each agent."""


@dataclass(frozen=True)
class Planted:
    """A program with a mistake."""

    name: str
    program: Callable[..., Any]
    """Takes `broken`, whether it has the mistake."""
    check: Callable[[Any], object] | None
    agents: Agents
    least: int
    """How many deviations it takes."""
    tools: tuple[str, ...] = ()
    is_threaded: bool = False

    def sim(self, *, noise: bool = False) -> Sim:
        """Its surroundings."""
        sim = Sim(1)
        for name, (reply, latency_s) in {**self.agents, **(NOISE if noise else {})}.items():
            sim.agent(
                name,
                system=f"You are the {name}.",
                reply=reply,
                latency_s=latency_s,
                allow_unused=True,
            )
        return sim

    def explore(self, *, broken: bool = True, noise: bool = False, **how: Any) -> Any:
        """Search it."""
        sim = self.sim(noise=noise)
        tools = [sim.tool(name, latency_s=1.0) for name in self.tools]
        program: Callable[..., Any] = partial(self.program, broken, *tools)
        if not noise:
            return sim.explore(program, check=self.check, **how)
        return sim.explore(
            partial(beside_blocking if self.is_threaded else beside, program),
            check=self.check,
            **how,
        )


NOISE: Agents = {f"clerk {n}": (f"filed {n}", 1.3 + 0.7 * n) for n in range(6)}


async def _noise() -> None:
    client = anthropic.AsyncAnthropic(max_retries=0)

    async def work(who: str) -> None:
        for n in range(5):
            try:
                await ask(client, who, f"File number {n}.")
            except Unanswered:
                continue
            await asyncio.sleep(0.4)

    await asyncio.gather(*[work(who) for who in NOISE])


async def beside(program: Callable[[], Any]) -> Any:
    """The program beside thirty unrelated calls."""
    noise = asyncio.create_task(_noise())
    output = await program()
    await noise
    return output


def beside_blocking(program: Callable[[], Any]) -> Any:
    """The same for a program with threads."""
    noise = threading.Thread(target=lambda: asyncio.run(_noise()), name="noise")
    noise.start()
    output = program()
    noise.join()
    return output


# -- latency races ----------------------------------------------------------------------------------------------------


async def late_draft(broken: bool) -> Any:
    """A draft that comes after the revision overwrites it."""
    client, page = anthropic.AsyncAnthropic(), {"version": 0, "text": ""}
    written: list[int] = []

    async def write(who: str, version: int) -> None:
        text = await ask(client, who, "Write.")
        if broken or version > int(str(page["version"])):
            page.update(version=version, text=text)
        written.append(version)

    async def later() -> None:
        await asyncio.sleep(5)
        await write("reviser", 2)

    await asyncio.gather(write("drafter", 1), later(), return_exceptions=True)
    return {**page, "newest": max(written, default=0)}


def is_revised(output: Any) -> None:
    assert output["version"] == output["newest"], "the draft overwrote the revision"


async def two_second_rule(broken: bool) -> Any:
    """An answer that takes more than 20 s is thrown away, and the default is not told."""
    client = anthropic.AsyncAnthropic()
    began = time.monotonic()
    answer = await ask(client, "expert", "What?")
    if broken and time.monotonic() - began > 20:
        answer = ""
    final = await ask(client, "writer", f"Write about: {answer}")
    return {"final": final, "answer": answer}


def has_answer(output: Any) -> None:
    assert output["answer"], "an empty answer went on"


# -- pairs of faults --------------------------------------------------------------------------------------------------


async def stale_fallback(broken: bool) -> Any:
    """Two sources; when both fail the old value is given out as new."""
    client, told = anthropic.AsyncAnthropic(), {"value": "old", "day": "yesterday"}
    for who in ("satellite", "station"):
        try:
            told = {"value": await ask(client, who, "Tomorrow?"), "day": "today"}
            break
        except Unanswered:
            continue
    else:
        if not broken:
            raise Unanswered("nobody")
    await ask(client, "speaker", told["value"])
    return told


def is_fresh(output: Any) -> None:
    assert output["day"] == "today", "old news"


async def quorum_of_one(broken: bool) -> Any:
    """Three judges; two that fail leave one who decides alone."""
    client = anthropic.AsyncAnthropic()
    votes = await asyncio.gather(
        *[ask(client, f"judge {n}", "Guilty?") for n in "abc"], return_exceptions=True
    )
    good = [vote for vote in votes if isinstance(vote, str)]
    if not good or (not broken and len(good) < 2):
        raise Unanswered("judges")
    return {"votes": len(good)}


def has_quorum(output: Any) -> None:
    assert output["votes"] >= 2, "no quorum"


# -- pairs of latencies -----------------------------------------------------------------------------------------------


async def two_hedges(broken: bool) -> Any:
    """If both mirrors are slow, the cache is used before it was filled."""
    client, cache = anthropic.AsyncAnthropic(), dict[str, str]()

    async def mirror(who: str) -> str:
        return await ask(client, who, "Mirror?", 12.0)

    found = await asyncio.gather(mirror("mirror a"), mirror("mirror b"), return_exceptions=True)
    good = [text for text in found if isinstance(text, str)]
    if not good:
        if not broken:
            raise Unanswered("mirrors")
        return {"text": cache.get("page")}
    cache["page"] = good[0]
    return {"text": cache["page"]}


def has_text(output: Any) -> None:
    assert output["text"], "no text"


# -- ties -------------------------------------------------------------------------------------------------------------


async def last_bid(broken: bool) -> Any:
    """The hammer falls at the very moment of a bid."""
    client, bids, sold = anthropic.AsyncAnthropic(), list[int](), list[int]()

    async def bid() -> None:
        for euros in (10, 20, 30):
            bids.append(euros)
            await asyncio.sleep(5)

    async def hammer() -> None:
        await asyncio.sleep(10 if broken else 11)
        sold.append(max(bids))

    talking = asyncio.create_task(ask(client, "auctioneer", "a clock"))
    await asyncio.gather(hammer(), bid())
    await asyncio.wait([talking])
    return {"sold": sold[0], "wanted": 20 if broken else 30}


def is_sold(output: Any) -> None:
    assert output["sold"] == output["wanted"], "a bid of the last moment"


# -- cancellation and permits -----------------------------------------------------------------------------------------


async def leaking_permit(broken: bool) -> Any:
    """A failed call keeps its permit; the next waits for ever."""
    client, permits = anthropic.AsyncAnthropic(), asyncio.Semaphore(1)

    async def work(n: int) -> str:
        if broken:
            await permits.acquire()
            text = await ask(client, "worker", f"Do {n}.")
            permits.release()
            return text
        async with permits:
            return await ask(client, "worker", f"Do {n}.")

    done = await asyncio.gather(*[work(n) for n in range(3)], return_exceptions=True)
    return [text for text in done if isinstance(text, str)]


async def kept_permit(broken: bool) -> Any:
    """A failed call keeps its permit, of which there are enough in this run."""
    client, permits = anthropic.AsyncAnthropic(), asyncio.Semaphore(5)

    async def work(n: int) -> str:
        await permits.acquire()
        try:
            text = await ask(client, "worker", f"Do {n}.")
        except Unanswered:
            if not broken:
                permits.release()
            return ""
        permits.release()
        return text

    return await asyncio.gather(*[work(n) for n in range(2)])


async def cancelled_holder(broken: bool) -> Any:
    """A task that is cancelled while it works never takes its name off the board."""
    client, board = anthropic.AsyncAnthropic(), dict[str, str]()

    async def session(n: int) -> str:
        board[str(n)] = "busy"
        try:
            return await ask(client, "host", f"Session {n}.")
        except Unanswered:
            return ""
        finally:
            if not broken:
                del board[str(n)]

    async def run(n: int) -> str:
        text = await session(n)
        board.pop(str(n), None)
        return text

    tasks = [asyncio.create_task(run(n), name=f"session {n}") for n in range(2)]
    await asyncio.wait(tasks)
    return {"board": dict(board)}


def is_clear(output: Any) -> None:
    assert not output["board"], "somebody is still on the board"


# -- effects, data, ends ----------------------------------------------------------------------------------------------


async def pays_twice(broken: bool, pay: Any) -> Any:
    """A payment whose answer is lost is made again."""
    client = anthropic.AsyncAnthropic()
    await ask(client, "planner", "Plan.")
    for attempt in range(2):
        try:
            await pay(to="Ada", euros=10, **({} if broken else {"request_id": "1"}))
            break
        except Exception:
            if attempt:
                raise
    return await ask(client, "closer", "Close.")


async def parses_anything(broken: bool) -> Any:
    """A reply that was cut short is parsed as if it were whole."""
    client = anthropic.AsyncAnthropic()
    answer: Any = await client.messages.create(
        model="claude-haiku-4-5",
        max_tokens=200,
        system="You are the lister.",
        messages=[{"role": "user", "content": "List."}],
    )
    if not broken and (not answer.content or answer.stop_reason != "end_turn"):
        raise Unanswered("lister")
    items = answer.content[0].text.split(";")
    return {"items": [item.split("=")[1] for item in items]}


async def retries_for_ever(broken: bool) -> Any:
    """A call is repeated until it works; with a provider that is down that is for ever."""
    client = anthropic.AsyncAnthropic(max_retries=0)
    for _ in range(10**9 if broken else 5):
        try:
            return await ask(client, "oracle", "Speak.")
        except Unanswered:
            await asyncio.sleep(1)
    raise Unanswered("oracle")


async def forgets_error(broken: bool) -> Any:
    """The result of a failed worker is looked up."""
    client, results = anthropic.AsyncAnthropic(), dict[str, str]()

    async def work(who: str) -> None:
        try:
            results[who] = await ask(client, who, "Work.")
        except Unanswered:
            if not broken:
                results[who] = ""

    await asyncio.gather(work("left hand"), work("right hand"))
    return results["left hand"] + results["right hand"]


async def dies_unseen(broken: bool) -> Any:
    """A task in the background dies of a failed call, and nobody asks for it."""
    client, found = anthropic.AsyncAnthropic(), dict[str, str]()

    async def index() -> None:
        try:
            found["index"] = await ask(client, "indexer", "Index.")
        except Unanswered:
            if not broken:
                return
        found["size"] = str(len(found["index"]))

    indexing = asyncio.create_task(index())
    text = await ask(client, "writer", "Write.")
    await asyncio.wait([indexing])
    return text


# -- threads ----------------------------------------------------------------------------------------------------------


def thread_update(broken: bool) -> Any:
    """Two threads read a number, ask, and write it."""
    client, lock, count = anthropic.Anthropic(), threading.Lock(), {"n": 0}

    def work(who: str, wait_s: float) -> None:
        time.sleep(wait_s)
        if broken:
            n = count["n"]
            _quiet(client, who)
            count["n"] = n + 1
        else:
            _quiet(client, who)
            with lock:
                count["n"] += 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ("adder a", "adder b"), (0.0, 6.0)))
    return count


def _quiet(client: anthropic.Anthropic, who: str) -> None:
    try:
        ask_blocking(client, who, "Add.")
    except Unanswered:
        pass


def is_two(output: Any) -> None:
    assert output["n"] == 2, "an update was lost"


def thread_tie(broken: bool) -> Any:
    """Two threads wake up at one instant; the second to run reads what the first has set."""
    client, seen = anthropic.Anthropic(), list[str]()
    gate = threading.Event()

    def first() -> None:
        time.sleep(3.0)
        seen.append("first")
        gate.set()

    def second() -> None:
        time.sleep(3.0)
        if not broken:
            gate.wait()
        seen.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _quiet(client, "adder a")
    return seen


def in_turn(output: Any) -> None:
    assert output == ["first", "second"], "out of turn"


ALL: Sequence[Planted] = (
    Planted("late draft", late_draft, is_revised, {"drafter": ("the draft", 3.0), "reviser": ("the revision", 4.0)}, 1),
    Planted("two second rule", two_second_rule, has_answer, {"expert": ("because", 4.0), "writer": ("text", 2.0)}, 1),
    Planted("stale fallback", stale_fallback, is_fresh, {"satellite": ("sun", 3.0), "station": ("rain", 5.0), "speaker": ("hi", 1.0)}, 2),
    Planted("quorum of one", quorum_of_one, has_quorum, {f"judge {n}": ("yes", 2.0) for n in "abc"}, 2),
    Planted("two hedges", two_hedges, has_text, {"mirror a": ("page", 3.0), "mirror b": ("page", 4.0)}, 2),
    Planted("last bid", last_bid, is_sold, {"auctioneer": ("it ticks", 2.0)}, 1),
    Planted("leaking permit", leaking_permit, None, {"worker": ("done", 2.0)}, 1),
    Planted("kept permit", kept_permit, None, {"worker": ("done", 2.0)}, 1),
    Planted("cancelled holder", cancelled_holder, is_clear, {"host": ("welcome", 4.0)}, 1),
    Planted("pays twice", pays_twice, None, {"planner": ("a plan", 2.0), "closer": ("closed", 1.0)}, 1, ("pay",)),
    Planted("parses anything", parses_anything, None, {"lister": ("a=1;b=2;c=3;d=4", 2.0)}, 1),
    Planted("retries for ever", retries_for_ever, None, {"oracle": ("so it is", 2.0)}, 1),
    Planted("forgets error", forgets_error, None, {"left hand": ("l", 2.0), "right hand": ("r", 3.0)}, 1),
    Planted("dies unseen", dies_unseen, None, {"indexer": ("i", 2.0), "writer": ("w", 3.0)}, 1),
    Planted("thread update", thread_update, is_two, {"adder a": ("1", 3.0), "adder b": ("1", 3.0)}, 1, (), is_threaded=True),
    Planted("thread tie", thread_tie, in_turn, {"adder a": ("1", 3.0)}, 1, (), is_threaded=True),
)  # fmt: skip
