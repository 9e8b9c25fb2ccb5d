"""A failure that turns up again with fewer deviations takes the place of the greater one."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
import yaml

from harness.explore.deviation import Deviation, Down, Fault, to_record
from harness.explore.exploration import Finding
from harness.sim import Sim
from tests.zoo.asking import CALL_ERRORS, ask, async_client


async def published() -> list[str]:
    """Two parts by one author, and a check of both that has to come first and is fast enough.

    It comes too late if it is late, and also if the author fails twice.
    """
    order: list[str] = []
    async with async_client() as client:

        async def write() -> None:
            for part in ("head", "body"):
                with contextlib.suppress(*CALL_ERRORS):
                    await ask(client, "author", part)
            order.append("page")

        async def check() -> None:
            with contextlib.suppress(*CALL_ERRORS):
                await ask(client, "checker", "the plan")
            order.append("check")

        await asyncio.gather(write(), check())
    return order


def checked_first(order: list[str]) -> None:
    assert order[0] == "check"


def described() -> Sim:
    sim = Sim(1)
    sim.agent("author", system="*author*", reply="a part", latency_s=9)
    sim.agent("checker", system="*checker*", reply="good", latency_s=8)
    return sim


def lead(cases: Path, to: Deviation) -> None:
    """Keep a case, which is run before all else."""
    kept = {"test": "", "seed": 1, "kind": "check", "deviations": [to_record(to)]}
    (cases / "kept.yaml").write_text(yaml.safe_dump(kept))


def searched(cases: Path, at_most: int | None = None) -> list[Finding]:
    lead(cases, Down("author"))
    told: list[Finding] = []
    found = described().explore(
        published,
        check=checked_first,
        runs=30,
        wall_s=600,
        faults=["overloaded"],
        at_most=at_most,
        cases=cases,
        on_finding=told.append,
    )
    assert found.findings == tuple(told[-1:])
    return told


def test_less_of_the_same_failure_takes_the_place_of_more(tmp_path: Path) -> None:
    told = searched(tmp_path)
    assert [len(each.overrides) for each in told] == [2, 1]
    (kept,) = tmp_path.glob("check-*.yaml")
    assert "It takes 1 deviation" in kept.read_text()


def test_search_that_ends_at_the_first_finding_keeps_that(tmp_path: Path) -> None:
    assert [len(each.overrides) for each in searched(tmp_path, at_most=1)] == [2]


async def summed_up() -> list[str]:
    """A talk whose beginning is summed up while it goes on; what is said meanwhile is lost.

    It takes one call that fails. Its prompt holds how the calls before it ended.
    """
    history: list[str] = []
    async with async_client() as client:

        async def sum_up() -> None:
            old, kept = history[:2], history[2:]
            with contextlib.suppress(*CALL_ERRORS):
                history[:] = [await ask(client, "summarizer", " ".join(old)), *kept]

        background = None
        for turn, text in enumerate(("Ada", "from Ulm", "ticket 17", "thanks")):
            history.append(text)
            try:
                history.append(await ask(client, "assistant", " ".join(history)))
            except CALL_ERRORS:
                history.append("(no answer)")
            if turn == 1:
                background = asyncio.create_task(sum_up())
        assert background is not None
        await background
    return history


def test_call_that_fails_stands_for_those_before_it_that_only_change_its_prompt(
    tmp_path: Path,
) -> None:
    sim = Sim(1)
    sim.agent("assistant", system="*assistant*", reply="I see", latency_s=3)
    sim.agent("summarizer", system="*summarizer*", reply="a summary", latency_s=2)

    def nothing_lost(history: list[str]) -> None:
        assert history[-4::2] == ["ticket 17", "thanks"]

    lead(tmp_path, Down("assistant"))
    found = sim.explore(summed_up, check=nothing_lost, runs=2, wall_s=600, cases=tmp_path)
    (finding,) = found.findings
    assert finding.strategy == "kept"
    (fault,) = finding.overrides
    assert isinstance(fault, Fault)
    assert finding.runs_to_shrink <= 20


@pytest.mark.parametrize("uses", [1, 12])
def test_tools_that_race_are_late_as_soon_as_calls_are(uses: int) -> None:
    sim = Sim(1)
    sim.agent("clerk", system="*clerk*", reply="noted", latency_s=1)
    stock = sim.tool("stock", result="40", latency_s=1)
    price = sim.tool("price", result="3.50", latency_s=2)
    look = sim.tool("look", result="nothing")

    async def program() -> list[str]:
        async with async_client() as client:
            await ask(client, "clerk", "buy")
            for _ in range(uses):
                await look()
            return [
                await one for one in asyncio.as_completed([asyncio.ensure_future(stock()), price()])
            ]

    def in_order(told: list[str]) -> None:
        assert told == ["40", "3.50"]

    found = sim.explore(program, check=in_order, runs=50, wall_s=600, at_most=1)
    assert [len(each.overrides) for each in found.findings] == [1]
