"""The API beside a desk at which nothing happens, to be asked without a network and without its SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.provider.limits import NO_QUOTA
from harness.wire.api import Ids, Job, Moment, Prompt
from harness.wire.gemini import Gemini
from harness.wire.http import HttpRequest, HttpResponse


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
def send() -> Callable[..., Any]:
    """`send(path, body, method="POST")` gives a prompt, or what the API answers by itself."""
    api = Gemini(Desk())

    def send(
        path: str,
        body: object = None,
        method: str = "POST",
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Prompt | HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        if headers is None:
            headers = {"x-goog-api-key": "k"}
        http = HttpRequest(
            method, "generativelanguage.googleapis.com", f"/v1beta{path}", query, headers, data
        )
        return api.read(http, Ids(path))

    return send


@pytest.fixture
def ask(send: Callable[..., Any]) -> Callable[..., Any]:
    """`ask("hi", generationConfig=...)` asks for a reply; `ask([...])` sends contents."""

    def ask(
        contents: object, model: str = "gemini-2.5-flash", **more: object
    ) -> Prompt | HttpResponse:
        if isinstance(contents, str):
            contents = [{"role": "user", "parts": [{"text": contents}]}]
        read: Prompt | HttpResponse = send(
            f"/models/{model}:generateContent", {"contents": contents, **more}
        )
        return read

    return ask


@pytest.fixture
def refusal(ask: Callable[..., Any]) -> Callable[..., Any]:
    """The status, the code and the message with which a request is rejected."""

    def refusal(contents: object, **more: Any) -> tuple[int, str, str]:  # noqa: ANN401 - JSON
        answer = ask(contents, **more)
        assert isinstance(answer, HttpResponse), "it was accepted"
        assert isinstance(answer.body, bytes)
        error = json.loads(answer.body)["error"]
        assert error["code"] == answer.status
        return answer.status, error["status"], error["message"]

    return refusal
