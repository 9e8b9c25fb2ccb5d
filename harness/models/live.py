"""A model behind its real API, on the real clock, for an agent of a pattern; what it may spend is capped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.apis import AGENT_HEADER
from harness.json_types import JsonObject
from harness.models.api import MALFORMED_REPLY, ModelError, Reply, Request, ToolCall
from harness.models.spending import Purse
from harness.provider import AnyPrices
from harness.spans import SpanLog
from harness.units import Usage

TOOL_TOKENS = 1_000
"""More than what an API adds to a prompt by itself, for tools and for the frame of messages [tokens]."""


@dataclass(slots=True)
class Heard:
    """What came of a call, as far as it came."""

    text: str = ""
    tools: list[tuple[str, str]] = field(default_factory=list)
    """Name and arguments of each tool call; the arguments are JSON."""
    usage: Usage | None = None
    """What the API counted; None if it did not say."""
    truncated: bool = False
    refused: bool = False


class LiveApi(Protocol):
    """A real API, through its SDK."""

    def asked(self, request: Request, model: str, max_tokens: int) -> JsonObject:
        """The body of a request."""

    async def ask(
        self, asked: JsonObject, headers: Mapping[str, str], first: Callable[[], None]
    ) -> Heard:
        """Send it, and hear the stream to its end.

        Args:
            asked: The body.
            headers: Further headers.
            first: Called when the first token is there.

        Raises:
            ModelError: The API refused, or the connection broke.
        """

    async def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel:
    """A model behind its real API."""

    api: LiveApi
    name: str
    """Its name in the API."""
    prices: AnyPrices
    purse: Purse
    max_tokens: int
    """The most that a reply may have [tokens]."""
    log: SpanLog

    async def reply(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            ModelError: The API refused, the connection broke, the reply could not be read, or the cap is reached.
        """
        asked = self.api.asked(request, self.name, self.max_tokens)
        worst_usd = self.prices.cost_usd(Usage(most_tokens(asked), self.max_tokens))
        self.purse.reserve(worst_usd)
        cost_usd = worst_usd  # of a call that is cut off nobody knows what it cost
        span = request.span
        span.start_s = self.log.clock()

        def first() -> None:
            span.first_token_s = self.log.clock()

        try:
            heard = await self.api.ask(asked, {AGENT_HEADER: request.agent}, first)
            if heard.usage is not None:
                cost_usd = self.prices.cost_usd(heard.usage)
        except ModelError as error:
            if error.status is not None:
                cost_usd = 0.0  # what is refused is not billed
            raise
        finally:
            self.purse.settle(worst_usd, cost_usd)
            span.cost_usd = cost_usd
        if heard.usage is not None:
            span.input_tokens, span.output_tokens = heard.usage[:2]
            if heard.usage.cache_read_tokens or heard.usage.cache_write_tokens:
                span.cache_read_tokens = heard.usage.cache_read_tokens
                span.cache_write_tokens = heard.usage.cache_write_tokens
        return _reply(heard)


def most_tokens(asked: JsonObject) -> int:
    """The most tokens that a request can have: no token is less than a byte."""
    return len(json.dumps(asked, ensure_ascii=False).encode()) + TOOL_TOKENS


def _reply(heard: Heard) -> Reply:
    calls = []
    for name, arguments in heard.tools:
        try:
            read = json.loads(arguments or "{}")
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise ModelError(MALFORMED_REPLY, None, f"the arguments of {name} are no JSON object")
        calls.append(ToolCall(name, read))
    return Reply(
        heard.text,
        tuple(calls),
        None if heard.usage is None else heard.usage.output_tokens,
        truncated=heard.truncated,
        refused=heard.refused,
    )


def model_error(error: Any) -> ModelError:  # noqa: ANN401 - of either SDK, which name them alike
    """The error of an SDK, as agents know it."""
    status = getattr(error, "status_code", None)
    if status is None:
        kind = "timeout_error" if "Timeout" in type(error).__name__ else "connection_error"
        return ModelError(kind, None, str(error))
    body = getattr(error, "body", None)
    body = body if isinstance(body, dict) else {}
    inner = body.get("error")
    told = inner if isinstance(inner, dict) else body
    kind = told.get("type") or told.get("code") or f"http_{status}"
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        retry_after_s: float | None = float(headers.get("retry-after", ""))
    except ValueError:  # absent, or a date
        retry_after_s = None
    return ModelError(str(kind), int(status), str(told.get("message") or error), retry_after_s)
