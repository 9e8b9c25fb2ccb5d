"""Our answers beside recorded ones of the real API: names, order, JSON types, headers, chunks.

HARNESS_DATA names the folder that holds `cassettes/crewai` (crewAI, MIT); without it this is skipped. Replies of 2024 lack
fields that came later, so that recorded names must be among ours, in the same order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.models import Reply, ToolCall
from harness.provider.limits import NO_QUOTA
from harness.units import Usage
from harness.wire.api import Completion, Ids, Moment, Prompt
from harness.wire.http import HttpRequest
from harness.wire.openai import OpenAI
from harness.wire.openai.headers import EVENTS, JSON

CASSETTES = Path(os.environ.get("HARNESS_DATA", "no-data"), "cassettes", "crewai")

pytestmark = pytest.mark.skipif(
    not CASSETTES.is_dir(), reason="HARNESS_DATA does not hold the cassettes of crewAI"
)

# Added by HTTP itself, or masked, or of the first reply on a connection alone.
_NOT_OURS = {"transfer-encoding", "set-cookie", "content-encoding"}
_FREE = {"metadata", "schema", "parameters"}
"""What is inside of these is the user's."""


def exchanges() -> Iterator[Any]:
    """Every recorded exchange with OpenAI."""
    for path in sorted(CASSETTES.glob("*.yaml")):
        for exchange in yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]:
            if "api.openai.com" in exchange["request"]["uri"]:
                yield pytest.param(exchange, id=path.stem[:60])


def body_of(exchange: Any) -> str:  # noqa: ANN401 - YAML
    body = exchange["response"]["body"]["string"]
    return body if isinstance(body, str) else body.decode()


def read(exchange: Any, api: OpenAI) -> Prompt:  # noqa: ANN401 - YAML
    path = exchange["request"]["uri"].removeprefix("https://api.openai.com")
    data = exchange["request"]["body"].encode()
    http = HttpRequest("POST", "api.openai.com", path, "", {"authorization": "Bearer x"}, data)
    prompt = api.read(http, Ids("request"))
    assert isinstance(prompt, Prompt), f"a request that the real API took is rejected: {prompt}"
    return prompt


def again(message: Any, usage: Any) -> Completion:  # noqa: ANN401 - JSON
    """What a recorded message said, to be said by us."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    wishes = tuple(ToolCall(call["name"], json.loads(call["arguments"])) for call in calls)
    reply = Reply(message["content"] or "", wishes)
    counted = Usage(usage["prompt_tokens"], usage["completion_tokens"])
    return Completion(reply, counted, "tool_use" if wishes else "end")


MOMENT = (60.0, 1.5, NO_QUOTA)


def pick(of: Callable[[Any], bool]) -> list[Any]:
    """The recorded exchanges of one kind; one empty case where there are none, to be skipped by name."""
    found = [case for case in exchanges() if of(case.values[0])] if CASSETTES.is_dir() else []
    return found or [pytest.param(None, id="none")]


def is_stream(exchange: Any) -> bool:  # noqa: ANN401 - YAML
    return body_of(exchange).startswith("data:")


def is_chat(exchange: Any) -> bool:  # noqa: ANN401 - YAML
    return exchange["request"]["uri"].endswith("/chat/completions") and not is_stream(exchange)


def is_response(exchange: Any) -> bool:  # noqa: ANN401 - YAML
    return bool(exchange["request"]["uri"].endswith("/responses"))


def assert_same_shape(recorded: Any, ours: Any, place: str = "$") -> None:  # noqa: ANN401 - JSON
    """The recorded names are among ours in the same order, and values have the same JSON types."""
    if isinstance(recorded, dict):
        assert isinstance(ours, dict), place
        assert [name for name in ours if name in recorded] == list(recorded), place
        for name, value in recorded.items():
            if name not in _FREE:
                assert_same_shape(value, ours[name], f"{place}.{name}")
    elif isinstance(recorded, list):
        assert isinstance(ours, list), place
        for index, (one, other) in enumerate(zip(recorded, ours, strict=False)):
            assert_same_shape(one, other, f"{place}[{index}]")
    else:
        assert type(recorded) is type(ours), place


@pytest.mark.parametrize("exchange", pick(is_chat))
def test_a_completion_has_the_shape_of_the_recorded_one(exchange: Any, api: OpenAI) -> None:  # noqa: ANN401
    text = body_of(exchange)
    recorded = json.loads(text)
    spoken = again(recorded["choices"][0]["message"], recorded["usage"])
    answer = api.whole(read(exchange, api), spoken, Moment(Ids("1"), *MOMENT))
    assert isinstance(answer.body, bytes)
    ours = json.loads(answer.body)
    assert_same_shape(recorded, ours)
    assert len(recorded["id"]) == len(ours["id"])
    assert recorded["choices"][0]["finish_reason"] == ours["choices"][0]["finish_reason"]
    assert recorded["choices"][0]["message"]["content"] == ours["choices"][0]["message"]["content"]
    # The layout: what we would make of the same values is what was recorded, byte for byte.
    if "annotations" in text:  # cassettes of 2024 were written by a recorder that escaped signs
        assert json.dumps(recorded, indent=2, ensure_ascii=False) + "\n" == text
    assert answer.body.endswith(b"\n}\n")


@pytest.mark.parametrize("exchange", pick(is_stream))
def test_chunks_have_the_shape_of_the_recorded_ones(exchange: Any, api: OpenAI) -> None:  # noqa: ANN401
    recorded = body_of(exchange).strip().split("\n\n")
    bodies = [json.loads(line.removeprefix("data: ")) for line in recorded[:-1]]
    answer = api.stream(read(exchange, api), streamed(bodies), Moment(Ids("1"), *MOMENT))
    assert not isinstance(answer.body, bytes)
    ours = b"".join(part.data for part in answer.body).decode().strip().split("\n\n")
    assert ours[-1] == recorded[-1] == "data: [DONE]"
    assert len(ours) == len(recorded)
    for line, other in zip(recorded[:-1], ours[:-1], strict=True):
        body = json.loads(line.removeprefix("data: "))
        assert_same_shape(body, json.loads(other.removeprefix("data: ")))
        assert len(line) % 16 == len(other) % 16
        assert "data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=False) == line
    said = [deltas_of(json.loads(line.removeprefix("data: "))) for line in ours[:-1]]
    assert said == [deltas_of(body) for body in bodies]


@pytest.mark.parametrize("exchange", pick(is_response))
def test_a_response_has_the_shape_of_the_recorded_one(exchange: Any, api: OpenAI) -> None:  # noqa: ANN401
    recorded = json.loads(body_of(exchange))
    message = next(item for item in recorded["output"] if item["type"] == "message")
    recorded["output"] = [message]  # what the web said is not ours to simulate
    message["content"][0]["annotations"] = []
    counted = Usage(recorded["usage"]["input_tokens"], recorded["usage"]["output_tokens"])
    spoken = Completion(Reply(message["content"][0]["text"]), counted, "end")
    answer = api.whole(read(exchange, api), spoken, Moment(Ids("1"), *MOMENT))
    assert isinstance(answer.body, bytes)
    ours = json.loads(answer.body)
    for tool in recorded["tools"]:
        del (
            tool["search_context_size"],
            tool["user_location"],
        )  # defaults of tools that are OpenAI's
    assert_same_shape(recorded, ours)
    assert list(ours) == list(recorded)
    assert len(ours["id"]) == len(recorded["id"])
    assert not answer.body.endswith(b"\n")


@pytest.mark.parametrize("exchange", list(exchanges()) or [pytest.param(None, id="none")])
def test_headers_are_the_recorded_ones(exchange: Any, api: OpenAI) -> None:  # noqa: ANN401
    recorded = exchange["response"]["headers"]
    spoken = Completion(Reply("Hi"), Usage(9, 1), "end")
    answer = api.whole(read(exchange, api), spoken, Moment(Ids("1"), *MOMENT))
    ours = {name.lower() for name, _ in answer.headers}
    theirs = {name.lower() for name in recorded if "-project-" not in name}  # limits of a project
    assert theirs - _NOT_OURS <= ours
    assert recorded["Content-Type"][0] == (EVENTS if is_stream(exchange) else JSON)


def streamed(bodies: list[Any]) -> Completion:
    """What recorded chunks said."""
    first = bodies[0]["choices"][0]["delta"]["tool_calls"][0]["function"]["name"]
    arguments = "".join(
        piece["function"]["arguments"]
        for body in bodies
        for choice in body["choices"]
        for piece in choice["delta"].get("tool_calls", ())
    )
    message = {
        "content": None,
        "tool_calls": [{"function": {"name": first, "arguments": arguments}}],
    }
    return again(message, bodies[-1]["usage"])


def deltas_of(body: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """The pieces of arguments in a chunk."""
    return [
        piece["function"]["arguments"]
        for choice in body["choices"]
        for piece in choice["delta"].get("tool_calls", ())
    ]
