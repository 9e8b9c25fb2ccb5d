"""What a cassette holds: requests, responses, and when each part of a response came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Headers = Sequence[tuple[str, str]]
"""Headers in their order, with the names as they were sent."""

DURATION_HEADERS = ("openai-processing-ms", "x-envoy-upstream-service-time", "server-timing")
"""Response headers in which a server says how long it took, the best first."""

TIMING = "timing"
"""The latency source of an interaction that has its own times."""
PROFILE = "profile"
"""The latency source of an interaction of which no time is known: the model's latency profile."""


class Chunk(NamedTuple):
    """A piece of a body."""

    at_s: float
    """When it came, since the request began [s]."""
    size: int
    """Bytes of the decoded body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a response came; all but `start_s` since its request began [s]."""

    start_s: float = 0.0
    """When the request began, since the recording did [s]."""
    headers_s: float
    """When its headers came."""
    chunks: tuple[Chunk, ...] = ()
    """When the pieces of its body came."""
    end_s: float
    """When its end came, or its client left."""
    complete: bool = True
    """Whether it came to its end."""

    @property
    def first_s(self) -> float:
        """When the first piece of the body came; its end if it has none."""
        return self.chunks[0].at_s if self.chunks else self.end_s


@dataclass(frozen=True, kw_only=True)
class RecordedRequest:
    """A request as it was sent, without secrets."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        parts = urlsplit(self.url)
        return (parts.hostname or "", parts.path or "/", parts.query)

    @property
    def host(self) -> str:
        """The host, without a port."""
        return self._parts[0]

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self._parts[1]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self._parts[2]

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The body as JSON; None if it is none."""
        return json_of(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedResponse:
    """A response as it came, its body decoded, without secrets."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    timing: Timing | None = None
    """When it came; None if the file does not say."""

    def header(self, name: str) -> str:
        """The first value of a header, by its name in lower case; empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def is_stream(self) -> bool:
        """Whether its body is a stream of events."""
        return self.header("content-type").startswith("text/event-stream")

    @property
    def pieces(self) -> tuple[tuple[float, bytes], ...]:
        """The pieces of the body, each with the time at which it came since its request began [s]; needs a timing."""
        assert self.timing is not None, "asked of a response whose times are known"
        at, found = 0, []
        for at_s, size in self.timing.chunks:
            found.append((at_s, self.body[at : at + size]))
            at += size
        if at < len(self.body):  # sizes of another encoding than the body's
            found.append((self.timing.end_s, self.body[at:]))
        return tuple(found)

    @property
    def stated_s(self) -> tuple[str, float] | None:
        """The header that says how long the server took, and that time [s]; None if there is none."""
        for name in DURATION_HEADERS:
            milliseconds = _milliseconds(name, self.header(name))
            if milliseconds is not None:
                return name, milliseconds / 1000
        return None

    @property
    def latency_source(self) -> str:
        """What its time is known from: `timing`, the name of a header, or `profile`."""
        if self.timing is not None:
            return TIMING
        stated = self.stated_s
        return PROFILE if stated is None else stated[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One request and its response."""

    number: int
    """Its place in the file, from 1."""
    request: RecordedRequest
    response: RecordedResponse
    agent: str = ""
    """Who asked; empty if unknown."""
    call: int = 0
    """Which call of that agent it was, from 1; 0 if unknown."""
    task: str = ""
    """The name of the program's task or thread that asked, where the program gave it one."""

    @property
    def latency_source(self) -> str:
        """What its time is known from."""
        return self.response.latency_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Cassette:
    """A recording."""

    path: str
    """The file, as it is named in messages."""
    interactions: tuple[Interaction, ...]
    """In the order in which the requests began, as far as the recorder knew."""


def json_of(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """A body as JSON; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _milliseconds(name: str, value: str) -> float | None:
    if name == "server-timing":  # such as `app;dur=812.4, db;dur=3`; the first that has one
        found = [
            part for part in value.replace(",", ";").split(";") if part.strip().startswith("dur=")
        ]
        value = found[0].strip()[4:] if found else ""
    try:
        milliseconds = float(value)
    except ValueError:  # absent, or masked
        return None
    return milliseconds if 0 <= milliseconds < 1e9 else None
