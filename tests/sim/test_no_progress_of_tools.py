"""A program that uses a failing tool or command again and again makes no progress, and is stopped and told so."""

# ruff: noqa: ASYNC110, ASYNC221, TID251 - programs of users

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.errors import NoProgress
from harness.run import Simulation
from harness.sim import Sim


def busy(*_: object) -> str:
    raise ConnectionError("the shop is closed")


async def awaits(sim: Sim, pause_s: float) -> None:
    buy = sim.tool("buy", result=busy)
    while True:
        with suppress(ConnectionError):
            await buy("pears")
            return
        await asyncio.sleep(pause_s)


async def runs_a_command(sim: Sim, pause_s: float) -> None:
    sim.process("git push*", returncode=1)
    while subprocess.run(["git", "push"], check=False).returncode:
        await asyncio.sleep(pause_s)


async def blocks(sim: Sim, pause_s: float) -> None:
    sim.process("git push*", returncode=1)

    def work() -> None:
        while subprocess.run(["git", "push", "origin"], check=False).returncode:
            time.sleep(pause_s)

    await asyncio.to_thread(work)


async def swallows_all(sim: Sim, pause_s: float) -> None:
    buy = sim.tool("buy", result=busy)
    while True:
        with suppress(Exception):
            await buy("pears")
        await asyncio.sleep(pause_s)


@pytest.mark.parametrize("pause_s", [1.0, 60.0])
@pytest.mark.parametrize("loop", [awaits, runs_a_command, blocks, swallows_all])
def test_retries_without_end_are_stopped_and_named(
    loop: Callable[[Sim, float], Any], pause_s: float
) -> None:
    sim = Sim(1)
    with pytest.raises(NoProgress) as raised:
        sim.run(lambda: loop(sim, pause_s))
    told = "git push*: failed: returncode 1"
    if loop in (awaits, swallows_all):
        told = "buy: failed: ConnectionError"
    assert f"brought nothing new: program > {told}" in str(raised.value)


def test_two_tools_that_fail_in_turn_are_a_cycle() -> None:
    sim = Sim(1)
    buy, rent = sim.tool("buy", result=busy), sim.tool("rent", result=busy)

    async def main() -> None:
        while True:
            for tool in (buy, rent):
                with suppress(ConnectionError):
                    await tool()
            await asyncio.sleep(1)

    with pytest.raises(NoProgress, match=r"buy: failed.*rent: failed|rent: failed.*buy: failed"):
        sim.run(main)


# -- healthy ------------------------------------------------------------------------------------------------------------


def test_tool_that_answers_at_last_is_waited_for() -> None:
    sim = Sim(1)
    asked = 0

    def answer() -> str:
        nonlocal asked
        asked += 1
        if asked < 100:
            raise ConnectionError
        return "open"

    async def main() -> str:
        while True:
            with suppress(ConnectionError):
                return str(await look())
            await asyncio.sleep(1)

    look = sim.tool("look", result=answer)
    assert sim.run(main).output == "open"


def test_poll_that_is_answered_each_time_makes_progress() -> None:
    sim = Sim(1)
    look = sim.tool("look", result="pending")

    async def main() -> None:
        for _ in range(1_000):
            await look()
            await asyncio.sleep(1)

    assert sim.run(main).latency_s == 1_000.0


def test_failures_between_what_works_are_progress() -> None:
    sim = Sim(1)
    buy, look = sim.tool("buy", result=busy), sim.tool("look", result="a page")

    async def main() -> None:
        for page in range(400):
            await look(page)
            with suppress(ConnectionError):
                await buy(page)

    sim.run(main)


def test_failures_that_are_started_together_count_once() -> None:
    sim = Sim(1)
    buy = sim.tool("buy", result=busy, latency_s=1)

    async def main() -> int:
        outcomes = await asyncio.gather(*(buy(n) for n in range(400)), return_exceptions=True)
        await asyncio.gather(*(buy(n) for n in range(400)), return_exceptions=True)
        return len(outcomes)

    assert sim.run(main).output == 400


def test_task_of_a_workload_is_ended_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_app.py").write_text(
        "import asyncio, subprocess\n"
        "async def main(task):\n"
        "    while str(task).endswith('2') and subprocess.run(['git', 'push']).returncode:\n"
        "        await asyncio.sleep(1)\n"
    )
    file = tmp_path / "shop.yaml"
    file.write_text(
        "scenario: shop\ntarget: shop_app:main\nworkload: {tasks: 3, arrivals: {every_s: 1}}\n"
        "processes: {'git push*': {returncode: 1}}\n"
    )
    run = Simulation(file).run(1)
    tasks = [row for row in run.spans.rows("kind", "task", "status", "error") if row[0] == "task"]
    assert sorted(tasks) == [
        ("task", 1, "ok", ""),
        ("task", 2, "error", "no_progress"),
        ("task", 3, "ok", ""),
    ]
    assert ("no_progress", 2) in run.events.rows("name", "task")
