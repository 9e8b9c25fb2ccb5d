"""A server of the API alone, and a whole simulated world around the real SDK."""

# ruff: noqa: ANN401 - JSON is anything, and so is a fixture of another file
from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from harness.faults import Fault
from harness.models import PythonStub, Reply, Request
from harness.provider import Latency, Limits, ProviderSettings
from harness.provider.limits import NO_QUOTA
from harness.run.program_world import ProgramWorld, WireProvider
from harness.units import Usage
from harness.virtual.world import run_here, simulated_world
from harness.wire import httpcore_seam
from harness.wire.anthropic import Anthropic
from harness.wire.api import Completion, Ids, Job, Moment, Prompt
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.network import connected
from harness.wire.routing import AgentRule
from harness.wire.truncation import fit

VERSION = "2026-10-21"


class Desk:
    """A server that says what it is told to say."""

    models: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.now_s = 0.0
        self.reply: Callable[[Prompt], Reply] = lambda _: Reply("done")

    def moment(self, ids: Ids, model: str = "") -> Moment:
        return Moment(ids, self.now_s, 0.25, NO_QUOTA)

    def outage(self) -> None:
        return None

    def work(self, prompt: Prompt, http: HttpRequest, at_s: float, until_s: float) -> Job:
        spoken = fit(self.reply(prompt), prompt, None, Usage(prompt.tokens, 0))
        return Job(prompt, at_s, spoken)


class Bench:
    """The API and its desk, without a network."""

    def __init__(self, **options: Any) -> None:
        self.desk = Desk()
        self.api = Anthropic(self.desk, **options)
        self._number = 0

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str = VERSION,
        headers: Mapping[str, str | None] | None = None,
    ) -> Prompt | HttpResponse:
        """Send a request; a header that is None is left out."""
        self._number += 1
        given = {"x-api-key": "key", "anthropic-version": version, **(headers or {})}
        kept = {name: value for name, value in given.items() if value is not None}
        path, _, query = path.partition("?")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        http = HttpRequest(method, "api.anthropic.com", path, query, kept, data)
        return self.api.read(http, self.ids())

    def ids(self) -> Ids:
        return Ids(f"1/{self._number}")

    def ask(self, body: dict[str, Any], **more: Any) -> Prompt:
        """Send a request that must be understood."""
        prompt = self.send("POST", "/v1/messages", body, **more)
        assert isinstance(prompt, Prompt), getattr(prompt, "body", prompt)
        return prompt

    def error(self, body: Any, **more: Any) -> tuple[int, str, str]:
        """Send a request that must be rejected; gives status, type and message."""
        response = self.send("POST", "/v1/messages", body, **more)
        assert isinstance(response, HttpResponse), response
        said = json.loads(bytes_of(response))["error"]
        return response.status, said["type"], said["message"]

    def own(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send a request that the API answers by itself; gives its body."""
        response = self.send(method, path, body, **more)
        assert isinstance(response, HttpResponse)
        return json.loads(bytes_of(response))

    def answer(self, body: dict[str, Any], reply: Reply, **more: Any) -> dict[str, Any]:
        """The body of the answer in one piece."""
        prompt = self.ask(body, **more)
        response = self.api.whole(prompt, self.spoken(prompt, reply), self.moment())
        parsed: dict[str, Any] = json.loads(bytes_of(response))
        return parsed

    def begin(self, body: dict[str, Any], **more: Any) -> None:
        """Let the answer begin, so that its prompt is in the cache."""
        self.api.remember(self.ask(body, **more), self.desk.now_s)

    def events(self, body: dict[str, Any], reply: Reply, **more: Any) -> list[tuple[str, Any]]:
        """The events of the answer as a stream."""
        prompt = self.ask({**body, "stream": True}, **more)
        response = self.api.stream(prompt, self.spoken(prompt, reply), self.moment())
        return events_in(b"".join(part.data for part in response.body))  # type: ignore[union-attr]

    def spoken(self, prompt: Prompt, reply: Reply) -> Completion:
        return fit(reply, prompt, None, self.api.usage(prompt, self.desk.now_s))

    def moment(self) -> Moment:
        return self.desk.moment(self.ids())


def bytes_of(response: HttpResponse) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


def events_in(data: bytes) -> list[tuple[str, Any]]:
    """The events of a stream, each with its name."""
    events = []
    for block in data.decode().split("\n\n"):
        if block.strip():
            name, _, text = block.partition("\n")
            events.append((name.removeprefix("event: "), json.loads(text.removeprefix("data: "))))
    return events


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def bench_of() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def events_of() -> Callable[[bytes], list[tuple[str, Any]]]:
    return events_in


class Ran(NamedTuple):
    """What came of a program."""

    output: Any
    world: ProgramWorld


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a program against the API in virtual time: `simulate(program, reply, ...)`."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)

    def run(
        program: Callable[[], Coroutine[Any, Any, Any]],
        reply: Callable[[Request], str | Reply] | None = None,
        *,
        latency: Latency | None = None,
        limits: Limits | None = None,
        faults: Sequence[Fault] = (),
        **options: Any,
    ) -> Ran:
        content = PythonStub(reply or (lambda _: "done"), "reply")
        provider = WireProvider(
            name="anthropic",
            api="anthropic",
            hosts=frozenset({"api.anthropic.com"}),
            latency=latency,
            settings=ProviderSettings(limits=limits),
            options=options,
        )
        world = ProgramWorld(
            1,
            providers={"anthropic": provider},
            roles=[AgentRule(name="agent", content=content)],
            faults=faults,
        )
        with simulated_world(world.kernel, seed=1), connected(world, httpcore_seam.SEAMS):
            output = run_here(program)
        world.end()
        return Ran(output, world)

    return run
