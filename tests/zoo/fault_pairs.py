"""Programs that survive every single fault, and not two."""

# ruff: noqa: TRY300 - programs as users write them
from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, Unusable, ask, async_client, openai_client
from tests.zoo.planted import Fault, planted


def prices_are_their_own(output: dict[str, Any]) -> None:
    for item, price in output["prices"].items():
        assert price is None or item in price, f"the price of another item: {item} for {price}"


@planted(
    "pair of faults",
    Fault("pricer", 2),
    Fault("backup", 1),
    agents={
        "pricer": {"reply": lambda call: f"{call.prompt} 12 euros", "latency_s": 2.0},
        "backup": {"reply": lambda call: f"{call.prompt} 14 euros", "latency_s": 4.0},
        "seller": {"reply": "the offer", "latency_s": 3.0},
    },
    check=prices_are_their_own,
    depth=2,
)
async def price_of_the_item_before(fixed: bool) -> dict[str, Any]:
    """Each price is asked of one model, and of a second if the first fails; what the loop left over is used as the price."""
    prices: dict[str, str | None] = {}
    price = None
    async with async_client() as client:
        for item in ("kite", "reel", "tail"):
            if fixed:
                price = None
            for who in ("pricer", "backup"):
                try:
                    price = await ask(client, who, item)
                    break
                except CALL_ERRORS:
                    continue
            prices[item] = price
        offer = await ask(client, "seller", str(prices))
    return {"prices": prices, "offer": offer}


def trip_is_whole_or_cancelled(output: dict[str, Any]) -> None:
    booked = output["booked"]
    assert booked in ([], ["hotel", "flight"]), f"half a trip stays booked: {booked}"


@planted(
    "pair of faults",
    Fault("airline", 1),
    Fault("canceller", 1),
    agents={
        "hotelier": {"reply": "room 12", "latency_s": 2.0},
        "airline": {"reply": "seat 4A", "latency_s": 3.0},
        "canceller": {"reply": "We are sorry.", "latency_s": 1.0},
        "guide": {"reply": "Pack a coat.", "latency_s": 4.0},
    },
    check=trip_is_whole_or_cancelled,
    depth=2,
)
async def compensation_fails_too(fixed: bool) -> dict[str, Any]:
    """A hotel is booked, then a flight; without a flight the hotel is cancelled, with a letter that a model words."""
    booked: list[str] = []
    async with async_client() as client:
        await ask(client, "hotelier", "a room")
        booked.append("hotel")
        try:
            await ask(client, "airline", "a seat")
            booked.append("flight")
        except CALL_ERRORS:
            try:
                letter = await ask(client, "canceller", "Cancel room 12.")
            except CALL_ERRORS:
                if not fixed:
                    return {"booked": booked, "letter": None}
                letter = "The booking is cancelled."
            booked.remove("hotel")
            return {"booked": booked, "letter": letter}
        return {"booked": booked, "advice": await ask(client, "guide", "the trip")}


def missing_parts_are_told(output: dict[str, Any]) -> None:
    missing = 3 - len(output["parts"])
    assert missing == output["told_missing"], f"{missing} parts are missing silently: {output}"


@planted(
    "pair of faults",
    Fault("mapper", 1),
    Fault("surveyor", 1),
    agents={
        "mapper": {"reply": "a map", "latency_s": 3.0},
        "surveyor": {"reply": "heights", "latency_s": 5.0},
        "geologist": {"reply": "granite", "latency_s": 7.0},
        "printer": {"reply": "printed", "latency_s": 2.0},
    },
    check=missing_parts_are_told,
)
async def shared_retry_budget(fixed: bool) -> dict[str, Any]:
    """Three specialists share one second try; when it is spent, a part is left out and nobody is told."""
    spare = {"tries": 1}
    parts: list[str] = []
    missing: list[str] = []

    async with openai_client() as client:

        async def part(who: str) -> None:
            while True:
                try:
                    parts.append(await ask(client, who, "the mountain"))
                    return
                except CALL_ERRORS:
                    if spare["tries"] == 0:
                        if fixed:
                            missing.append(who)
                        return
                    spare["tries"] -= 1

        await asyncio.gather(*map(part, ("mapper", "surveyor", "geologist")))
        await ask(client, "printer", "; ".join(parts))
    return {"parts": parts, "told_missing": len(missing)}


def documents_are_tagged_or_reported(output: dict[str, Any]) -> None:
    known = set(output["tags"]) | set(output["skipped"])
    assert known == set("abcde"), f"documents disappeared: {sorted(set('abcde') - known)}"


@planted(
    "pair of faults",
    Fault("tagger", 2),
    Fault("tagger", 3),
    agents={
        "tagger": {"reply": lambda call: f"tag of {call.prompt}", "latency_s": 2.0},
        "librarian": {"reply": "shelved", "latency_s": 3.0},
    },
    check=documents_are_tagged_or_reported,
)
async def breaker_swallows_the_next(fixed: bool) -> dict[str, Any]:
    """Two failures in a row open a breaker, which lets the next document pass by untouched, and unreported."""
    tags: dict[str, str] = {}
    skipped: list[str] = []
    failures = 0
    async with async_client() as client:
        for document in "abcde":
            if failures >= 2:
                failures = 0
                await asyncio.sleep(10)
                if not fixed:
                    continue  # it has had its turn
            try:
                tags[document] = await ask(client, "tagger", document)
                failures = 0
            except CALL_ERRORS:
                failures += 1
                skipped.append(document)
        await ask(client, "librarian", str(sorted(tags)))
    return {"tags": tags, "skipped": skipped}


def work_is_of_the_present_plan(output: dict[str, Any]) -> None:
    plan = output["plan"]
    assert all(f"for {plan}" in work for work in output["work"]), f"work for another plan: {output}"


@planted(
    "pair of faults",
    Fault("worker", 2),
    Fault("planner", 2),
    agents={
        "planner": {"reply": lambda call: f"plan {len(call.prompt)}", "latency_s": 3.0},
        "worker": {"reply": lambda call: f"done {call.prompt}", "latency_s": 2.0},
        "critic": {"reply": "good", "latency_s": 2.0},
    },
    check=work_is_of_the_present_plan,
    depth=2,
)
async def plan_that_nobody_made(fixed: bool) -> dict[str, Any]:
    """When a step fails, a new plan is asked for and all is done again; if that fails, the old one stays, but not its work."""
    async with async_client() as client:
        plan = await ask(client, "planner", "a kite")
        name, work, step, revised = plan, list[str](), 0, 0
        while step < 3:
            try:
                work.append(await ask(client, "worker", f"step {step} for {plan}"))
                step += 1
            except CALL_ERRORS as failure:
                revised += 1
                if revised > 2:
                    raise
                before = name
                name, step = f"{plan}, revised", 0
                try:
                    plan = name = await ask(
                        client, "planner", f"a kite, in spite of {type(failure).__name__}"
                    )
                    work.clear()
                except CALL_ERRORS:
                    if fixed:
                        name = before
                        work.clear()
        verdict = await ask(client, "critic", str(work))
    return {"plan": name, "work": work, "verdict": verdict}


def nothing_is_written_twice(output: dict[str, Any]) -> None:
    rows = output["rows"]
    assert len(rows) == len(set(rows)), f"rows twice: {rows}"


@planted(
    "pair of faults",
    Fault("extractor", 2),
    Fault("mender", 1, "invalid_json"),
    agents={
        "extractor": {"reply": lambda call: f"rows of {call.prompt}", "latency_s": 3.0},
        "mender": {"reply": lambda call: call.prompt, "latency_s": 2.0},
        "loader": {"reply": "loaded", "latency_s": 1.0},
    },
    check=nothing_is_written_twice,
    depth=2,
)
async def resumed_from_an_old_checkpoint(fixed: bool) -> dict[str, Any]:
    """A page that fails is mended by another model; if that fails as well the work resumes at the checkpoint, but its rows stay."""
    pages = ("one", "two", "three")
    rows: list[str] = []
    checkpoint, page, resumed = 0, 0, 0
    async with async_client() as client:
        while page < len(pages):
            try:
                rows.append(await ask(client, "extractor", pages[page]))
            except CALL_ERRORS:
                try:
                    rows.append(await ask(client, "mender", f"rows of {pages[page]}"))
                except CALL_ERRORS as error:
                    resumed += 1
                    if resumed > 2:
                        raise Unusable("the mender") from error
                    page = checkpoint
                    if fixed:
                        del rows[checkpoint:]
                    continue
            page += 1
            if page % 2 == 0:
                checkpoint = page
        await ask(client, "loader", str(rows))
    return {"rows": rows}
