"""A test takes the profile of `harness calibrate` as the latency of an agent."""

from __future__ import annotations

from pathlib import Path

import pytest
from anthropic import AsyncAnthropic

from harness.errors import HarnessError
from harness.sim import Sim


async def ask() -> str:
    client = AsyncAnthropic()
    message = await client.messages.create(
        model="claude-sonnet-4-6", max_tokens=50, messages=[{"role": "user", "content": "x"}]
    )
    return str(message.stop_reason)


def test_calls_of_an_agent_take_the_time_of_a_measured_call(tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(
        "version: 1\nmodels: {m: {latency: {rows: [[10, 0.5, 2.0], [10, 0.5, 2.0]]}}}\n"
    )
    sim = Sim(1)
    sim.agent("lead", reply="yes", output_tokens=10, latency_s={"profile": str(file)})
    assert sim.run(ask).latency_s == 2.5


def test_a_profile_that_is_not_there_is_told() -> None:
    with pytest.raises(HarnessError, match="the file cannot be read"):
        Sim(1).agent("lead", latency_s={"profile": "none.yaml"})
