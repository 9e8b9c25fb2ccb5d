"""Keep secrets out of cassettes: an allow-list of headers, credentials in URLs, and secrets in bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from harness.cassettes.cassette import Chunk, Headers, RecordedRequest, RecordedResponse
from harness.cassettes.credentials import (
    SECRET_HEADER,
    is_credential,
    scrubbed_body,
    scrubbed_text,
    scrubbed_url,
)
from harness.cassettes.stream_secrets import scrubbed_stream
from harness.scrub import REMOVED

REQUEST_HEADERS = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "openai-beta",
        "retry-after",
        "transfer-encoding",
        "user-agent",
        "x-harness-agent",
    ]
)
"""Headers of requests that are kept, besides those that begin as `KEPT_PREFIXES` say."""

RESPONSE_HEADERS = frozenset(
    [
        "cache-control",
        "cf-ray",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "server",
        "server-timing",
        "transfer-encoding",
        "vary",
        "x-envoy-upstream-service-time",
        "x-request-id",
        "x-should-retry",
    ]
)
"""Headers of responses that are kept."""

_NOTSECRET_HEADERS = frozenset(
    {"idempotency-key", "x-stainless-idempotency-key", "sec-websocket-key"}
)

KEPT_PREFIXES = ("x-stainless-", "anthropic-ratelimit-", "x-ratelimit-", "anthropic-fallback-")

Scrubber = Callable[[str], str]
"""Takes secrets out of a text that goes into a file; of the user's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbing:
    """What is taken out of requests and responses before they are written."""

    scrubbers: tuple[Scrubber, ...] = ()
    """Functions of the user's own; each is given every text, after what is built in."""
    keep_headers: frozenset[str] = frozenset()
    """Headers that are kept besides, by their names in lower case."""
    known: tuple[str, ...] = ()
    """Values that are secrets, the longest first."""

    def knowing(self, request: RecordedRequest, response: RecordedResponse) -> Scrubbing:
        """The same, for an exchange whose credentials are known: they are taken out wherever they stand."""
        found = {
            part
            for headers in (request.headers, response.headers)
            for part in _credentials(headers)
        }
        found |= {value for name, value in parse_qsl(request.query) if is_credential(name)}
        long = sorted(
            (each for each in found if len(each) >= _KNOWN_MIN), key=lambda each: (-len(each), each)
        )
        return replace(self, known=(*self.known, *long))

    def request(self, request: RecordedRequest) -> RecordedRequest:
        """A request without secrets."""
        return replace(
            request,
            url=self._text(scrubbed_url(request.url)),
            headers=self._headers(request.headers, REQUEST_HEADERS),
            body=self._body(request.body),
        )

    def response(self, response: RecordedResponse) -> RecordedResponse:
        """A response without secrets; the sizes of its chunks fit what is left."""
        body = response.body
        timing = response.timing
        if timing is None or not timing.chunks:
            body = self._body(body)
        else:
            without = self._body(body)
            if without != body:
                timing = replace(timing, chunks=_resized(timing.chunks, body, without))
                body = without
        headers = self._headers(response.headers, RESPONSE_HEADERS)
        return replace(response, headers=headers, body=body, timing=timing)

    def text(self, text: str) -> str:
        """A text without secrets."""
        return self._text(scrubbed_text(text))

    def _headers(self, headers: Headers, allowed: frozenset[str]) -> Headers:
        return tuple(
            (name, self._text(scrubbed_text(value)))
            for name, value in headers
            if name.lower() in allowed
            or name.lower() in self.keep_headers
            or name.lower().startswith(KEPT_PREFIXES)
        )

    def _body(self, body: bytes) -> bytes:
        for value in self.known:
            body = body.replace(value.encode("utf-8", "surrogatepass"), REMOVED.encode())
        body = scrubbed_body(body)
        if body.startswith((b"data:", b"event:")):
            body = scrubbed_stream(body, self.text)
        if not self.scrubbers:
            return body
        try:
            return self._text(body.decode()).encode()
        except UnicodeDecodeError:
            return body

    def _text(self, text: str) -> str:
        for value in self.known:
            text = text.replace(value, REMOVED)
        for scrubber in self.scrubbers:
            text = scrubber(text)
        return text


_KNOWN_MIN = 8
"""Shorter values are words [characters]."""


def _credentials(headers: Headers) -> Iterator[str]:
    """The secrets in the headers of an exchange: the whole values, and what follows the word for their kind."""
    for name, value in headers:
        if SECRET_HEADER.match(name) or (
            is_credential(name) and name.lower() not in _NOTSECRET_HEADERS
        ):
            yield value
            yield from (part.partition("=")[2] or part for part in re.split(r"[;,\s]+", value))


def _resized(chunks: Sequence[Chunk], body: bytes, without: bytes) -> tuple[Chunk, ...]:
    """The chunks of a body from which something was taken out, so that each text stays in its chunk."""
    found: list[Chunk] = []
    place = before = 0
    for chunk in chunks:
        place += chunk.size
        end = min(max(before, _end_in(without, body, place)), len(without))
        found.append(Chunk(chunk.at_s, end - before))
        before = end
    return tuple(found)


def _end_in(without: bytes, body: bytes, place: int) -> int:
    """The place in a scrubbed body that a place in the body has become."""
    if without.startswith(body[:place]):
        return place
    if without.endswith(body[place:]):
        return len(without) - (len(body) - place)
    return round(len(without) * place / len(body))  # something was taken out on both sides
