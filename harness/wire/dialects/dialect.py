"""A dialect as data: functions between what a vendor has on the wire and what the API has at its own host."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.provider.limits import NO_QUOTA
from harness.units import Usage
from harness.wire.api import Api, Completion, Ids, Moment, Prompt, Understood
from harness.wire.http import HttpRequest, HttpResponse, Part


class Answered(NamedTuple):
    """An answer to a prompt, as the API writes it, and what it was made of."""

    response: HttpResponse
    prompt: Prompt
    spoken: Completion
    moment: Moment

    @property
    def chunks(self) -> bool:
        """Whether it is a stream of Chat Completions."""
        body = self.response.body
        first = None if isinstance(body, bytes) or not body else event_of(body[0])
        return first is not None and first.get("object") == "chat.completion.chunk"


class Refused(Exception):  # noqa: N818 - nothing is wrong but the request
    """A request that the vendor's own front rejects before the API sees it.

    Args:
        status: HTTP status.
        body: The vendor's error.
        headers: What else it sends.
    """

    def __init__(
        self, status: int, body: JsonObject, headers: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(status, body)
        self.response = HttpResponse(
            status, [("Content-Type", "application/json"), *(headers or [])], encoded(body)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs at a vendor; a function that is not stated changes nothing."""

    paths: re.Pattern[str] | None = None
    """What is in the path of a request for it, where another API is at the same hosts; None if the base path tells."""
    request: Callable[[HttpRequest], HttpRequest] = lambda http: http
    """The request as it would be at the API's own host, up to the base path; raises `Refused`."""
    answer: Callable[[Answered], HttpResponse] = lambda it: it.response
    """An answer, whole or streamed."""
    error: Callable[[HttpResponse, Moment], HttpResponse] = lambda response, _: response
    """The error response of a refused attempt or a rejected request."""
    broken_off: Callable[[bytes], bytes] = lambda event: event
    """The event that ends a stream early."""


class Translated:
    """An API in a dialect, as the server sees it.

    Args:
        api: The API.
        dialect: The dialect.
    """

    def __init__(self, api: Api, dialect: Dialect) -> None:
        self._api = api
        self._dialect = dialect

    def read(self, http: HttpRequest, ids: Ids) -> Understood:
        """Parse a request whose path is translated already."""
        understood = self._api.read(http, ids)
        if not isinstance(understood, HttpResponse) or understood.status < 400:
            return understood
        return self._dialect.error(understood, Moment(ids, 0.0, 0.0, NO_QUOTA))

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """Input usage of a prompt."""
        return self._api.usage(prompt, now_s)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Put a prompt into the cache."""
        self._api.remember(prompt, now_s)

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        response = self._api.whole(prompt, spoken, moment)
        return self._dialect.answer(Answered(response, prompt, spoken, moment))

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream."""
        response = self._api.stream(prompt, spoken, moment)
        return self._dialect.answer(Answered(response, prompt, spoken, moment))

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""
        return self._dialect.error(self._api.refused(refusal, moment), moment)

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""
        return self._dialect.broken_off(self._api.broken_off(refusal, moment))


def encoded(body: object) -> bytes:
    """Compact JSON; a half of a surrogate pair as its escape."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def event_of(part: Part) -> JsonObject | None:
    """The JSON of an event of a stream; None of one that has none, such as `[DONE]`."""
    _, found, data = part.data.partition(b"data: ")
    if not found or not data.startswith(b"{"):
        return None
    event: JsonObject = json.loads(data)
    return event
