"""The protocol of an API on the wire. `anthropic/` and `openai/` implement it.

An API reads a request, and writes an answer, a stream or an error. It adds neither content nor time nor refusals of its
own, save for requests that the real one would reject as wrong. It lives as long as a run, and may remember what the real
one would: threads, batches, prompt caches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import shake_128
from typing import Any, Literal, NamedTuple, Protocol

from harness.errors import did_you_mean
from harness.json_types import JsonObject
from harness.kernel.process import Steps
from harness.models import ChatMessage, Reply, ToolChoice
from harness.provider import Refusal
from harness.provider.limits import Quota
from harness.provider.service import Attempt
from harness.units import Usage
from harness.wire.hosted import Hosted
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.prediction import Predicted
from harness.wire.thinking import UNSTATED, Thinking, tokens_of

Stop = Literal["end", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause"]
"""Why a reply ended."""


class PromptSection(NamedTuple):
    """A part of a prompt, in the order in which the model reads it; for prompt caches."""

    text: str
    tokens: int
    cached_for_s: float | None = None
    """How long everything up to here may be kept in a cache [s]; None where none is asked for."""


_NO_SCHEMAS: Mapping[str, JsonObject] = {}


class Turn(Protocol):
    """A prompt's turn in something that the API keeps, such as a conversation; told how the work on it goes."""

    def begin(self) -> None:
        """An attempt begins."""

    def end(self, *, answered: bool) -> None:
        """The attempt is over, with or without a reply."""


class Prompt(NamedTuple):
    """A request for a reply, in a form that all APIs share."""

    model: str
    system: str
    conversation: tuple[ChatMessage, ...]
    sections: tuple[PromptSection, ...]
    """All that is read, tools and all; its tokens are the size of the prompt."""
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    stream: bool = False
    tools: tuple[str, ...] = ()
    """Names of the tools it may use."""
    wanted: JsonObject | None = None
    """The JSON Schema of the reply, or of the arguments of the wanted tool."""
    wanted_tool: str = ""
    """The tool that must be used; empty when there is no such wish."""
    tool_choice: ToolChoice = "auto"
    """Whether a tool may, must or must not be called."""
    tool_schemas: Mapping[str, JsonObject] = _NO_SCHEMAS
    """The JSON Schema of the arguments of each tool that has one."""
    parallel_tool_calls: bool = True
    """Whether one reply may call several tools."""
    choices: int = 1
    """How many replies are wanted."""
    prediction: str = ""
    """What the reply is expected to be; empty if nothing is."""
    thinking: Thinking | None = None
    """How the model thinks where its reply states no thoughts; None if it does not."""
    hosted: tuple[Hosted, ...] = ()
    """The tools that the provider may use itself."""
    wanted_hosted: str = ""
    """The one of them that must be used; empty when there is no such wish."""
    frame_tokens: int = 0
    """What a tool call has beside its name and arguments [tokens]."""
    result_ids: tuple[str, ...] = ()
    """The ids of the tool calls that the last message answers, in the order of its tool results."""
    details: Any = None
    """What else the API wants to remember for its answer."""
    only_recorded: bool = False
    """Whether the simulated API does not take it, so that nothing but a recording can answer it."""
    said: Reply | None = None
    """What is said whatever the agent's replies are, as the API itself decides it; None leaves it to the agent."""
    turn: Turn | None = None
    """Told of its attempts; None if the API keeps nothing of it beside its answer."""
    later: Callable[[Job, Moment], HttpResponse | Feed] | None = None
    """Writes the answer that comes at once, where the client asks later for the reply; None where it waits."""

    @property
    def tokens(self) -> int:
        """Size of the whole prompt [tokens]."""
        return sum(section.tokens for section in self.sections)

    @property
    def asks_for_cache(self) -> bool:
        """Whether a part of it is to be kept in a prompt cache."""
        return any(section.cached_for_s is not None for section in self.sections)

    @property
    def told(self) -> Iterator[str]:
        """The texts of the prompt, except the model's own replies."""
        yield self.system
        for said in self.conversation:
            if said.role != "assistant":
                yield said.text
            for result in said.tool_results:
                yield result.text


class Completion(NamedTuple):
    """A reply as it leaves the provider."""

    reply: Reply
    usage: Usage
    stop: Stop
    stop_sequence: str | None = None
    """The one that was met."""
    thinking_tokens: int | None = None
    """Size of its thoughts [tokens]; None means that of the thoughts that the reply states."""
    choices: tuple[Completion, ...] = ()
    """Each of several replies to one request, of which this is the sum; empty if there is one."""
    predicted: Predicted = Predicted()
    """What became of a prediction."""

    def each_of(self, wanted: int) -> tuple[Completion, ...]:
        """Each reply, where so many are wanted: as many times the same if they were not made one by one."""
        return self.choices or (self,) * wanted

    @property
    def thought_tokens(self) -> int:
        """How much of the reply was thought and not said [tokens]."""
        if self.choices:
            return sum(one.thought_tokens for one in self.choices)
        stated = tokens_of(self.reply) if self.thinking_tokens is None else self.thinking_tokens
        return min(stated or 0, self.usage.output_tokens)

    @property
    def said_tokens(self) -> int:
        """How much of the reply is said [tokens]."""
        return self.usage.output_tokens - self.thought_tokens - self.predicted.rejected

    @property
    def thoughts(self) -> str:
        """What is shown of its thoughts to those who ask; empty if it has none."""
        return self.reply.thinking or (UNSTATED if self.thought_tokens else "")


class Times(NamedTuple):
    """How long an attempt spent where at its provider [s]."""

    queued_s: float = 0.0
    reading_s: float = 0.0
    """From the beginning of service to the first token."""
    writing_s: float = 0.0
    """From the first token to the last."""

    @classmethod
    def of(cls, attempt: Attempt) -> Times:
        """Those of an attempt, as soon as they are known."""
        return cls(
            attempt.start_s - attempt.arrival_s,
            attempt.first_token_s - attempt.start_s,
            attempt.end_s - attempt.first_token_s,
        )


class Moment(NamedTuple):
    """Time, ids and quota for the headers and fields of an answer."""

    ids: Ids
    at_s: float
    """When its first byte is sent [s]."""
    took_s: float
    """How long the server had it until then [s]."""
    quota: Quota
    """What the rate limits leave."""
    times: Times = Times()


_OCTETS_OF_A_NUMBER = 4
_OCTETS_AT_FIRST = 64


@cache
def _letters(alphabet: str) -> bytes:
    """The letter for each byte."""
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))


def _id(root: str, what: str, number: int, length: int, alphabet: str) -> str:
    octets = shake_128(f"{root}\x1f{what}\x1f{number}".encode()).digest(length)
    return octets.translate(_letters(alphabet)).decode("ascii")


@dataclass(slots=True)
class Ids:
    """Ids for one answer: they look random, and are the same in every repetition of the run.

    Args:
        root: The seed and the attempt, from which the ids are derived.
        same_tool_ids: Whether all tool calls get one id, as a fault.
    """

    root: str
    same_tool_ids: bool = False
    tools: list[str] = field(default_factory=list)
    """The names given to tool calls, in their order."""
    _used: dict[str, int] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)
    _octets: dict[str, bytes] = field(default_factory=dict)

    def tool(self, prefix: str, length: int, alphabet: str) -> str:
        """A new name of a tool call."""
        name = prefix + (
            self.tools[0].removeprefix(prefix)
            if self.same_tool_ids and self.tools
            else self.next(prefix, length, alphabet)
        )
        self.tools.append(name)
        return name

    def next(self, what: str, length: int, alphabet: str) -> str:
        """A new name.

        Args:
            what: Its purpose; ids for different purposes are independent.
            length: How many letters.
            alphabet: The letters.
        """
        number = self._used[what] = self._used.get(what, 0) + 1
        return _id(self.root, what, number, length, alphabet)

    def first(self, what: str, length: int, alphabet: str) -> str:
        """The first name for a purpose, the same whenever it is asked for."""
        return _id(self.root, what, 1, length, alphabet)

    def number(self, what: str, below: int) -> int:
        """A new whole number, from 0; `below` is small against 2**32."""
        end = self._taken[what] = self._taken.get(what, 0) + _OCTETS_OF_A_NUMBER
        octets = self._octets.get(what, b"")
        if len(octets) < end:  # a longer digest of this hash begins with the shorter one
            source = shake_128(f"{self.root}\x1f{what}".encode())
            octets = self._octets[what] = source.digest(max(_OCTETS_AT_FIRST, 2 * end))
        drawn = int.from_bytes(octets[end - _OCTETS_OF_A_NUMBER : end], "big")
        return drawn * below >> (8 * _OCTETS_OF_A_NUMBER)


class Feed(NamedTuple):
    """An answer in parts that are not all known when it begins."""

    head: HttpResponse
    """The answer without its body."""
    steps: Callable[[Callable[[bytes], None]], Steps]
    """Waits for each part, and gives it to the function that sends it."""


Understood = Prompt | HttpResponse | Feed | Refusal
"""What a request comes to: the prompt for a model, the API's own answer, such as an error, or why the provider gives none."""


def _unheard(moment: Moment) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Job:
    """A request whose client does not wait for its reply, as the server works on it: what the API is told of it."""

    prompt: Prompt
    done_s: float = math.inf
    """When it is over [s]; infinite while it goes on."""
    spoken: Completion | None = None
    """The reply, if there is one."""
    refusal: Refusal | None = None
    """Why there is none, if it failed."""
    expired: bool = False
    """Whether it was not done when its batch expired."""
    give_up: Callable[[], None] = lambda: None
    """Ends it where it stands, if it goes on; then it has neither a reply nor a refusal."""
    attempt: Attempt | None = None
    """Its attempt at the provider; None of a request of a batch, and of one that has not got there yet."""
    is_asked_for: Callable[[], None] = lambda: None
    """Called when its client asks what became of it."""
    on_change: Callable[[Moment], None] = _unheard
    """Told when it is known what is said and when, and when it is over; not of a batch, and not if it was given up."""

    @property
    def is_over(self) -> bool:
        """Whether it goes on no more."""
        return self.done_s < math.inf

    @property
    def begun(self) -> bool:
        """Whether the provider has begun to serve it."""
        return self.attempt is not None and not math.isnan(self.attempt.start_s)


class ApiContext(Protocol):
    """The server's interface for an API."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the run knows of by name; an API may know more."""

    def moment(self, ids: Ids, model: str = "") -> Moment:
        """This very moment, for an answer about a model, or about none."""

    def outage(self) -> Refusal | None:
        """Why nobody reaches the provider at this moment; None if it can be reached."""

    def work(self, prompt: Prompt, http: HttpRequest, at_s: float, until_s: float) -> Job:
        """Get a model's reply to a prompt of a batch, without queue and rate limits.

        Args:
            prompt: The prompt.
            http: The request that created the batch.
            at_s: When its turn comes [s].
            until_s: When the batch expires [s].
        """


class Api(Protocol):
    """One API, for one run."""

    def read(self, http: HttpRequest, ids: Ids) -> Understood:
        """Parse a request."""

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """Input usage of a prompt, with the part read from a prompt cache; no output yet."""

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Put a prompt into the cache when its answer begins, so that later prompts can read it."""

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream of parts; the last part only marks the end."""

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""


def no_such_model(model: str, known: Iterable[str]) -> str:
    """The hint for a request that names a model that does not exist."""
    return (
        f"there is no model {model!r}{did_you_mean(model, known)}; "
        "one of your own is declared by the model of an agent or of a scenario"
    )


ApiMaker = Callable[[ApiContext], Api]
"""Makes an API for one run."""
