"""The model protocol, for scripted, recorded and real replies.

A model decides the content of a reply. The provider decides when it comes, and whether (`served.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from harness.cassettes import RecordedResponse
from harness.json_types import JsonObject
from harness.models.server_tool import ServerTool
from harness.provider.latency import RecordedLatency
from harness.provider.prompt_cache import Prefix
from harness.provider.service import REFUSAL_S
from harness.provider.stated import StatedService, Treatment
from harness.rate_limits import limit_in
from harness.spans import Span
from harness.units import Usage

# What the SDKs of Anthropic and OpenAI retry by themselves (anthropic/_base_client.py, _should_retry).
_RETRYABLE_STATUS = frozenset({408, 409, 429})
_SERVER_ERROR_MIN = 500
_TOO_MANY_REQUESTS = 429

ToolChoice = Literal["auto", "any", "none"]
"""Whether a model may, must or must not call a tool."""

MALFORMED_REPLY = "malformed_reply"
"""Error type of a reply that cannot be parsed."""


class ToolCall(NamedTuple):
    """A model's request to call a tool."""

    tool: str
    """The tool's name."""
    arguments: JsonObject


class ToolResult(NamedTuple):
    """The result of a tool call."""

    tool: str
    """The tool's name."""
    text: str
    is_error: bool = False


class ChatMessage(NamedTuple):
    """One message of a conversation with a model, whatever API it came through."""

    role: str
    """`user` or `assistant`."""
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()


class Recording(NamedTuple):
    """A recorded response, as it is to be replayed."""

    response: RecordedResponse
    latency: RecordedLatency | None
    """How long it takes; None means what the model's profile says."""
    source: str
    """What its time is known from, as spans show it."""
    usage: Usage
    """What the provider counted."""
    tool_ids: tuple[str, ...] = ()
    """The id of each tool call."""
    as_bytes: bool = True
    """Whether its bytes are sent as they came; else an API writes what it says."""


class StatedClaim(NamedTuple):
    """A claim that a stub states in a reply."""

    text: str
    """Its words; it goes wherever they go, if they are part of the reply, and with the whole reply otherwise."""
    is_true: bool = True


class Reply(NamedTuple):
    """A model's reply."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Tools it wants to be used before it goes on."""
    output_tokens: int | None = None
    """Size of the reply [tokens]; None if unknown."""
    truncated: bool = False
    """Whether it was cut off before its end."""
    correct: bool | None = None
    """Whether it is right; None when the scenario says nothing of accuracy."""
    thinking: str = ""
    """What it thought before it spoke."""
    refused: bool = False
    """Whether the model declined to answer."""
    as_is: bool = False
    """Whether it is sent as a deliberate fault even if it does not obey the request."""
    body: bytes = b""
    """The answer as a real API gave it, where it was recorded; kept beside what was read from it."""
    recorded: Recording | None = None
    """The recorded response that it was read from, to be replayed as it came."""
    claims: tuple[StatedClaim, ...] = ()
    """What it claims, where the stub states that; otherwise the whole reply is one claim of an agent with an accuracy."""
    thinking_tokens: int | None = None
    """Size of its thoughts [tokens]; None means that of `thinking`, or what a model that thinks by itself would need."""
    thinking_is_redacted: bool = False
    """Whether its thoughts come encrypted, because a filter found them unsafe."""
    server_tools: tuple[ServerTool, ...] = ()
    """Tools that the provider uses before the text."""
    cites: tuple[str, ...] = ()
    """Passages that the text cites, of documents and search results in the request or of what server tools found."""
    alternatives: tuple[str, ...] = ()
    """Other texts that the model could have said, for requests that want several choices."""


@dataclass(slots=True)
class Request:
    """One call of a model, as an agent makes it.

    It lives as long as the call. Every attempt increments `attempt` and puts its own span into `span`, which is filled in
    by the code that serves the attempt.
    """

    agent: str
    """Who asks."""
    model: str
    """Which model is asked; the name in the scenario."""
    prompt: str
    """The text of the last message to the model."""
    input_tokens: int
    """Size of everything it was told [tokens]."""
    key: str
    """Key of the draws of this call: task, agent, and ordinal of the call of that agent in that task."""
    call_in_task: int
    """1 for the first call of this agent in this task."""
    call_in_run: int
    """1 for the first call of this agent in this run."""
    span: Span
    """The span of the current attempt; of the call before the first."""
    system: str = ""
    """The system prompt."""
    tools: tuple[str, ...] = ()
    """Names of the tools it may use."""
    output_tokens: int | None = None
    """Size of the answer if the workload knows it [tokens]."""
    said: tuple[ChatMessage, ...] = ()
    """All that was said so far; empty where that is the prompt alone."""
    attempt: int = 0
    """1 for the first attempt; 0 before it."""
    latency_factor: float = 1.0
    """How many times slower than usual the provider is for the current attempt."""
    stated: StatedService | None = None
    """How long the provider serves the current attempt; None means what the model's profile says."""
    address: str = ""
    """Names the call among those of the run, whatever else runs: who asks what, and how often before."""
    body: bytes = b""
    """The request as the program sent it; empty where there is no wire."""
    wanted: JsonObject | None = None
    """The JSON Schema that the reply must keep, where one is asked for."""
    wanted_tool: str = ""
    """The tool that the model must use, where one is named."""
    tool_choice: ToolChoice = "auto"
    """Whether the model may, must or must not call a tool."""
    tool_schemas: Mapping[str, JsonObject] = field(default_factory=dict)
    """The JSON Schema of each tool's arguments, where it is known."""
    priority: int = 0
    """How much its task matters; 0 the least."""
    prefix: Prefix | None = None
    """The blocks of the prompt, for a prompt cache; None if they are not known."""
    customer: str = ""
    """Whom its task is for; empty if that is not stated."""
    treatment: Treatment | None = None
    """How the current attempt is treated otherwise than others; None for not at all."""
    cost_usd: float = 0.0
    """Cost of the attempts that have ended [USD]; NaN if a price is unknown."""
    sample: int = 1
    """Which sample of a call that is asked several times at once; 1 for all other calls."""
    ended: Span | None = None
    """The span of the attempt that ended last; None before."""
    misled: tuple[Mislead, ...] = ()
    """What faults do to how the current attempt is read and answered."""
    cut: Callable[[], None] | None = None
    """Ends the current attempt because whoever answers it has crashed; None where nothing is being answered, or it cannot be ended."""
    call_span: Span = field(init=False)
    """The span of the call; the parent of waits."""

    def __post_init__(self) -> None:
        self.call_span = self.span

    @property
    def conversation(self) -> tuple[ChatMessage, ...]:
        """The conversation so far."""
        return self.said or ((ChatMessage("user", self.prompt),) if self.prompt else ())

    @property
    def last_user_text(self) -> str:
        """The last text that came from the user, and not from a tool."""
        for said in self.conversation[::-1]:
            if said.role == "user" and said.text:
                return said.text
        return self.prompt

    @property
    def tool_results(self) -> tuple[ToolResult, ...]:
        """Results of the latest tool calls; empty if the last message is the user's."""
        return self.said[-1].tool_results if self.said else ()

    def refusal_after_s(self, now_s: float) -> float:
        """Time from the arrival of the current attempt to its refusal [s]: one round trip, or a stated time.

        Args:
            now_s: Virtual time [s].
        """
        return REFUSAL_S if self.stated is None else self.stated.service_s(now_s)

    @property
    def attempt_key(self) -> str:
        """Key of the draws of the current attempt."""
        return f"{self.key}/{self.attempt}"


class Injection(NamedTuple):
    """An instruction that does not come from whom the agent works for."""

    text: str
    """What is read."""
    tool: str = ""
    """The tool that it asks to be used; empty if none."""
    arguments: str = "{}"
    """What the tool is given, as JSON; a text, so that injections can be told apart by value."""
    says: str = ""
    """What it asks to be said; empty if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mislead:
    """A fault of meaning: the attempt takes its usual way and time, and is read or answered in a wrong way."""

    cause: str
    """The fault's name; false claims are told with it."""
    reads: Callable[[Request], Request] | None = None
    """Gives what the model reads instead of a copy of the request."""
    says: Callable[[Reply, Request, Sequence[Reply]], Reply] | None = None
    """Gives what the agent says instead, of its reply, its request, and its earlier replies in the task."""
    is_false: bool = False
    """Whether what it says is a false claim of its own."""
    opposes: bool = False
    """Whether that claim contradicts the latest one of another agent."""
    ignores: bool = False
    """Whether it passes on none of the claims that it reads."""
    is_blind: bool = False
    """Whether it notices no false claim."""
    injection: Injection | None = None
    """An instruction that is part of what it reads or says."""


Work = Callable[[], Reply | Awaitable[Reply]]
"""Makes a reply, and may take its time: it is called in a thread of its own, and what it gives is awaited if need be."""


class Content(Protocol):
    """The source of an agent's replies; made by `content_of`."""

    def reply(self, request: Request) -> Reply | Work:
        """Return the reply to one request, or the work that makes it."""


class Model(Protocol):
    """A model that takes virtual time to reply, such as the user's own."""

    async def reply(self, request: Request) -> Reply:
        """Answer one request.

        Raises:
            ModelError: The API refused, failed, or answered with something unreadable.
        """


def is_retryable_status(status: int | None) -> bool:
    """Whether a retry can help after an HTTP status, or without any, by the rule of the SDKs."""
    return status is None or status in _RETRYABLE_STATUS or status >= _SERVER_ERROR_MIN


class ModelError(Exception):
    """A simulated error of an API call, as production would see it.

    Args:
        error: The error type, such as `overloaded_error`.
        status: HTTP status; None when there was no answer.
        message: The error message; may be empty.
        retry_after_s: Wait that the API requested [s].
        limit: Name of the rate limit that refused the call, such as `output_tokens_per_min`; empty for the one that the
            message of a 429 names.
    """

    def __init__(
        self,
        error: str,
        status: int | None,
        message: str,
        retry_after_s: float | None = None,
        limit: str = "",
    ) -> None:
        super().__init__(error, status, message, retry_after_s)
        self.limit = limit or (limit_in(message) if status == _TOO_MANY_REQUESTS else "")
        self.error = error
        self.status = status
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        status = "no answer" if self.status is None else str(self.status)
        return f"{status} {self.error}" + (f": {self.message}" if self.message else "")

    @property
    def is_retryable(self) -> bool:
        """Whether a retry can help, by the rule of the SDKs."""
        if self.error == MALFORMED_REPLY:
            return False
        return is_retryable_status(self.status)


CALL_ERRORS = (ModelError, TimeoutError)
"""What a call may fail with; every other error is a bug."""


def error_name(error: BaseException) -> str:
    """The error name that spans keep: the API's error type, `timeout`, or the name of a class."""
    if isinstance(error, ModelError):
        return error.error
    if isinstance(error, TimeoutError):
        return "timeout"
    return type(error).__name__
