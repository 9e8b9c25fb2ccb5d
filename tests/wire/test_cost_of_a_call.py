"""What a call through a real SDK costs, beside the same client with a server that costs nothing.

Counted and not timed, as in `tests/run/test_cost_of_a_call.py`: instructions of Python, which are the same on every day.
`benchmarks/wire.py` measures time.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import anthropic
import pytest

from benchmarks.wire import REPLY, call, floor_client, recorded, simulation
from harness.sim import Sim
from harness.wire.provenance import Provenance

FIRST, COUNTED = 3, 5


@contextmanager
def instructions() -> Iterator[list[int]]:
    """Context manager: how many instructions of Python the block takes."""
    count = [0]

    def step(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - itself
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count[0] += event == "opcode"
        return step

    outer = sys.gettrace()
    sys.settrace(step)
    try:
        yield count
    finally:
        sys.settrace(outer)


async def counted(client: anthropic.AsyncAnthropic) -> float:
    """Instructions of Python for each call, after the first few."""
    for _ in range(FIRST):
        await call(client)
    with instructions() as count:
        for _ in range(COUNTED):
            await call(client)
    return count[0] / COUNTED


def test_call_costs_little_more_than_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "simulated")
    answer, _, _ = simulation().run(recorded).output
    floor = asyncio.run(counted(floor_client(answer)))  # noqa: TID251 - what a run is compared with
    sim = Sim(1)
    sim.agent("writer", reply=REPLY[:80])
    ours: float = sim.run(lambda: counted(anthropic.AsyncAnthropic())).output
    assert ours < 1.21 * floor


def test_new_word_of_a_long_prompt_costs_little() -> None:
    provenance, words = Provenance(), 2000
    provenance.sources(["Write something about the sea."])
    provenance.said(1, "It is the largest of all things that are there to be seen from a boat.")
    prompt = " ".join(f"word{number * number}" for number in range(words))
    with instructions() as count:
        assert provenance.sources([prompt]) == []
    assert count[0] < 100 * words
