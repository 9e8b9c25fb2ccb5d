"""Programs that hold as long as one thing is quicker than another."""

# ruff: noqa: PERF401 - programs as users write them
from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, ask, async_client, openai_client
from tests.zoo.planted import Late, planted


def answer_was_checked(output: dict[str, Any]) -> None:
    assert output["verdict"] == "fine", f"an answer went out unchecked: {output}"


@planted(
    "latency race",
    Late("guard", 1, 6.5),
    agents={
        "assistant": {"reply": "Take two a day.", "latency_s": 6.0},
        "guard": {"reply": "fine", "latency_s": 2.0},
        "scribe": {"reply": "noted", "latency_s": 1.0},
    },
    check=answer_was_checked,
)
async def unguarded_answer(fixed: bool) -> dict[str, Any]:
    """A guard reads the question while the assistant answers; its verdict counts if it is there."""
    async with async_client() as client:
        guarding = asyncio.create_task(ask(client, "guard", "May this be answered?"))
        answer = await ask(client, "assistant", "How many pills?")
        if fixed or guarding.done():
            verdict = await guarding
        else:
            verdict = "none"
            guarding.cancel()
            await asyncio.gather(guarding, return_exceptions=True)
        await ask(client, "scribe", answer)
        return {"answer": answer, "verdict": verdict}


def newest_draft_is_kept(output: dict[str, Any]) -> None:
    assert output["saved"] == output["newest"], f"an older draft was saved last: {output}"


@planted(
    "latency race",
    Late("writer", 1, 12.0),
    agents={
        "writer": {"reply": lambda call: f"draft of {call.prompt}", "latency_s": 3.0},
        "editor": {"reply": "shorter, please", "latency_s": 2.0},
    },
    check=newest_draft_is_kept,
)
async def older_draft_last(fixed: bool) -> dict[str, Any]:
    """Each time the notes change a draft is written in the background, and saved when it is there."""
    saved: dict[str, Any] = {"version": 0}

    async with openai_client() as client:

        async def draft(version: int, notes: str) -> None:
            text = await ask(client, "writer", notes)
            if not fixed or version > saved["version"]:
                saved.update(version=version, text=text)

        async with asyncio.TaskGroup() as drafts:
            drafts.create_task(draft(1, "a kite"))
            advice = await ask(client, "editor", "a kite")
            await asyncio.sleep(2)
            drafts.create_task(draft(2, f"a kite; {advice}"))
    return {"saved": saved["version"], "newest": 2}


def search_is_counted_once(output: dict[str, Any]) -> None:
    sources = output["sources"]
    assert len(sources) == len({name for name, _ in sources}), f"a source twice: {sources}"


@planted(
    "latency race",
    Late("searcher", 1, 22.0),
    agents={
        "searcher": {"reply": "three papers", "latency_s": 7.0},
        "archivist": {"reply": "one box", "latency_s": 4.0},
        "reporter": {"reply": "the report", "latency_s": 5.0},
    },
    check=search_is_counted_once,
)
async def late_result_beside_its_default(fixed: bool) -> dict[str, Any]:
    """A search that takes too long is replaced by a default, but goes on, and still files what it finds."""
    sources: list[tuple[str, str]] = []
    closed: set[str] = set()

    async with async_client() as client:

        async def search(who: str) -> None:
            found = await ask(client, who, "kites")
            if who not in closed:
                sources.append((who, found))

        async def bounded(who: str) -> None:
            searching = asyncio.create_task(search(who))
            try:
                await asyncio.wait_for(asyncio.shield(searching), 20)
            except TimeoutError:
                if fixed:
                    closed.add(who)
                sources.append((who, "nothing in time"))
            later.append(searching)

        later: list[asyncio.Task[None]] = []
        await asyncio.gather(bounded("searcher"), bounded("archivist"))
        report = await ask(client, "reporter", str(sources))
        await asyncio.gather(*later, return_exceptions=True)
        return {"report": report, "sources": sources}


def reader_found_all_chapters(output: dict[str, Any]) -> None:
    assert len(output["read"]) == 3, f"the reader read half an index: {output}"


@planted(
    "latency race",
    Late("indexer", 3, 5.0),
    agents={
        "indexer": {"reply": lambda call: f"entries of {call.prompt}", "latency_s": 2.0},
        "reader": {"reply": lambda call: call.prompt, "latency_s": 3.0},
    },
    check=reader_found_all_chapters,
)
async def index_read_after_a_pause(fixed: bool) -> dict[str, Any]:
    """An index is made in the background; the reader gives it eight seconds, which has always been enough."""
    index: list[str] = []

    async with async_client() as client:

        async def make_index() -> None:
            for chapter in ("wind", "string", "cloth"):
                index.append(await ask(client, "indexer", chapter))

        making = asyncio.create_task(make_index())
        await (making if fixed else asyncio.sleep(8))
        read = list(index)
        summary = await ask(client, "reader", "; ".join(read))
        await making
        return {"read": read, "summary": summary}


def every_vote_is_counted(output: dict[str, Any]) -> None:
    assert output["yes"] + output["no"] + output["absent"] == 3, f"votes are missing: {output}"


@planted(
    "latency race",
    Late("north", 1, 31.0),
    agents={
        "north": {"reply": "yes", "latency_s": 3.0},
        "south": {"reply": "yes", "latency_s": 5.0},
        "east": {"reply": "no", "latency_s": 4.0},
    },
    check=every_vote_is_counted,
)
async def absent_vote_is_forgotten(fixed: bool) -> dict[str, Any]:
    """Whoever does not vote within half a minute is absent; who is there by then is looked up by name."""
    votes: dict[str, str] = {}

    async with openai_client() as client:

        async def vote(who: str) -> None:
            try:
                votes[who] = await ask(client, who, "Is the kite to fly?")
            except CALL_ERRORS:
                votes[who] = "absent"

        voting = [asyncio.create_task(vote(who)) for who in ("north", "south", "east")]
        _, pending = await asyncio.wait(voting, timeout=30)
        for late in pending:
            late.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        said = list(votes.values())
        absent = said.count("absent") + (len(pending) if fixed else 0)
        return {"yes": said.count("yes"), "no": said.count("no"), "absent": absent}
