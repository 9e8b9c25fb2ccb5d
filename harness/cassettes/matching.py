"""Find the recording of a request: by method, host, path, query and canonical JSON body, hashed, so that it is linear."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

from harness.apis import APIS
from harness.cassettes.cassette import Cassette, Interaction, RecordedRequest
from harness.cassettes.credentials import is_credential, scrubbed_body

Matcher = Callable[[RecordedRequest], object]
"""Gives something of a request that its recording must have too."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - compared, not bound
_BOUNDARY = re.compile(r"boundary=\"?([^\";,\s]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What makes two requests the same."""

    ignore: tuple[str, ...] = ()
    """Fields of JSON bodies that are left out, such as `metadata.user_id`; `*` stands for any key or index."""
    by: tuple[Matcher, ...] = ()
    """What of a request must be equal besides."""

    def key(self, request: RecordedRequest) -> bytes:
        """Equal for requests that are the same."""
        host, path = place_of(request.host, request.path)
        parts = [request.method, host, path, _query(request.query)]
        parts += [repr(matcher(request)) for matcher in self.by]
        head = "\n".join(parts).encode("utf-8", "surrogatepass")
        return blake2b(head + b"\n" + self.canonical(request), digest_size=16).digest()

    def canonical(self, request: RecordedRequest) -> bytes:
        """The body as it is compared."""
        body = request.body
        if body.lstrip()[:1] not in (b"{", b"["):
            return _without_boundary(request)
        try:
            data = json.loads(body, parse_float=_number)
        except (ValueError, RecursionError):
            return body
        for path in self.ignore:
            _leave_out(data, path.split("."))
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )


def _number(text: str) -> float | int:
    """Some clients write a whole number as 1.0, and others as 1."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _leave_out(data: Any, path: list[str]) -> None:  # noqa: ANN401 - JSON is anything
    first, *rest = path
    places: Iterable[Any]
    if isinstance(data, list):
        places = range(len(data)) if first == "*" else [int(first)] if first.isdecimal() else []
        places = [place for place in places if place < len(data)]
    elif isinstance(data, dict):
        places = list(data) if first == "*" else [first] if first in data else []
    else:
        return
    for place in places:
        if rest:
            _leave_out(data[place], rest)
        elif isinstance(data, dict):
            del data[place]
        else:
            data[place] = None


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = sorted(
        pair for pair in parse_qsl(query, keep_blank_values=True) if not is_credential(pair[0])
    )
    return repr(pairs)


def _without_boundary(request: RecordedRequest) -> bytes:
    """The parts of a form, without the random line between them."""
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    found = _BOUNDARY.search(kind)
    return request.body if found is None else request.body.replace(found[1].encode(), b"boundary")


@lru_cache(maxsize=1024)
def place_of(host: str, path: str) -> tuple[str, str]:
    """Host and path as they are compared.

    A server on this machine stands in for the API whose paths it has, so that what was recorded there is found for a
    request to the API itself.
    """
    if host not in _LOOPBACK:
        return host, path.rstrip("/") or "/"
    for api in APIS.values():
        base = api.base_of(path, ())
        if base is not None:
            return api.host, api.base_path + path[len(base) :].rstrip("/")
    return "localhost", path.rstrip("/") or "/"


@dataclass(slots=True)
class Recordings:
    """The interactions of a cassette, each to be given once; a retry of a call may be given the same again.

    Args:
        cassette: The cassette.
        matching: What makes two requests the same.
    """

    cassette: Cassette
    matching: Matching = field(default_factory=Matching)
    used: set[int] = field(default_factory=set)
    """Numbers of those that were given."""
    _queues: dict[tuple[bytes, str, str], deque[int]] = field(default_factory=dict)
    """Places of interactions by key, agent and task; `""` stands for any."""
    _agents: frozenset[str] = frozenset()
    _keys: list[bytes] = field(default_factory=list)
    """The key of each interaction."""
    _first: dict[bytes, Interaction] = field(default_factory=dict)
    """The first interaction of each key."""
    _last: tuple[RecordedRequest, bytes] | None = None
    """The latest request whose key was asked for, and its key."""
    _given: dict[str, Interaction] = field(default_factory=dict)
    """The latest that each call was given."""

    def __post_init__(self) -> None:
        if not self._keys:
            self._keys = [self.matching.key(one.request) for one in self.cassette.interactions]
        for place, (one, key) in enumerate(
            zip(self.cassette.interactions, self._keys, strict=True)
        ):
            self._first.setdefault(key, one)
            for names in dict.fromkeys((a, t) for a in (one.agent, "") for t in (one.task, "")):
                self._queues.setdefault((key, *names), deque()).append(place)
        self._agents = frozenset(one.agent for one in self.cassette.interactions if one.agent)

    def begin_anew(self) -> None:
        """Forget what was given, for another run."""
        self._queues.clear()
        self._given.clear()
        self.used.clear()
        self.__post_init__()

    def has(self, request: RecordedRequest) -> bool:
        """Whether a request was recorded, used or not."""
        return self._key_of(request) in self._first

    def take(
        self, request: RecordedRequest, *, agent: str = "", task: str = "", call: str = ""
    ) -> Interaction | None:
        """The recording of a request; the first that is left of the same agent and task, else of others that fit.

        Args:
            request: The request.
            agent: Who asks.
            task: The name of the program's task that asks; empty if it gave it none.
            call: Names the call, so that its retries are known.

        Returns:
            The recording; None if there is none, or none left.
        """
        earlier = self._given.get(call)
        if earlier is not None and _is_final(earlier):
            return earlier  # its client did not get it, and asks again
        key = self._key_of(request)
        # An agent that is known to the cassette gets its own answers alone.
        wanted = [(agent, task), (agent, "")] if agent in self._agents else [("", task), ("", "")]
        for names in wanted:
            found = self._next(key, *names)
            if found is not None:
                self.used.add(found.number)
                if call:
                    self._given[call] = found
                return found
        return earlier

    def peek(self, request: RecordedRequest, *, task: str = "") -> Interaction | None:
        """The recording that a request of an unknown agent would be given next; one that was given, if none is left."""
        key = self._key_of(request)
        for names in (("", task), ("", "")):
            found = self._next(key, *names)
            if found is not None:
                return found
        return self._first.get(key)

    def _next(self, key: bytes, agent: str, task: str) -> Interaction | None:
        queue = self._queues.get((key, agent, task))
        while queue:
            found = self.cassette.interactions[queue[0]]
            if found.number not in self.used:
                return found
            queue.popleft()
        return None

    def _key_of(self, request: RecordedRequest) -> bytes:
        if self._last is None or self._last[0] is not request:
            self._last = request, self._new_key(request)
        return self._last[1]

    def _new_key(self, request: RecordedRequest) -> bytes:
        key = self.matching.key(request)
        if key not in self._first:  # a recorder took secrets out of the body
            without = scrubbed_body(request.body)
            if without != request.body:
                plain = RecordedRequest(
                    method=request.method, url=request.url, headers=request.headers, body=without
                )
                return self.matching.key(plain)
        return key

    @property
    def unused(self) -> list[Interaction]:
        """Those that were not given."""
        return [one for one in self.cassette.interactions if one.number not in self.used]


def _is_final(one: Interaction) -> bool:
    """Whether a client that got this response would not ask again."""
    timing = one.response.timing
    return one.response.status < 400 and (timing is None or timing.complete)
