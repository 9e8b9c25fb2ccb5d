"""Progress bars of rich and tqdm, whose threads redraw them: they show virtual time, and take none."""

# ruff: noqa: TID251 - programs of the user's sleep

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, track
from rich.table import Table
from tqdm import tqdm
from tqdm.asyncio import tqdm as async_tqdm
from tqdm.contrib.concurrent import thread_map

from harness.sim import Sim
from harness.spans import as_json_lines

TOPICS = ["tides", "wind", "sun"]


def ask(topic: str) -> str | None:
    answer = openai.OpenAI(api_key="key").chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": topic}]
    )
    return answer.choices[0].message.content


def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def drawn(on: Console) -> str:
    return on.file.getvalue()  # type: ignore[attr-defined,no-any-return]  # it is a StringIO


def with_progress() -> tuple[list[str | None], str]:
    answers, screen = [], console()
    with Progress(console=screen) as progress:
        task = progress.add_task("asking", total=3)
        for topic in TOPICS:
            answers.append(ask(topic))
            progress.advance(task)
    return answers, drawn(screen)


def with_track() -> tuple[list[str | None], str]:
    screen = console()
    return [ask(topic) for topic in track(TOPICS, console=screen)], drawn(screen)


def with_status() -> tuple[list[str | None], str]:
    screen = console()
    with screen.status("asking"):
        answers = [ask(topic) for topic in TOPICS]
    return answers, drawn(screen)


def with_live_in_a_pool() -> tuple[list[str | None], str]:
    answers, table, screen = [], Table("topic", "answer"), console()
    with Live(table, console=screen, refresh_per_second=4), ThreadPoolExecutor(3) as pool:
        for topic, answer in zip(TOPICS, pool.map(ask, TOPICS), strict=True):
            table.add_row(topic, answer)
            answers.append(answer)
    return answers, drawn(screen)


def with_tqdm() -> tuple[list[str | None], str]:
    screen = io.StringIO()
    return [ask(topic) for topic in tqdm(TOPICS, file=screen)], screen.getvalue()


def with_thread_map() -> tuple[list[str | None], str]:
    screen = io.StringIO()
    return list(thread_map(ask, TOPICS, file=screen, max_workers=3)), screen.getvalue()


async def with_gather() -> tuple[list[str | None], str]:
    client, screen = openai.AsyncOpenAI(api_key="key"), io.StringIO()

    async def ask_one(topic: str) -> str | None:
        answer = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": topic}]
        )
        return answer.choices[0].message.content

    return await async_tqdm.gather(*map(ask_one, TOPICS), file=screen), screen.getvalue()


@pytest.fixture
def simulation() -> Sim:
    sim = Sim(1)
    sim.agent("expert", reply=lambda call: f"about {call.prompt}", latency_s=10)
    return sim


@pytest.mark.parametrize(
    ("program", "latency_s"),
    [
        (with_progress, 30),
        (with_track, 30),
        (with_status, 30),
        (with_live_in_a_pool, 10),
        (with_tqdm, 30),
        (with_thread_map, 10),
        (with_gather, 10),
    ],
)
def test_calls_under_a_bar_take_what_they_take(
    simulation: Sim, program: Callable[[], Any], latency_s: float
) -> None:
    before = threading.enumerate()

    first, again = simulation.run(program), simulation.run(program)

    assert first.latency_s == latency_s
    assert first.output[0] == [f"about {topic}" for topic in TOPICS]
    assert again.output == first.output  # what was drawn, too
    assert as_json_lines(again.spans_table) == as_json_lines(first.spans_table)
    assert first.unsimulated == {}
    assert threading.enumerate() == before


def test_bars_show_virtual_time(simulation: Sim) -> None:
    _, screen = simulation.run(with_tqdm).output
    assert "2/3 [00:20<00:10, 10.00s/it]" in screen

    _, screen = simulation.run(with_progress).output
    assert "0:00:10" in screen  # what remains after two of three


@pytest.mark.parametrize("seed", range(5))
def test_bars_in_a_pool_come_to_an_end_in_any_order(simulation: Sim, seed: int) -> None:
    run = simulation.run(with_thread_map, seed=seed, order="random")

    assert run.latency_s == 10
    assert run.output[0] == [f"about {topic}" for topic in TOPICS]


def test_a_bar_from_before_the_run_goes_on_in_it(simulation: Sim) -> None:
    """Its lock and the thread that watches it are those of the real world."""
    bar = tqdm(total=3, file=io.StringIO())

    def ask_and_count(topic: str) -> None:
        ask(topic)
        bar.update()

    def program() -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(ask_and_count, TOPICS))

    try:
        assert simulation.run(program).latency_s == 10
        assert bar.n == 3
    finally:
        bar.close()
        if tqdm.monitor is not None:
            tqdm.monitor.exit()
            tqdm.monitor = None


def test_a_screen_from_before_the_run_is_drawn_on_by_its_own_thread(simulation: Sim) -> None:
    with Progress(console=console()) as progress:
        task = progress.add_task("asking", total=3)

        def program() -> None:
            for topic in TOPICS:
                ask(topic)
                progress.advance(task)
                time.sleep(5)

        assert simulation.run(program).latency_s == 45
        assert progress.finished
