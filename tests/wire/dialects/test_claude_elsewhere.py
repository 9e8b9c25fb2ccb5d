"""Claude on Vertex AI and Amazon Bedrock, through the clients of Anthropic's SDK."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any
from zlib import crc32

import anthropic
import httpx2
import pytest

from harness.errors import NotSimulated
from harness.models import Reply, ToolCall
from harness.sim import Sim
from harness.spans import TOOL
from harness.wire.dialects.event_stream import frame

HI: list[Any] = [{"role": "user", "content": "hi"}]
NAME = "claude-sonnet-4-5-20250929"


def vertex(region: str = "us-east5") -> anthropic.AsyncAnthropicVertex:
    return anthropic.AsyncAnthropicVertex(
        region=region, project_id="p", access_token="t", max_retries=0
    )


def bedrock() -> anthropic.AsyncAnthropicBedrock:
    return anthropic.AsyncAnthropicBedrock(aws_region="eu-west-1", api_key="k", max_retries=0)


async def message(client: Any, model: str, **more: Any) -> Any:  # noqa: ANN401 - either client
    return await client.messages.create(model=model, max_tokens=50, messages=HI, **more)


@pytest.mark.parametrize("region", ["us-east5", "global", "eu"])
def test_vertex_is_reached_in_every_region(region: str, sim: Sim) -> None:
    sim.provider("vertex")
    sim.agent("a", reply="yes", model=NAME)
    answer = sim.run(lambda: message(vertex(region), "claude-sonnet-4-5@20250929")).output
    assert answer.content[0].text == "yes"
    assert answer.id.startswith("msg_vrtx_")
    assert answer.model == NAME


def test_vertex_streams(sim: Sim) -> None:
    sim.provider("vertex")
    sim.agent("a", reply="one two three")

    async def said() -> str:
        async with vertex().messages.stream(
            model="claude-sonnet-4-5@20250929", max_tokens=50, messages=HI
        ) as stream:
            return "".join([piece async for piece in stream.text_stream])

    assert sim.run(said).output == "one two three"


def test_vertex_counts_tokens(sim: Sim) -> None:
    sim.provider("vertex")

    async def count() -> int:
        counted = await vertex().messages.count_tokens(model="claude-sonnet-4-6", messages=HI)
        return counted.input_tokens

    assert sim.run(count).output > 0


def test_vertex_says_in_the_words_of_google_that_a_limit_is_met(sim: Sim) -> None:
    sim.provider("vertex", requests_per_min=1)
    sim.agent("a", reply="yes")

    async def twice() -> None:
        await message(vertex(), "claude-sonnet-4-6")
        await message(vertex(), "claude-sonnet-4-6")

    with pytest.raises(anthropic.RateLimitError, match="RESOURCE_EXHAUSTED"):
        sim.run(twice)


def test_tool_of_vertex_is_called_and_answered_by_its_own_id(sim: Sim) -> None:
    sim.provider("vertex")
    sim.agent("a", reply=[Reply("", tool_calls=(ToolCall("look", {}),)), "done"])
    tool: Any = {"name": "look", "input_schema": {"type": "object", "properties": {}}}

    async def both() -> str:
        first = await message(
            vertex(), "claude-sonnet-4-6", tools=[tool], tool_choice={"type": "any"}
        )
        use = first.content[-1]
        assert use.id.startswith("toolu_vrtx_")
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "seen"}
        talk = [
            *HI,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [result]},
        ]
        second: Any = await vertex().messages.create(
            model="claude-sonnet-4-6", max_tokens=50, messages=talk, tools=[tool]
        )
        return str(second.content[0].text)

    run = sim.run(both)
    assert run.output == "done"
    spans = run.spans()
    assert list(spans[spans["kind"] == TOOL]["name"]) == ["look"]


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
def test_bedrock_is_reached_and_names_the_model_as_anthropic_does(model: str, sim: Sim) -> None:
    sim.provider("bedrock")
    sim.agent("a", reply="yes", model=NAME)
    answer = sim.run(lambda: message(bedrock(), model)).output
    assert answer.content[0].text == "yes"
    assert answer.id.startswith("msg_bdrk_")


async def bedrock_bytes(body: dict[str, Any], verb: str) -> httpx2.Response:
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-sonnet-4-5-20250929-v1:0/"
    async with httpx2.AsyncClient() as client:
        return await client.post(url + verb, json=body, headers={"authorization": "Bearer k"})


def frames(data: bytes) -> list[bytes]:
    """The payloads of frames whose checksums are right; their headers are of text alone."""
    payloads = []
    while data:
        total, headers, crc = struct.unpack(">III", data[:12])
        assert crc == crc32(data[:8])
        assert struct.unpack(">I", data[total - 4 : total])[0] == crc32(data[: total - 4])
        payloads.append(data[12 + headers : total - 4])
        data = data[total:]
    return payloads


BODY = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": HI}


def test_bedrock_streams_frames_of_its_own(sim: Sim) -> None:
    sim.provider("bedrock")
    sim.agent("a", reply="one two")
    response = sim.run(bedrock_bytes, BODY, "invoke-with-response-stream").output
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    events = [
        json.loads(base64.b64decode(json.loads(payload)["bytes"]))
        for payload in frames(response.content)
    ]
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert "ping" not in kinds
    assert "amazon-bedrock-invocationMetrics" in events[-1]


def test_bedrock_stream_is_read_by_the_sdk(sim: Sim) -> None:
    pytest.importorskip("botocore")
    sim.provider("bedrock")
    sim.agent("a", reply="one two three")

    async def said() -> str:
        async with bedrock().messages.stream(
            model="anthropic.claude-sonnet-4-5-20250929-v1:0", max_tokens=50, messages=HI
        ) as stream:
            return "".join([piece async for piece in stream.text_stream])

    assert sim.run(said).output == "one two three"


def test_bedrock_without_a_version_is_rejected_in_its_words(sim: Sim) -> None:
    sim.provider("bedrock")
    sim.agent("a", reply="yes", allow_unused=True)
    body = {"max_tokens": 9, "messages": HI}
    response = sim.run(bedrock_bytes, body, "invoke").output
    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "ValidationException"
    assert "anthropic_version" in response.json()["message"]


def test_bedrock_throttles_in_its_words(sim: Sim) -> None:
    sim.provider("bedrock", requests_per_min=1)
    sim.agent("a", reply="yes")

    async def twice() -> None:
        await message(bedrock(), "anthropic.claude-sonnet-4-5-20250929-v1:0")
        await message(bedrock(), "anthropic.claude-sonnet-4-5-20250929-v1:0")

    with pytest.raises(anthropic.RateLimitError, match="Too many requests"):
        sim.run(twice)


@pytest.mark.parametrize("verb", ["converse", "converse-stream"])
def test_other_operation_of_bedrock_is_refused_by_name_and_counted(verb: str, sim: Sim) -> None:
    sim.provider("bedrock")
    with pytest.raises(NotSimulated, match=f"'{verb}' of Amazon Bedrock"):
        sim.run(bedrock_bytes, BODY, verb)
    assert sim.last_run is not None
    assert sim.last_run.unsimulated == {f"'{verb}' of Amazon Bedrock": 1}


def test_frame_is_as_long_as_it_says() -> None:
    data = frame({":event-type": "chunk"}, b"{}")
    assert struct.unpack(">I", data[:4])[0] == len(data)
