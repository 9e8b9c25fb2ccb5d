"""A recorded response in the background is one call, however often the program looked at it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import Interaction, RecordedRequest, RecordedResponse, Timing
from harness.cassettes.cassette import Chunk
from harness.cassettes.writing import append
from harness.sim import Sim
from tests.wire.sdk_versions import since

openai = pytest.importorskip("openai")
pytestmark = since("openai", 2, "has no Responses")

URL = "https://api.openai.com/v1/responses"
SAID = {
    "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "Hello.", "annotations": []}],
}  # fmt: skip
USAGE = {
    "input_tokens": 9, "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 14,
}  # fmt: skip


def recorded(number: int, method: str, path: str, status: str) -> Interaction:
    over = status == "completed"
    answer: dict[str, Any] = {
        "id": "resp_1", "object": "response", "created_at": 1, "status": status, "background": True, "model": "gpt-4o",
        "output": [SAID] if over else [], "usage": USAGE if over else None,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    asked = {"background": True, "input": "hi", "model": "gpt-4o"}
    body = json.dumps(answer).encode()
    json_headers = (("content-type", "application/json"),)
    return Interaction(
        number=number,
        request=RecordedRequest(
            method=method,
            url=URL + path,
            headers=json_headers,
            body=json.dumps(asked).encode() if method == "POST" and not path else b"",
        ),
        response=RecordedResponse(
            status=200,
            reason="OK",
            headers=json_headers,
            body=body,
            timing=Timing(
                start_s=float(number), headers_s=0.2, chunks=(Chunk(0.2, len(body)),), end_s=0.2
            ),
        ),
        agent="writer" if method == "POST" else "",
        call=number,
    )


async def program() -> list[str]:
    client = openai.AsyncOpenAI(api_key="k")
    response = await client.responses.create(model="gpt-4o", input="hi", background=True)
    seen = [response.status]
    while response.status in ("queued", "in_progress"):
        await asyncio.sleep(1)
        response = await client.responses.retrieve(response.id)
        seen.append(response.status)
    return [*seen, response.output_text]


def test_it_is_replayed_as_one_call(tmp_path: Path) -> None:
    path = tmp_path / "tape.yaml"
    append(path, recorded(1, "POST", "", "queued"))
    append(path, recorded(2, "GET", "/resp_1", "in_progress"))
    append(path, recorded(3, "GET", "/resp_1", "completed"))
    sim = Sim()
    cassette = sim.cassette(path, mode="none")
    run = sim.run(program)
    cassette.end_test()
    assert run.output == ["queued", "in_progress", "completed", "Hello."]
    assert (len(run.calls()), run.attempts) == (1, 1)
    assert run.latency_s == pytest.approx(2.6)
