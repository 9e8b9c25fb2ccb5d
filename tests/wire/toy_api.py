"""A toy API with one endpoint: `POST /say` answers a text with a text."""

from __future__ import annotations

import json

from harness.models import ChatMessage
from harness.provider import Refusal
from harness.provider.tokens import count_tokens
from harness.units import Usage
from harness.wire.api import ApiContext, Completion, Ids, Moment, Prompt, PromptSection
from harness.wire.http import HttpRequest, HttpResponse, Part

STATUS = {"rate_limit_error": 420, "overloaded_error": 503}


class Toy:
    """The toy API for one run.

    Args:
        desk: The server it stands in.
        shouts: Whether it answers in capitals.
    """

    def __init__(self, desk: ApiContext, *, shouts: bool = False) -> None:
        self._shouts = shouts

    def read(self, http: HttpRequest, ids: Ids) -> Prompt | HttpResponse:
        if http.base is None or (http.method, http.path) != ("POST", "/toy/say"):
            return HttpResponse(404, [], b"no such endpoint")
        text = http.body.decode()
        section = PromptSection(text, count_tokens(text))
        return Prompt(
            model="toy-1", system="", conversation=(ChatMessage("user", text),), sections=(section,)
        )

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        return Usage(prompt.tokens, 0)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        pass

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        text = spoken.reply.text
        return HttpResponse(200, [], (text.upper() if self._shouts else text).encode())

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        return HttpResponse(200, [], [Part(spoken.reply.text.encode(), 1.0), Part(b"", 1.0)])

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        said = {"no": refusal.kind, "model": refusal.model}
        return HttpResponse(STATUS.get(refusal.kind, 500), [], json.dumps(said).encode())

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        return b"no more"
