"""How fast cassettes load and replay.

Loading is compared with parsing the YAML alone, at three sizes; replaying with the same calls answered by a stub, which is what the
SDK and the simulated wire cost by themselves.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import anthropic
import yaml

from harness.cassettes import Interaction, RecordedRequest, RecordedResponse, Timing, load_cassette
from harness.cassettes.cassette import Chunk
from harness.cassettes.writing import rewrite
from harness.sim import Sim

URL = "https://api.anthropic.com/v1/messages"
CALLS = 800


def question(number: int) -> dict[str, Any]:
    """The parameters of one call."""
    return {
        "model": "claude-sonnet-4-6", "max_tokens": 100, "system": "You are a reviewer. " * 20,
        "messages": [{"role": "user", "content": f"{number}: " + "look at this change " * 50}],
    }  # fmt: skip


def recorded(number: int) -> Interaction:
    """One recorded call."""
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": f"answer {number} " + "it is fine " * 30}],
        "usage": {"input_tokens": 200, "output_tokens": 60},
    }  # fmt: skip
    body = json.dumps(message).encode()
    return Interaction(
        number=number,
        request=RecordedRequest(
            method="POST", url=URL, headers=(("content-type", "application/json"),), body=json.dumps(question(number)).encode()
        ),
        response=RecordedResponse(
            status=200, reason="OK", headers=(("content-type", "application/json"),), body=body,
            timing=Timing(start_s=number * 0.1, headers_s=1.0, chunks=(Chunk(1.0, len(body)),), end_s=1.1),
        ),
        agent="reviewer",
        call=number,
    )  # fmt: skip


async def ask_all() -> int:
    """Make all calls, twenty at a time; returns how many were answered."""
    async with anthropic.AsyncAnthropic() as client:
        found = 0
        for first in range(1, CALLS + 1, 20):
            asked = [client.messages.create(**question(n)) for n in range(first, first + 20)]
            found += len(await asyncio.gather(*asked))
    return found


def cpu_s(do: Any) -> float:  # noqa: ANN401 - a function
    """The least CPU of three rounds [s]."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        do()
        best = min(best, time.process_time() - began)
    return best


def stubbed() -> None:
    """All calls, answered by a stub."""
    sim = Sim(repeats_per_task=10**9)
    sim.agent("reviewer", reply="it is fine " * 30)
    assert sim.run(ask_all).output == CALLS


def replayed(path: Path) -> None:
    """All calls, answered by a cassette."""
    sim = Sim(repeats_per_task=10**9)
    sim.cassette(path)
    assert sim.run(ask_all).output == CALLS


def main() -> None:
    """Measure, and print."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cassette.yaml")
        print("interactions   MB   YAML alone s   loading s   ratio   loading ms per interaction")
        for count in (100, 1_000, 10_000):
            rewrite(path, [recorded(n) for n in range(1, count + 1)])
            text = path.read_text(encoding="utf-8")
            alone = cpu_s(lambda text=text: yaml.load(text, Loader=loader))
            ours = cpu_s(lambda: load_cassette(path))
            size = len(text) / 2**20
            print(
                f"{count:12,} {size:5.1f} {alone:13.3f} {ours:11.3f} {ours / alone:7.2f} {1000 * ours / count:10.3f}"
            )
        rewrite(path, [recorded(n) for n in range(1, CALLS + 1)])
        stub, replay = cpu_s(stubbed), cpu_s(lambda: replayed(path))
        print(
            f"\n{CALLS} calls: with a stub {stub:.2f} s of CPU, replayed {replay:.2f} s, so {replay - stub:+.2f} s for the cassette"
        )


if __name__ == "__main__":
    main()
