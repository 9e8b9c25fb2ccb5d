"""What a call through a real SDK costs, beside the same client with a server that costs nothing.

Counted and not timed, as in `tests/run/test_cost_of_a_call.py`: instructions of Python, which are the same on every day.
`benchmarks/wire.py` measures time.
"""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

import anthropic
import pytest

from benchmarks.wire import REPLY, call, floor_client, recorded, simulation
from harness.sim import Sim

FIRST, COUNTED = 3, 5


async def counted(client: anthropic.AsyncAnthropic) -> float:
    """Instructions of Python for each call, after the first few."""
    count = 0

    def step(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - itself
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return step

    for _ in range(FIRST):
        await call(client)
    outer = sys.gettrace()
    sys.settrace(step)
    try:
        for _ in range(COUNTED):
            await call(client)
    finally:
        sys.settrace(outer)
    return count / COUNTED


def test_call_costs_little_more_than_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "simulated")
    answer, _, _ = simulation().run(recorded).output
    floor = asyncio.run(counted(floor_client(answer)))  # noqa: TID251 - what a run is compared with
    sim = Sim(1)
    sim.agent("writer", reply=REPLY[:80])
    ours: float = sim.run(lambda: counted(anthropic.AsyncAnthropic())).output
    assert ours < 1.25 * floor
