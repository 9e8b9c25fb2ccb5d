"""What recorded answers of the Gemini API say, and what was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.cassettes import RecordedRequest, RecordedResponse
from harness.cassettes.asked import is_streamed, last_user_text_of, model_asked, system_of
from harness.cassettes.said import error_in, said_in

CALL = {"name": "look", "args": {"at": 1}, "id": "abc"}
USAGE = {
    "promptTokenCount": 10,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 7,
}


def part_of_answer(*parts: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    candidate = {"content": {"parts": [*parts], "role": "model"}, "index": 0, **more}
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash"}


THOUGHT = {"text": "Hm.", "thought": True}
PARTS = [
    part_of_answer(THOUGHT),
    part_of_answer({"text": "I "}),
    part_of_answer({"text": "look."}, {"functionCall": CALL}, finishReason="STOP"),
]
WHOLE = part_of_answer(THOUGHT, {"text": "I look."}, {"functionCall": CALL}, finishReason="STOP")
EVENTS = b"".join(b"data: %s\r\n\r\n" % json.dumps(one).encode() for one in PARTS)


def response(body: bytes, status: int = 200, kind: str = "application/json") -> RecordedResponse:
    return RecordedResponse(
        status=status, reason="", headers=(("content-type", kind),), body=body, timing=None
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(WHOLE).encode(), "application/json"),
        (json.dumps(PARTS).encode(), "application/json"),
        (EVENTS, "text/event-stream"),
    ],
)
def test_reply_is_read_whole_and_streamed(body: bytes, kind: str) -> None:
    said = said_in(response(body, kind=kind))
    assert said is not None
    assert (said.text, said.thinking) == ("I look.", "Hm.")
    assert (said.tool_calls, said.tool_ids) == ([("look", {"at": 1})], ["abc"])
    assert (said.model, said.stop) == ("gemini-2.5-flash", "STOP")
    assert (said.input_tokens, said.cache_read_tokens, said.output_tokens) == (6, 4, 12)


@pytest.mark.parametrize(
    ("body", "cut", "refused"),
    [
        (part_of_answer(finishReason="MAX_TOKENS"), True, False),
        (part_of_answer(finishReason="SAFETY"), False, True),
        ({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": {}}, False, True),
    ],
)
def test_why_a_reply_ended_is_understood(body: Any, cut: bool, refused: bool) -> None:  # noqa: ANN401 - JSON
    said = said_in(response(json.dumps(body).encode()))
    assert said is not None
    assert (said.is_cut, said.is_refusal) == (cut, refused)


def test_error_is_named_by_its_status() -> None:
    error = {"code": 429, "message": "Too many.", "status": "RESOURCE_EXHAUSTED"}
    found = error_in(response(json.dumps({"error": error}).encode(), 429))
    assert found is not None
    assert (found.kind, found.message) == ("RESOURCE_EXHAUSTED", "Too many.")


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent"])
def test_request_is_understood(verb: str) -> None:
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "hello"}]},
            {"role": "user", "parts": [{"text": "and?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }
    request = RecordedRequest(
        method="POST",
        url=f"https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:{verb}?alt=sse",
        headers=(),
        body=json.dumps(body).encode(),
    )
    assert model_asked(request) == "gemini-2.5-flash"
    assert (system_of(request), last_user_text_of(request)) == ("Be brief.", "and?")
    assert is_streamed(request) == (verb == "streamGenerateContent")
