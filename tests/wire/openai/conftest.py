"""The API beside a desk at which nothing happens, to be asked without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.models import Reply
from harness.provider.limits import NO_QUOTA
from harness.units import Usage
from harness.wire.api import Completion, Ids, Job, Moment, Prompt, Stop
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.openai import OpenAI


class Desk:
    """Where the run knows one model."""

    models = ("my-model",)

    def moment(self, ids: Ids, model: str = "") -> Moment:
        return Moment(ids, 0.0, 0.0, NO_QUOTA)

    def outage(self) -> None:
        return None

    def work(self, prompt: Prompt, http: HttpRequest, at_s: float, until_s: float) -> Job:
        raise AssertionError("there are no batches here")


@pytest.fixture
def api() -> OpenAI:
    return OpenAI(Desk())


@pytest.fixture
def send(api: OpenAI) -> Callable[..., Any]:
    """`send(path, body, method="POST")` gives a prompt, or what the API answers by itself."""

    def send(
        path: str,
        body: object = None,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> Prompt | HttpResponse:
        if headers is None:
            headers = {"authorization": "Bearer sk-test"}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        http = HttpRequest(method, "api.openai.com", path, "", headers, data)
        understood = api.read(http, Ids("request"))
        assert isinstance(understood, Prompt | HttpResponse)
        return understood

    return send


@pytest.fixture
def chat(send: Callable[..., Any]) -> Callable[..., Any]:
    """`chat("hi", model=...)` sends one message; `chat([...])` sends many."""

    def chat(messages: object, **more: object) -> Prompt | HttpResponse:
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        sent = {"model": "gpt-4o-mini", "messages": messages, **more}
        read: Prompt | HttpResponse = send("/v1/chat/completions", sent)
        return read

    return chat


@pytest.fixture
def respond(send: Callable[..., Any]) -> Callable[..., Any]:
    """`respond("hi", model=...)` asks for a response."""

    def respond(said: object, **more: object) -> Prompt | HttpResponse:
        sent = {"model": "gpt-4o-mini", "input": said, **more}
        read: Prompt | HttpResponse = send("/v1/responses", sent)
        return read

    return respond


@pytest.fixture
def whole(api: OpenAI) -> Callable[..., Any]:
    """`whole(prompt, "Hello")` gives the body of the answer."""

    def whole(
        prompt: Prompt,
        reply: str | Reply,
        stop: Stop = "end",
        output_tokens: int = 5,
        name: str = "1",
    ) -> dict[str, Any]:
        response = api.whole(prompt, spoken(reply, stop, output_tokens), moment(name))
        assert isinstance(response.body, bytes)
        body: dict[str, Any] = json.loads(response.body)
        return body

    return whole


@pytest.fixture
def stream(api: OpenAI) -> Callable[..., Any]:
    """`stream(prompt, "Hello")` gives the answer, which is in parts."""

    def stream(
        prompt: Prompt,
        reply: str | Reply,
        stop: Stop = "end",
        output_tokens: int = 5,
        name: str = "1",
    ) -> HttpResponse:
        return api.stream(prompt, spoken(reply, stop, output_tokens), moment(name))

    return stream


def spoken(reply: str | Reply, stop: Stop, output_tokens: int) -> Completion:
    reply = Reply(reply) if isinstance(reply, str) else reply
    if reply.tool_calls and stop == "end":
        stop = "tool_use"
    return Completion(reply, Usage(9, output_tokens), stop)


def moment(name: str) -> Moment:
    return Moment(Ids(name), 60.0, 1.5, NO_QUOTA)
