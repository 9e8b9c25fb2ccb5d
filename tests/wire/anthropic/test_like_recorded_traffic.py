"""Our answers beside recorded ones of the real API: the same names, in the same order, of the same types.

HARNESS_DATA names the folder that holds `cassettes/llm_anthropic` and `cassettes/crewai`, recorded by other projects
between November 2025 and May 2026 with version 2023-06-01; without it this is skipped. A recorded request goes through
our API, and the reply is made of what the recorded one says.
"""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import gzip
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from harness.models import Reply, ToolCall

CASSETTES = Path(os.environ.get("HARNESS_DATA", "no-data"), "cassettes")

pytestmark = pytest.mark.skipif(
    not CASSETTES.is_dir(), reason="HARNESS_DATA does not hold the cassettes"
)

YOUNGER = frozenset({"stop_details", "inference_geo", "caller", "output_tokens_details"})
"""Fields that the API had not had yet when the oldest were recorded."""

OF_THE_SERVER = frozenset({"server_tool_use", "web_search_tool_result", "tool_search_tool_result"})
"""Kinds of blocks that come from tools of the server, which nobody simulates."""


class Recorded(NamedTuple):
    """One recorded exchange."""

    name: str
    request: dict[str, Any]
    headers: dict[str, str]
    body: str

    @property
    def streamed(self) -> bool:
        return self.body.startswith("event:")


def _recordings() -> Iterator[Recorded]:
    for path in sorted(CASSETTES.glob("*/*.yaml")):
        for number, exchange in enumerate(yaml.safe_load(path.read_text("utf-8"))["interactions"]):
            if "api.anthropic.com" not in exchange["request"]["uri"]:
                continue
            response = exchange["response"]
            headers = {name: values[0] for name, values in response["headers"].items()}
            yield Recorded(
                f"{path.stem}-{number}",
                json.loads(exchange["request"]["body"]),
                headers,
                _text(response["body"]["string"]),
            )


def _text(body: str | bytes) -> str:
    if isinstance(body, str):
        return body
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()


def _reply(content: list[Any]) -> Reply:
    """What a recorded message says."""

    def joined(kind: str) -> str:
        return "".join(block[kind] for block in content if block["type"] == kind)

    calls = [block for block in content if block["type"] == "tool_use"]
    wishes = tuple(ToolCall(block["name"], block["input"]) for block in calls)
    return Reply(joined("text"), wishes, thinking=joined("thinking"))


def _content(events: list[tuple[str, Any]]) -> list[Any]:
    """What a recorded stream adds up to."""
    blocks: list[Any] = []
    inputs: dict[int, str] = {}
    for name, data in events:
        if name == "content_block_start":
            blocks.append(dict(data["content_block"]))
        elif name == "content_block_delta":
            block, delta = blocks[data["index"]], data["delta"]
            for key in ("text", "thinking", "signature"):
                if key in delta:
                    block[key] = block.get(key, "") + delta[key]
            if "partial_json" in delta:
                inputs[data["index"]] = inputs.get(data["index"], "") + delta["partial_json"]
    for index, text in inputs.items():
        blocks[index]["input"] = json.loads(text or "{}")
    return blocks


def _shape(value: Any) -> Any:
    """Names in their order and types of values; of lists each element."""
    if isinstance(value, dict):
        return [(name, _shape(value[name])) for name in value if name not in YOUNGER]
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return type(value).__name__


def _bare(content: list[Any]) -> list[Any]:
    """A content without what a tool was given, which is the program's, and without its citations."""
    return [{**block, "input": {}} if "input" in block else block for block in content]


RECORDED = list(_recordings()) if CASSETTES.is_dir() else []
OURS_TOO = [
    one for one in RECORDED if not any(f'"type":"{kind}"' in one.body for kind in OF_THE_SERVER)
]


def _each(recordings: list[Recorded]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("one", recordings, ids=[one.name for one in recordings])


@_each([one for one in OURS_TOO if not one.streamed])
def test_bodies_have_the_same_shape(bench: Any, one: Recorded) -> None:
    recorded = json.loads(one.body)
    ours = bench.answer(one.request, _reply(recorded["content"]), version="2023-06-01")
    assert _bare(_shape(ours)) == _bare(_shape(recorded))
    assert ours["model"] == recorded["model"]
    assert ours["stop_reason"] == recorded["stop_reason"]
    assert [block["type"] for block in ours["content"]] == [
        block["type"] for block in recorded["content"]
    ]
    for name in ("text", "name", "input"):
        assert [block.get(name) for block in ours["content"]] == [
            block.get(name) for block in recorded["content"]
        ]
    for identifier in (ours["id"], recorded["id"]):
        assert re.fullmatch(r"msg_01[1-9A-HJ-NP-Za-km-z]{22}", identifier)


@_each([one for one in OURS_TOO if one.streamed])
def test_streams_have_the_same_events(
    bench: Any, events_of: Callable[[bytes], Any], one: Recorded
) -> None:
    recorded = events_of(one.body.encode())
    reply = _reply(_content(recorded))
    ends = [data["delta"] for name, data in recorded if name == "message_delta"]
    if ends[0]["stop_sequence"]:
        reply = reply._replace(text=reply.text + ends[0]["stop_sequence"])
    ours = bench.events(one.request, reply, version="2023-06-01")

    def once(events: list[tuple[str, Any]]) -> list[Any]:
        """The events, several deltas of one kind in a row as one, without pings."""
        shapes = [(name, _shape(data)) for name, data in events if name != "ping"]
        return [shape for shape, _ in itertools.groupby(shapes)]

    assert once(ours) == once(recorded)
    names = [name for name, _ in ours]
    assert names.count("ping") == [name for name, _ in recorded].count("ping") == 1
    assert ours[-2][1]["delta"]["stop_reason"] == ends[0]["stop_reason"]
    assert ours[-2][1]["delta"]["stop_sequence"] == ends[0]["stop_sequence"]

    def said(content: list[Any]) -> list[Any]:
        return [
            {name: block[name] for name in block if name not in ("id", "signature", "caller")}
            for block in content
        ]

    assert said(_content(ours)) == said(_content(recorded))


@_each([one for one in OURS_TOO if one.streamed])
def test_streams_have_the_same_bytes_between_their_words(bench: Any, one: Recorded) -> None:
    prompt = bench.ask(one.request, version="2023-06-01")
    response = bench.api.stream(prompt, bench.spoken(prompt, Reply("hello there")), bench.moment())
    ours = b"".join(part.data for part in response.body).decode()
    line = re.compile(r"event: (\w+)\ndata: \{(\"type\": ?\"\1\".*?)( {0,15})\}\n\n")
    for text in (ours, one.body):
        assert line.sub("", text).strip() == ""


@_each(RECORDED)
def test_headers_have_the_same_names_and_forms(bench: Any, one: Recorded) -> None:
    prompt = bench.ask(one.request, version="2023-06-01")
    spoken = bench.spoken(prompt, Reply("hello"))
    answer = bench.api.stream if one.streamed else bench.api.whole
    ours = dict(answer(prompt, spoken, bench.moment()).headers)
    framing = {"Transfer-Encoding", "content-length", "Content-Encoding"}
    not_simulated = {"set-cookie", "retry-after"}
    assert set(one.headers) - framing - not_simulated <= set(ours)
    younger = {"vary", "server-timing", "traceresponse", "Content-Security-Policy"}
    seldom = {name for name in ours if "ratelimit-requests" in name}
    seldom |= {"x-envoy-upstream-service-time"}
    assert set(ours) - set(one.headers) <= younger | seldom
    for name, value in one.headers.items():
        if name in ours and not re.search("XXX|FILTERED|SCRUBBED", value):
            assert _form(ours[name]) == _form(value), name


def _form(value: str) -> str:
    """What a header looks like, whatever its numbers and names are."""
    value = re.sub(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3}", "day", value)
    value = re.sub(r"00-[0-9a-f]{32}-[0-9a-f]{16}-", "trace-", value)
    return re.sub(r"\d+", "0", value)


@_each(OURS_TOO)
def test_our_count_of_a_short_prompt_is_near_the_real_one(bench: Any, one: Recorded) -> None:
    counted = int(re.findall(r'"input_tokens":(\d+)', one.body)[0])
    if "image" in str(one.request["messages"]):
        pytest.skip("images have a fixed size here")
    ours = bench.ask(one.request, version="2023-06-01").tokens
    assert 0.5 * counted <= ours <= 2 * counted
