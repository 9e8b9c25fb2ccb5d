"""Heads of requests are parsed by h11, and those that differ only in the length of the body are parsed once."""

from __future__ import annotations

import h11
import pytest

from harness.wire import http
from harness.wire.http import Connection, HttpRequest, read_head

HEAD = "POST /v1/messages?beta=true HTTP/1.1\r\nHost: api.anthropic.com\r\n{}\r\n\r\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[h11.Connection]:
    """The parsers that were made."""
    made: list[h11.Connection] = []

    def make(role: type[h11.SERVER]) -> h11.Connection:
        made.append(h11.Connection(role))
        return made[-1]

    monkeypatch.setattr(http, "h11", _Instead(make))
    return made


class _Instead:
    """h11 with another way to make a parser."""

    def __init__(self, make: object) -> None:
        self.Connection = make

    def __getattr__(self, name: str) -> object:
        return getattr(h11, name)


def test_heads_that_differ_in_the_length_are_parsed_once(parsed: list[h11.Connection]) -> None:
    for length in range(100):
        raw = HEAD.format(f"X-Once: 1\r\nContent-Length: {length}").encode()
        head = read_head(raw)
        assert (head.raw, head.body_bytes) == (raw, length)
        assert (head.path, head.query) == ("/v1/messages", "beta=true")
        assert head.headers == {
            "host": "api.anthropic.com",
            "x-once": "1",
            "content-length": str(length),
        }
    assert len(parsed) == 1


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\n 6",
        "Content-Length: -5",
        "Content-Length: 5, 6",
        "Content-Length: five",
    ],
)
def test_wrong_lengths_are_no_http(lines: str) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        read_head(HEAD.format(lines).encode())


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        ("Content-Length: 5\r\nContent-Length: 5", 5),
        ("content-length:7", 7),
        ("X-Content-Length: 9", 0),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", None),
    ],
)
def test_length_is_what_h11_takes_it_for(lines: str, length: int | None) -> None:
    assert read_head(HEAD.format(lines).encode()).body_bytes == length


def test_requests_of_different_lengths_follow_one_another_on_a_connection() -> None:
    heard: list[HttpRequest] = []

    def answer(connection: Connection, request: HttpRequest) -> None:
        heard.append(request)
        connection.is_answering = False

    connection = Connection("api.anthropic.com", answer)
    bodies = [b"a" * length for length in (3, 0, 12)]
    for body in bodies:
        connection.write(HEAD.format(f"Content-Length: {len(body)}").encode() + body)
    assert [request.body for request in heard] == bodies
    assert [request.headers["content-length"] for request in heard] == ["3", "0", "12"]
