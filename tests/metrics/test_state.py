"""What the events of shared state amount to, in memory and in a store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.kernel import Kernel, run
from harness.metrics import summarise, tally
from harness.run import simulate
from harness.run.record import record
from harness.scenario import load_scenario
from harness.spans import SpanLog
from harness.state import Discipline, EventSourced, LastWriterWins, Optimistic, Pessimistic
from harness.store import Store, aggregates

PIPELINE = Path(__file__).parents[2] / "scenarios" / "pipeline.yaml"


def log_of(discipline: Discipline, *, tasks: int = 1) -> SpanLog:
    """Three agents update one value at once in each task: 1 s, 2 s and 3 s."""
    kernel = Kernel()
    log = SpanLog(kernel.now_s)

    async def work(number: int) -> None:
        span = log.open_task("task", number)
        state = discipline.open(log, span)

        async def agent(think_s: float) -> None:
            async def change(_value: str) -> str:
                await asyncio.sleep(think_s)
                return "x"

            await state.update("plan", f"agent{think_s:g}", change)

        await asyncio.gather(*map(agent, (1.0, 2.0, 3.0)))
        log.close(span)

    async def all_tasks() -> None:
        for number in range(1, tasks + 1):
            await work(number)

    run(kernel, all_tasks())
    return log


def metrics_of(log: SpanLog, warmup_tasks: int = 0) -> dict[str, float]:
    found = tally(log.spans, agents=(), warmup_tasks=warmup_tasks, events=log.events)
    return summarise([found])[0]


@pytest.mark.parametrize(
    ("discipline", "lost", "stale", "conflicts"),
    [
        (LastWriterWins(), 2, 2, 0),
        (Optimistic(), 0, 0, 3),
        (Pessimistic(), 0, 0, 0),
        (EventSourced(), 0, 2, 0),
    ],
)
def test_lost_updates_stale_reads_and_conflicts_are_counted(
    discipline: Discipline, lost: int, stale: int, conflicts: int
) -> None:
    found = metrics_of(log_of(discipline))
    assert (found["lost_updates"], found["stale_reads"]) == (lost, stale)
    assert found["conflicts"] == conflicts


def test_tasks_of_the_warmup_are_left_out() -> None:
    found = metrics_of(log_of(LastWriterWins(), tasks=3), warmup_tasks=2)
    assert found["lost_updates"] == 2


def test_runs_without_shared_state_say_nothing_of_it() -> None:
    log = SpanLog(lambda: 0.0)
    log.event("retry", log.open_task("task", 1))
    assert {"lost_updates", "stale_reads", "conflicts"}.isdisjoint(metrics_of(log))


def test_waits_for_a_lock_are_waiting() -> None:
    log = log_of(Pessimistic())
    found = tally(log.spans, agents=(), events=log.events)
    assert {agent: mine.wait_s for agent, mine in found.agents.items()} == {
        "agent2": 1.0, "agent3": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize("discipline", [LastWriterWins(), Optimistic(), EventSourced()])
def test_numbers_of_a_store_are_the_same(discipline: Discipline, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs.duckdb")
    scenario = load_scenario(PIPELINE, overrides=["workload.tasks=3", "workload.warmup_tasks=1"])
    log = log_of(discipline, tasks=3)
    result = replace(simulate(scenario, 1), spans=log.spans, events=log.events)
    run_ids = store.write([record(scenario, result)])
    found = aggregates.totals(store, run_ids)
    expected = metrics_of(log, warmup_tasks=1)
    for name in ("lost_updates", "stale_reads", "conflicts"):
        assert found[name] == expected[name]
