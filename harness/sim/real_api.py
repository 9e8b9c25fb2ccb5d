"""Ask the real API for a run that records: with the real key, on real threads, and with the times at which pieces come."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from harness import wall
from harness.apis import APIS
from harness.cassettes import CassetteError, RecordedRequest, RecordedResponse, Timing
from harness.cassettes.cassette import Chunk
from harness.cassettes.matching import place_of
from harness.environment import hidden_values
from harness.kernel.current_world import this_thread
from harness.virtual.outside import opened_for_reporters
from harness.virtual.reality import really

_AT_ONCE = 64
_TIMEOUT_WALL_S = 600.0
_NOT_SENT = frozenset(
    {"host", "connection", "content-length", "accept-encoding", "transfer-encoding"}
)


class RealApi:
    """Sends requests for real. Requests of one moment of a run are under way at the same time."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, asked: RecordedRequest) -> Future[RecordedResponse]:
        """Send a request now; the run goes on until it needs the response."""
        if this_thread.world is None:
            return self._submit(asked)
        return really(self._submit, asked)

    def _submit(self, asked: RecordedRequest) -> Future[RecordedResponse]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, "a real API")
        return self._pool.submit(_sent, asked, tuple(_real_variables()))

    def end(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def outcome(future: Future[RecordedResponse]) -> RecordedResponse:
    """Wait for a response while virtual time stands still.

    Raises:
        CassetteError: There is none.
    """
    return future.result() if this_thread.world is None else really(future.result)


def _real_variables() -> Iterator[tuple[str, str]]:
    """The environment as it is outside of runs, the outermost last."""
    yield from os.environ.items()
    yield from reversed(hidden_values())


def _sent(asked: RecordedRequest, variables: tuple[tuple[str, str], ...]) -> RecordedResponse:
    real = dict(variables)
    scheme, host, path = _address(asked, real)
    headers = {
        name: _with_real_keys(value, host, real)
        for name, value in asked.headers
        if name.lower() not in _NOT_SENT
    }
    with opened_for_reporters():
        try:
            return _exchange(scheme, host, path, asked, headers)
        except (OSError, http.client.HTTPException) as error:
            raise CassetteError(
                f"the real API cannot be reached at {scheme}://{host}: {error}\n"
                '  How to fix: see that the address and the network are right, or replay with mode="none"'
            ) from None


def _address(asked: RecordedRequest, real: dict[str, str]) -> tuple[str, str, str]:
    """Scheme, host with port, and path of the real API; a base URL of the environment leads elsewhere."""
    parts = urlsplit(asked.url)
    query = f"?{parts.query}" if parts.query else ""
    compared, path = place_of(asked.host, asked.path)
    for api in APIS.values():
        base = urlsplit(real.get(api.base_url, "")) if api.host == compared else None
        if base is not None and base.netloc:
            return (
                base.scheme,
                base.netloc,
                base.path.rstrip("/") + path[len(api.url_path) :] + query,
            )
    if compared == "localhost" or asked.host in ("localhost", "127.0.0.1", "::1"):
        named = dict(asked.headers).get("host", parts.netloc)
        return "http", named, asked.path + query
    return "https", parts.netloc, asked.path + query


def _with_real_keys(value: str, host: str, real: dict[str, str]) -> str:
    """A header with the user's key in place of the one that a run provides.

    Raises:
        CassetteError: There is no key.
    """
    for api in APIS.values():
        for name, made_up in api.provided.items():
            if made_up not in value or not name.endswith("_API_KEY"):
                continue
            key = next((real[one] for one in (name, *api.other_keys) if real.get(one)), None)
            if not key or key == made_up:
                raise CassetteError(
                    f"there is no key for {host}: {name} is not set\n"
                    f'  How to fix: set {name}, or replay with mode="none"'
                )
            value = value.replace(made_up, key)
    return value


def _exchange(
    scheme: str, host: str, path: str, asked: RecordedRequest, headers: dict[str, str]
) -> RecordedResponse:
    connect = http.client.HTTPConnection
    if scheme == "https":
        connect = partial(http.client.HTTPSConnection, context=ssl.create_default_context())  # type: ignore[assignment]  # makes one
    connection = connect(host, timeout=_TIMEOUT_WALL_S)
    began_s = wall.elapsed_s()
    try:
        connection.request(asked.method, path, asked.body or None, headers)
        answer = connection.getresponse()
        headers_s = wall.elapsed_s() - began_s
        body, chunks = bytearray(), []
        while data := answer.read1(2**16):
            body += data
            chunks.append(Chunk(round(wall.elapsed_s() - began_s, 6), len(data)))
        end_s = round(wall.elapsed_s() - began_s, 6)
        found = tuple(
            pair
            for pair in answer.getheaders()
            if pair[0].lower() not in ("content-length", "transfer-encoding")
        )
        timing = Timing(headers_s=round(headers_s, 6), chunks=tuple(chunks), end_s=end_s)
        return RecordedResponse(
            status=answer.status,
            reason=answer.reason,
            headers=found,
            body=bytes(body),
            timing=timing,
        )
    finally:
        connection.close()
