"""CPU of a search: all single faults and one pair of each class of them, of a program of 10 calls with the real SDK and of a pattern.

Targets: under 4 s for the program, under 1 s for the pattern. The program is a planner, four workers that draft and polish side by
side, and a reviewer, with four faults: 40 single faults, and 720 pairs of them without reductions.
"""

from __future__ import annotations

import asyncio
import functools
import json
import math
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import anthropic
import httpx2 as httpx
from httpcore2._backends.auto import AutoBackend

from benchmarks.wire import CannedNetwork
from harness.explore import portfolio
from harness.explore.budget import Budget
from harness.explore.portfolio import Portfolio
from harness.explore.properties import Property, properties
from harness.explore.scenario import ExploredScenario
from harness.explore.scenario import properties as properties_of_scenario
from harness.explore.search import Search
from harness.scenario import load_scenario
from harness.sim import Sim
from harness.sim.exploring import ExploredProgram

FAULTS = ("overloaded", "truncated", "invalid_json", "hang")
PROGRAM_TARGET_S = 4.0
PATTERN_TARGET_S = 1.0
WORKERS = 4
RUNS = 30
"""How many runs are measured beside the search."""
SCENARIO = Path(__file__).parents[1] / "scenarios" / "code_review.yaml"


REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "By the worker."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 5},
}


async def program() -> int:
    """How many parts were written; a worker that fails is left out."""
    client = anthropic.AsyncAnthropic(api_key="test", max_retries=1)

    async def ask(who: str, text: str) -> str:
        answer = await client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=100,
            system=f"You are the {who}.",
            messages=[{"role": "user", "content": text}],
        )
        return "".join(block.text for block in answer.content if block.type == "text")

    async def work(part: int) -> str:
        draft = await ask("worker", f"Draft part {part}.")
        return await ask("worker", f"Polish part {part}: {draft}")

    await ask("planner", "Plan.")
    parts = await asyncio.gather(*map(work, range(WORKERS)), return_exceptions=True)
    written = [part for part in parts if isinstance(part, str)]
    await ask("reviewer", " ".join(written))
    return len(written)


def searched(
    subject: Any,  # noqa: ANN401 - a program or a scenario
    holds: tuple[Property, ...],
    order: tuple[str, ...],
) -> tuple[float, Search, str]:
    """Search with the strategies of an order alone.

    Returns:
        CPU [s], the search, and its coverage.
    """
    portfolio.FIRST = ()
    portfolio.ROUND = order
    began_s = time.process_time()
    search = Search(subject, holds, Budget(2000, math.inf), FAULTS)
    found = Portfolio(search).run()
    return time.process_time() - began_s, search, str(found.coverage)


def floor_s(calls: int = 200) -> float:
    """CPU of one call of the SDK alone, answered by a function [s]."""

    async def call() -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=REPLY))
        client = anthropic.AsyncAnthropic(
            api_key="test", http_client=anthropic.DefaultAsyncHttpxClient(transport=transport)
        )
        for number in range(calls):
            await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=100,
                system="You are the worker.",
                messages=[{"role": "user", "content": f"Draft part {number}."}],
            )

    asyncio.run(call())
    began_s = time.process_time()
    asyncio.run(call())
    return (time.process_time() - began_s) / calls


def floor_of_a_run_s(runs: int = 30) -> float:
    """CPU of one run of the program on a stock loop, over connections in memory that give the same answer at once [s]."""
    body = json.dumps(REPLY).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    network = CannedNetwork(head % len(body) + body)
    with patch.object(AutoBackend, "connect_tcp", network.connect_tcp):
        asyncio.run(program())
        began_s = time.process_time()
        for _ in range(runs):
            asyncio.run(program())
        return (time.process_time() - began_s) / runs


def cpu_s(work: Callable[[], object]) -> float:
    """CPU of some work [s]."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def report(what: str, target_s: float, run: Callable[[], tuple[float, Search, str]]) -> bool:
    """Measure, and print one paragraph; whether the target was met."""
    cpu_s, search, coverage = run()
    calls = sum(len(trial.seen.sites) for trial in search.trials.values())
    runs = search.budget.spent
    print(
        f"{what}: {cpu_s:.2f} s of CPU (target {target_s:g} s) for {runs} runs of {calls:,} calls, "
        f"{1000 * cpu_s / runs:.1f} ms a run, {1000 * cpu_s / calls:.2f} ms a call"
    )
    print("  " + "\n  ".join(coverage.split("; ")[:2]))
    return cpu_s <= target_s


def main() -> int:
    """Measure both."""
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]  # the same, once
    sim = Sim(1)
    for who in ("planner", "worker", "reviewer"):
        sim.agent(who, system=f"You are the {who}.", reply=f"By the {who}.", latency_s=2.0)
    of_program = ExploredProgram(sim, program, (), 1)
    of_program.run(())  # imports
    scenario = load_scenario(SCENARIO, overrides=["workload.tasks=1"])
    of_pattern = ExploredScenario(scenario, 1)
    of_pattern.run(())
    singles = ("fail", "other")
    met = [
        report(
            "a program of 10 calls",
            PROGRAM_TARGET_S,
            lambda: searched(of_program, properties(None), (*singles, "pairs")),
        ),
        report(
            "a pattern of 6 calls",
            PATTERN_TARGET_S,
            lambda: searched(of_pattern, properties_of_scenario(), (*singles, "pairs")),
        ),
    ]
    undisturbed = [cpu_s(lambda: of_program.run(())) for _ in range(RUNS)]
    floor_of_run_s = min(floor_of_a_run_s() for _ in range(3))
    print(
        f"a call of the SDK alone: {1000 * floor_s():.2f} ms; the program on a stock loop, answered from memory: "
        f"{1000 * floor_of_run_s:.1f} ms a run; in a simulation without faults: {1000 * median(undisturbed):.1f} ms, "
        f"{median(undisturbed) / floor_of_run_s:.2f} times as much"
    )
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
