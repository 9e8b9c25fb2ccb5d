"""Sending to a collector: one that takes everything, and all those that do not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.trace import post as post_module
from harness.trace.names import GEN_AI
from harness.trace.otlp import otlp_bodies
from harness.trace.post import Sent, post
from harness.trace.run import TracedRun

SECRET = "s3cr3t-k3y"


class Collector(ThreadingHTTPServer):
    """Keeps what it gets, and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.answer = b"{}"
        self.location = ""
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "http_proxy", "HTTP_PROXY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def refused(url: str, *bodies: tuple[int, bytes]) -> str:
    with pytest.raises(HarnessError) as caught:
        post(url, bodies or [(1, b"{}")])
    assert "How to fix: " in str(caught.value)
    return str(caught.value)


def test_a_collector_gets_all_spans_in_bounded_bodies(
    collector: Collector, traced: TracedRun
) -> None:
    assert post(collector.url, otlp_bodies([traced], GEN_AI)) == Sent(len(traced.spans), 0, "")
    assert {path for path, _, _ in collector.got} == {"/v1/traces"}
    assert {headers["Content-Type"] for _, headers, _ in collector.got} == {"application/json"}
    spans = [
        span
        for _, _, body in collector.got
        for resource in body["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert len({span["spanId"] for span in spans}) == len(spans) == len(traced.spans)


@pytest.mark.parametrize(
    ("end", "path"),
    [
        ("", "/v1/traces"),
        ("/", "/v1/traces"),
        ("/api/public/otel/v1/traces", "/api/public/otel/v1/traces"),
        ("/x?key=1#part", "/x?key=1"),
    ],
)
def test_the_path_is_that_of_the_address_or_the_usual_one(
    collector: Collector, end: str, path: str
) -> None:
    post(collector.url + end, [(1, b"{}")])
    assert collector.got[0][0] == path


def test_headers_come_from_the_environment(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Basic%20{SECRET}, x-a=1,x-b=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-b=2")
    post(collector.url, [(1, b"{}")])
    headers = {name.lower(): value for name, value in collector.got[0][1].items()}
    assert headers["authorization"] == f"Basic {SECRET}"
    assert (headers["x-a"], headers["x-b"]) == ("1", "2")


@pytest.mark.parametrize(
    "value", [SECRET, f"a b={SECRET}", f"={SECRET}", f"x={SECRET}%0d%0aevil: 1", f"x=é{SECRET}"]
)
def test_headers_that_are_none_are_told_without_their_values(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"ok=1,{value}")
    said = refused(collector.url)
    assert "OTEL_EXPORTER_OTLP_HEADERS: header 2 is not of the form name=value" in said
    assert SECRET not in said
    assert collector.got == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}', Sent(5, 3, "too old")),
        (b'{"partialSuccess": {"rejectedSpans": 3}}', Sent(5, 3, "")),
        (b'{"partialSuccess": {"errorMessage": "use gzip"}}', Sent(5, 0, "use gzip")),
        (b'{"partialSuccess": {"rejectedSpans": "-1"}}', Sent(5, 0, "")),
        (b'{"partialSuccess": 3}', Sent(5, 0, "")),
        (b"[]", Sent(5, 0, "")),
        (b"thanks", Sent(5, 0, "")),
        (b"", Sent(5, 0, "")),
    ],
)  # fmt: skip
def test_what_a_collector_rejects_is_told(
    collector: Collector, answer: bytes, expected: Sent
) -> None:
    collector.answer = answer
    assert post(collector.url, [(5, b"{}")]) == expected


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "see what it says"), (401, "OTEL_EXPORTER_OTLP_HEADERS"), (404, "name the path"), (503, "see what it says")],
)  # fmt: skip
def test_a_refusal_is_told_with_what_was_said(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, status: int, advice: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"x-key={SECRET}")
    collector.status, collector.answer = status, f"no, {SECRET} will not do\nmore".encode()
    said = refused(collector.url, (1, b"{}"), (1, b"{}"))
    assert f"refused the trace: HTTP {status}, no, *** will not do\n" in said
    assert advice in said
    assert len(collector.got) == 1  # the rest is not tried


def test_nobody_is_followed_elsewhere_with_our_headers(collector: Collector) -> None:
    collector.status, collector.location = 302, f"{collector.url}/elsewhere"
    assert "HTTP 302" in refused(collector.url)
    assert [path for path, _, _ in collector.got] == ["/v1/traces"]


def test_a_collector_that_is_not_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refused(f"http://127.0.0.1:{port}")
    assert f"the collector at http://127.0.0.1:{port}/v1/traces cannot be reached: " in said


def test_a_collector_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "TIMEOUT_WALL_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        said = refused(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "did not answer within 0.05 s" in said


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:4318", "ftp://localhost", "file:///etc/passwd", "http://", "http://:80", "http://h:99999", "http://h:0",
        "http://h:x", "http://h/\r\nx", "http://h/é", "http://h/a b", "http://[::1",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told(url: str) -> None:
    assert "is not the address of a collector" in refused(url)


@pytest.mark.parametrize("scheme", ["http://", "ftp://", ""])
def test_secrets_of_an_address_are_not_shown(scheme: str) -> None:
    said = refused(f"{scheme}me:{SECRET}@host:1/p?key={SECRET}")
    assert SECRET not in said
    assert f"{scheme}host:1/p" in said
