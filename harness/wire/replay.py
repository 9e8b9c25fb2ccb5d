"""Replay a cassette on the wire: the recorded bytes, each piece at its time.

A recorded call of a model goes through the whole life of an attempt, so faults, limits and queues apply on top. Everything
else that was recorded, such as a list of models or telemetry, is sent back as it was.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

from harness.cassettes import CassetteError, RecordedRequest, RecordedResponse
from harness.cassettes.asked import is_streamed, last_user_text_of, model_asked, system_of
from harness.cassettes.matching import Recordings, place_of
from harness.cassettes.nearest import no_recording
from harness.cassettes.said import error_in, said_in
from harness.models import ChatMessage, Reply, Request
from harness.models.api import Content, Work
from harness.models.plausible import Plausible
from harness.models.recorded import ReplayLatency, reply_of
from harness.provider.tokens import count_tokens
from harness.wire.api import Prompt, PromptSection
from harness.wire.http import HttpRequest
from harness.wire.routing import AgentRule


class Live(Protocol):
    """The real API, for a run that records."""

    def begin(self, asked: RecordedRequest, agent: str) -> Callable[[], RecordedResponse]:
        """Send a request now; what is returned waits for the response."""

    def keep(self, taken: Taken) -> None:
        """Add an interaction to the cassette."""


class Taken(NamedTuple):
    """An interaction with the real API."""

    request: RecordedRequest
    response: RecordedResponse
    agent: str
    call: int
    """Which call of that agent it was; 0 of what is no call of a model."""
    task: str
    """The name of the program's task that asked."""
    start_s: float
    """When it began [virtual s]."""


@dataclass(slots=True)
class Replay:
    """A cassette in a run.

    Args:
        recordings: What is recorded.
        latency: How long replayed responses take.
    """

    recordings: Recordings
    latency: ReplayLatency = "recorded"
    live: Live | None = None
    """The real API, which answers what is not recorded; None where nothing may leave the run."""
    missing: list[str] = field(default_factory=list)
    """What was asked and is not recorded, in words."""
    replays: bool = True
    """Whether recordings are given at all."""
    _hosts: frozenset[str] = frozenset()
    """The hosts that were recorded, as they were named and as they are compared."""

    def __post_init__(self) -> None:
        requests = [one.request for one in self.recordings.cassette.interactions]
        self._hosts = frozenset(one.host for one in requests)
        self._hosts |= {place_of(one.host, one.path)[0] for one in requests}

    def asked(self, host: str, http: HttpRequest) -> RecordedRequest:
        """A request as a recording of it would be."""
        query = f"?{http.query}" if http.query else ""
        return RecordedRequest(
            method=http.method,
            url=f"https://{host}{http.path}{query}",
            headers=tuple(http.headers.items()),
            body=http.body,
        )

    def reaches(self, host: str) -> bool:
        """Whether a host answers."""
        return self.live is not None or host in self._hosts

    def is_of_model(self, asked: RecordedRequest) -> bool | None:
        """Whether a request is a call of a model, by what was recorded of it; None if nothing was."""
        found = self.recordings.peek(asked)
        if found is None:
            return None
        if asked.method != "POST" or asked.path.endswith("/cancel"):
            return False  # it looks at a reply, or ends it
        return said_in(found.response) is not None or error_in(found.response) is not None

    def prompt(self, asked: RecordedRequest) -> Prompt:
        """What a request asks, for one that the simulated API would not take although the real one did."""
        system, text = system_of(asked), last_user_text_of(asked)
        size = count_tokens(asked.body.decode("utf-8", "replace"))
        return Prompt(
            model=model_asked(asked) or "unknown",
            system=system,
            conversation=(ChatMessage("user", text),),
            sections=(PromptSection(text, size),),
            stream=is_streamed(asked),
            only_recorded=True,
        )

    def agent_of(self, asked: RecordedRequest, task: str) -> str | None:
        """Who made a request when it was recorded; None if the cassette does not say."""
        found = self.recordings.peek(asked, task=task)
        return found.agent or None if found is not None else None

    def take(
        self, asked: RecordedRequest, agent: str, task: str, call: str
    ) -> RecordedResponse | None:
        """The recording of a request; None if the real API is to be asked.

        Raises:
            CassetteError: It is not recorded, and nothing may leave the run.
        """
        if self.replays:
            found = self.recordings.take(asked, agent=agent, task=task, call=call)
            if found is not None:
                return found.response
        if self.live is None:
            raise self.no_recording(asked)
        return None

    def no_recording(self, asked: RecordedRequest) -> CassetteError:
        """The error of a request that has no recording, or none left."""
        recordings = self.recordings
        cassette = recordings.cassette
        told = no_recording(cassette.path, asked, cassette.interactions, left=recordings.has(asked))
        self.missing.append(told)
        return CassetteError(told)


@dataclass(frozen=True)
class RecordedAsk:
    """One request in a run with a cassette."""

    replay: Replay
    host: str
    http: HttpRequest
    task: str
    """The name that the program gave the task that asks; empty if it gave none."""

    @cached_property
    def asked(self) -> RecordedRequest:
        """The request as a recording of it would be."""
        return self.replay.asked(self.host, self.http)

    @property
    def is_of_model(self) -> bool | None:
        """Whether it is a call of a model; None if it is not recorded."""
        return self.replay.is_of_model(self.asked)

    @property
    def prompt(self) -> Prompt:
        """What it asks, as far as the recording tells."""
        return self.replay.prompt(self.asked)

    @property
    def agent(self) -> str | None:
        """Who made it when it was recorded; None if unknown."""
        return self.replay.agent_of(self.asked, self.task)

    def answers(self, role: AgentRule) -> bool:
        """Whether the cassette answers for an agent, which it does unless the agent has a reply of its own."""
        return isinstance(role.content, Plausible)

    def content(self, role: AgentRule, now_s: Callable[[], float]) -> Content:
        """Who answers: the cassette, or the agent."""
        if not self.answers(role):
            return role.content
        latency = self.replay.latency if role.latency is None else "profile"
        return RecordedCall(self.replay, self.asked, self.task, latency, now_s)

    def plain(self, now_s: float) -> RecordedResponse | Callable[[], RecordedResponse]:
        """What is sent back if it is no call of a model, or the work of asking the real API.

        Raises:
            CassetteError: It is not recorded, and nothing may leave the run.
        """
        asked = self.asked
        found = self.replay.take(asked, "", self.task, "")
        return (
            found if found is not None else live_work(self.replay, asked, "", 0, self.task, now_s)
        )


def own_name_here() -> str:
    """The name that the program gave the task or thread that runs now; empty if it gave none."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    name = threading.current_thread().name if task is None else task.get_name()
    return "" if _GIVEN_NAME.match(name) else name


_GIVEN_NAME = re.compile(
    r"^(?:Task-\d+|Thread-\d+.*|MainThread|ThreadPoolExecutor-.*|asyncio_\d+|AnyIO worker.*|Dummy-\d+|.*\.<locals>\..*)$"
)
"""Names that Python and libraries give."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """The content of one call: its recordings, one for each attempt."""

    replay: Replay
    asked: RecordedRequest
    task: str
    latency: ReplayLatency
    now_s: Callable[[], float]

    def reply(self, request: Request) -> Reply | Work:
        """What was recorded of this attempt; if nothing was, the work of asking the real API.

        Raises:
            CassetteError: It is not recorded, and nothing may leave the run.
        """
        replay = self.replay
        found = replay.take(self.asked, request.agent, self.task, request.key)
        if found is not None:
            return reply_of(found, self.latency)
        work = live_work(
            replay, self.asked, request.agent, request.call_in_run, self.task, self.now_s()
        )
        return lambda: reply_of(work(), "recorded")


def live_work(
    replay: Replay, asked: RecordedRequest, agent: str, call: int, task: str, start_s: float
) -> Callable[[], RecordedResponse]:
    """Ask the real API now; what is returned waits for the response, and keeps it.

    Args:
        replay: The cassette.
        asked: The request.
        agent: Who asks.
        call: Which call of that agent it is.
        task: The name of the program's task that asks.
        start_s: When [virtual s].
    """
    live = replay.live
    assert live is not None, "asked only where the real API is"
    wait = live.begin(asked, agent)

    def work() -> RecordedResponse:
        response = wait()
        live.keep(Taken(asked, response, agent, call, task, start_s))
        return response

    return work
