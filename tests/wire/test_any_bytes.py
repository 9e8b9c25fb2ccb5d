"""Whatever a client of `harness serve` sends, it gets an HTTP answer or an end, and the next client is served."""

# ruff: noqa: ANN401 - JSON is anything
from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.kernel.kernel import Kernel
from harness.kernel.sim_thread import Waiter
from harness.models import Content, Request, content_of
from harness.models.plausible import Plausible
from harness.models.replies import Replies
from harness.run.program_world import ProgramWorld, default_providers
from harness.wire.routing import AgentRule
from harness.wire.serve import Door, RealTime, answer_errors
from tests.examples import examples

HEADERS = {
    "Host": "localhost:8123",
    "Authorization": "Bearer k",
    "anthropic-version": "2023-06-01",
}
TOOL = {"name": "look", "description": "x", "parameters": {"type": "object", "properties": {}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "there"},
    ],
    "tools": [{"type": "function", "function": TOOL}],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "auto",
            "tools": [{"type": "function", "function": {"name": "look"}}],
        },
    },
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "stream_options": {"include_usage": True},
    "stream": True,
    "stop": ["END"],
    "n": 2,
    "max_tokens": 100,
    "logprobs": True,
    "top_logprobs": 2,
    "service_tier": "flex",
}
RESPONSE: dict[str, Any] = {
    "model": "gpt-5",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "there"},
        {"type": "mcp_approval_request", "id": "r1", "server_label": "box", "name": "ask"},
        {"type": "mcp_approval_response", "approval_request_id": "r1", "approve": True},
    ],
    "tools": [
        {"type": "function", **TOOL},
        {"type": "web_search", "search_context_size": "low"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {
            "type": "mcp",
            "server_label": "box",
            "server_url": "https://box.example",
            "require_approval": {"always": {"tool_names": ["ask"]}},
        },
    ],
    "tool_choice": {"type": "function", "name": "look"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "reasoning": {"effort": "low"},
    "include": ["reasoning.encrypted_content"],
    "stream_options": {"include_obfuscation": False},
    "stream": True,
    "metadata": {"a": "b"},
    "max_output_tokens": 100,
}
MESSAGE: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    "tools": [{"name": "look", "input_schema": SCHEMA}],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "stop_sequences": ["END"],
}
EMBEDDING: dict[str, Any] = {
    "model": "text-embedding-3-small",
    "input": ["a", "b"],
    "dimensions": 8,
    "encoding_format": "float",
}
BATCH: dict[str, Any] = {
    "requests": [{"custom_id": "a", "params": MESSAGE}, {"custom_id": "b", "params": MESSAGE}]
}
FILE_BATCH: dict[str, Any] = {
    "input_file_id": "file-1",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "metadata": {"a": "b"},
}
BODIES = [
    ("/v1/messages/batches", BATCH),
    ("/v1/batches", FILE_BATCH),
    ("/v1/chat/completions", CHAT),
    ("/v1/responses", RESPONSE),
    ("/v1/messages", MESSAGE),
    ("/v1/embeddings", EMBEDDING),
]


class _Clock:
    """Lets a kernel do at once whatever is due within a virtual hour."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._me = Waiter("a clock that is far ahead")

    def catch_up(self) -> None:
        self._kernel.park(self._me, self._kernel.now_s() + 3600.0)


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Served:
    """A server without a socket."""

    def __init__(self, content: Content | None = None) -> None:
        role = AgentRule(name="agent", content=content or Plausible("agent"))
        self.world = ProgramWorld(
            1, providers=default_providers(), roles=[role], horizon_s=float("inf")
        )
        self.told: list[str] = []
        answer_errors(self.world.server, self.told.append)
        self._clock = cast("RealTime", _Clock(self.world.kernel))

    def send(self, *pieces: bytes) -> _Transport:
        """Send bytes over a new connection."""
        door, transport = Door(self.world.server, self._clock, self.told.append), _Transport()
        door.connection_made(transport)
        for piece in pieces:
            if not transport.closed:
                door.data_received(piece)
        return transport

    def ask(self, path: str, body: bytes, method: str = "POST") -> bytes:
        """Send one request; gives what is answered."""
        return bytes(self.send(request(path, body, method)).written)


def request(path: str, body: bytes, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    if not path.startswith("/v1/messages"):
        lines.remove("anthropic-version: 2023-06-01")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer[9:12])


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[name], (*place, name))


def _changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    copied = copy.deepcopy(value)
    *outer, last = place
    inner = copied
    for step in outer:
        inner = inner[step]
    if new is ...:
        del inner[last]
    else:
        inner[last] = new
    return copied


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [..., None, True, 0, -1, 10**9, 10**400, 1e308, "", "x", "\x00", "\ud800", [], [[]], {}, [{}],
     {"type": "x"}, {"type": []}, [1], ["a", 1], {"a": {"b": []}}, [None], 0.5]
)  # fmt: skip


@settings(
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_request_is_understood_or_told_what_is_wrong(
    served: Served, data: st.DataObject
) -> None:
    path, whole = data.draw(st.sampled_from(BODIES))
    place = data.draw(st.sampled_from(list(_places(whole))))
    body = _changed(whole, place, data.draw(ODD))
    served.told.clear()
    answer = served.ask(path, json.dumps(body).encode())
    assert status_of(answer) in (200, 400, 404), answer[:300]
    assert not [line for line in served.told if "Traceback" in line], served.told


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/chat/completions", b"[" * 100_000, 400),
        ("/v1/messages", b"[" * 100_000, 400),
        ("/v1/messages", b'{"a":' * 500 + b"1" + b"}" * 500, 400),
        ("/v1/chat/completions", b'{"model": "gpt-4o", "messages": "\\ud800"}', 400),
        ("/v1/messages", b'{"model": "\\udfff"}', 400),
        ("/v1/messages", b'{"model": "\xff"}', 400),
        ("/v1/responses", b'{"model": NaN}', 400),
        ("/v1/chat/completions", b"", 400),
        ("/nothing", b"", 400),
    ],
)
def test_body_that_is_no_json_of_the_api_is_told_so(
    served: Served, path: str, body: bytes, status: int
) -> None:
    served.told.clear()
    assert status_of(served.ask(path, body)) == status
    assert served.told == []


@pytest.mark.parametrize(
    ("path", "whole", "change", "named"),
    [
        ("/v1/chat/completions", CHAT, {"n": 1_000_000}, b"'n'"),
        ("/v1/chat/completions", CHAT, {"n": 0}, b"'n'"),
        ("/v1/chat/completions", CHAT, {"max_tokens": 0}, b"'max_tokens'"),
        ("/v1/chat/completions", CHAT, {"top_logprobs": 99}, b"'top_logprobs'"),
        ("/v1/chat/completions", CHAT, {"tools": CHAT["tools"] * 129}, b"'tools'"),
        ("/v1/chat/completions", CHAT, {"stop": ["a"] * 5}, b"'stop'"),
        ("/v1/embeddings", EMBEDDING, {"dimensions": 10**9}, b"dimensions"),
        ("/v1/embeddings", EMBEDDING, {"input": ["a"] * 2049}, b"input"),
        ("/v1/chat/completions", CHAT, {"audio": {"voice": "alloy"}}, b"does not simulate 'audio'"),
        ("/v1/responses", RESPONSE, {"prompt": {"id": "a"}}, b"does not simulate 'prompt'"),
    ],
)  # fmt: skip
def test_what_is_too_much_or_not_simulated_is_an_error_that_names_it(
    served: Served, path: str, whole: Any, change: dict[str, Any], named: bytes
) -> None:
    answer = served.ask(path, json.dumps({**whole, **change}).encode())
    assert status_of(answer) == 400
    assert named in answer


@pytest.mark.parametrize("keyword", ["minItems", "minLength", "minProperties"])
def test_huge_made_up_value_is_an_error_that_names_it(served: Served, keyword: str) -> None:
    kinds = {"minItems": "array", "minLength": "string", "minProperties": "object"}
    schema = {**SCHEMA, "properties": {"a": {"type": kinds[keyword], keyword: 1e9}}}
    body = {**MESSAGE, "tools": [{"name": "look", "input_schema": schema}]}
    answer = served.ask("/v1/messages", json.dumps(body).encode())
    assert status_of(answer) == 400
    assert b"10,000 parts" in answer


def test_body_that_is_too_large_is_refused_before_it_has_come(served: Served) -> None:
    head = request("/v1/messages", b"").replace(b"Content-Length: 0", b"Content-Length: 999999999")
    transport = served.send(head)
    assert status_of(bytes(transport.written)) == 413
    assert b"request_too_large" in transport.written
    assert transport.closed


def test_chunks_that_never_end_are_not_kept(served: Served) -> None:
    head = request("/v1/messages", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    transport = served.send(head, *[chunk] * 40)
    assert status_of(bytes(transport.written)) == 413
    assert transport.closed


def test_headers_that_never_end_are_not_kept(served: Served) -> None:
    transport = served.send(b"GET / HTTP/1.1\r\n", *[b"x: " + b"y" * 10_000 + b"\r\n"] * 8)
    assert status_of(bytes(transport.written)) == 431
    assert transport.closed


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(
        st.binary(max_size=40)
        | st.sampled_from([b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"Content-Length: 5\r\n",
                           b"POST /v1/messages HTTP/1.1\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n"]),
        max_size=8,
    )
)  # fmt: skip
def test_any_bytes_are_answered_or_waited_for(served: Served, pieces: list[bytes]) -> None:
    served.told.clear()
    written = bytes(served.send(*pieces).written)
    assert written == b"" or written.startswith(b"HTTP/1.1 ")
    assert served.told == []
    assert status_of(served.ask("/v1/chat/completions", json.dumps(CHAT).encode())) == 200


def test_script_that_runs_out_in_a_batch_is_the_error_of_one_result() -> None:
    served = Served(Replies("agent", ["once"]))
    headers = {"model": "claude-sonnet-4-6", "max_tokens": 9}
    params = {**headers, "messages": [{"role": "user", "content": "hi"}]}
    wishes = {"requests": [{"custom_id": name, "params": params} for name in "ab"]}
    batch = body_of(served.ask("/v1/messages/batches", json.dumps(wishes).encode()))
    path = f"/v1/messages/batches/{json.loads(batch)['id']}"
    while json.loads(body_of(served.ask(path, b"", "GET")))["processing_status"] != "ended":
        pass
    lines = [
        json.loads(line) for line in body_of(served.ask(f"{path}/results", b"", "GET")).splitlines()
    ]
    assert sorted(line["result"]["type"] for line in lines) == ["errored", "succeeded"]
    assert any("ran out" in line for line in served.told)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=200), purpose=st.sampled_from([b"batch", b"", b"\xff"]))
def test_any_upload_is_taken_or_told_what_is_wrong(
    served: Served, body: bytes, purpose: bytes
) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + purpose
    form += b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    kind = "Content-Type: multipart/form-data; boundary=x\r\n"
    for whole in (form + body + b"\r\n--x--\r\n", body):
        head = request("/v1/files", whole).replace(b"Host:", kind.encode() + b"Host:", 1)
        served.told.clear()
        answer = bytes(served.send(head).written)
        assert status_of(answer) in (200, 400)
        assert served.told == []
        if status_of(answer) == 200:
            path = f"/v1/files/{json.loads(body_of(answer))['id']}/content"
            assert body_of(served.ask(path, b"", "GET")) == body


def test_a_file_goes_to_the_api_that_its_client_speaks(served: Served) -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhi\r\n--x--\r\n'
    )
    kind = "Content-Type: multipart/form-data; boundary=x\r\n"
    for more, words in (
        ("", "Missing required parameter: 'purpose'"),
        ("anthropic-version: 2023-06-01\r\n", '"id":"file_011C'),
    ):
        head = request("/v1/files", form).replace(b"Host:", f"{more}{kind}Host:".encode(), 1)
        assert words in bytes(served.send(head).written).decode()


def test_head_of_an_answer_comes_without_its_body(served: Served) -> None:
    answer = served.ask("/", b"", "HEAD")
    assert status_of(answer) == 200
    assert answer.endswith(b"\r\n\r\n")
    assert b"harness" in served.ask("/", b"", "GET")


def test_client_that_waits_to_be_told_to_go_on_is(served: Served) -> None:
    body = json.dumps(CHAT).encode()
    head, _, _ = request("/v1/chat/completions", body).partition(b"\r\n\r\n")
    transport = served.send(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert bytes(transport.written) == b"HTTP/1.1 100 Continue\r\n\r\n"


PLAIN = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}).encode()


async def _awaiting(request: Request) -> str:
    await asyncio.sleep(2)
    return "so"


def test_reply_that_awaits_is_answered_by_a_server_on_a_socket_too() -> None:
    served = Served(content_of("agent", _awaiting))
    for number in (1, 2):
        assert status_of(served.ask("/v1/chat/completions", PLAIN)) == 200
        assert len(served.world.calls) == number
    served.world.end()


def test_error_of_a_reply_is_the_answer_of_a_server_on_a_socket() -> None:
    served = Served(content_of("agent", lambda _: 1 / 0))  # type: ignore[arg-type]
    assert status_of(served.ask("/v1/chat/completions", PLAIN)) == 500
    assert "ZeroDivisionError" in served.told[0]
    served.world.end()
