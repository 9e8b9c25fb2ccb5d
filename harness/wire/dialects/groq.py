"""Groq: the request's id in `x_groq`, and times beside the tokens (https://console.groq.com/docs/api-reference)."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.dialects.chats import changed, error_of_vendor
from harness.wire.dialects.dialect import Answered, Dialect
from harness.wire.dialects.reasoning import with_thoughts
from harness.wire.http import HttpResponse

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Those of a ULID, in lower case."""


def _answer(it: Answered) -> HttpResponse:
    request_id = "req_01k" + it.moment.ids.next("x_groq", 23, _LETTERS)
    seed = it.moment.ids.number("seed", 2**31)

    def change(body: JsonObject, it: Answered, number: int) -> None:
        body["service_tier"] = "on_demand"
        body["x_groq"] = {"id": request_id, "seed": seed}
        if body["object"] == "chat.completion":
            body["usage"] = _usage(it)
            body["usage_breakdown"] = None
            for choice in body["choices"]:
                choice["message"].pop("refusal", None)
                choice["message"].pop("annotations", None)
            return
        body.pop("service_tier")
        ended = any(choice["finish_reason"] for choice in body["choices"])
        if ended or body.get("usage"):
            body["x_groq"] = {"id": request_id, "usage": _usage(it)}
        elif number:
            del body["x_groq"]
        if body.get("usage"):
            body["usage"] = _usage(it)

    return changed(with_thoughts(it, "reasoning"), change)


def _usage(it: Answered) -> JsonObject:
    """Tokens, each with its time [s]; rounded, because the difference of two moments has digits that nobody measured."""
    used, times = it.spoken.usage, it.moment.times
    reading_s, writing_s = round(times.reading_s, 9), round(times.writing_s, 9)
    return {
        "queue_time": round(times.queued_s, 9),
        "prompt_tokens": used.prompt_tokens,
        "prompt_time": reading_s,
        "completion_tokens": used.output_tokens,
        "completion_time": writing_s,
        "total_tokens": used.prompt_tokens + used.output_tokens,
        "total_time": round(reading_s + writing_s, 9),
    }


GROQ = Dialect(answer=_answer, error=error_of_vendor)
