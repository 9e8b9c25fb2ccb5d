"""Claude on Amazon Bedrock: InvokeModel and InvokeModelWithResponseStream.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import base64
import json
import re

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import Ids, Moment
from harness.wire.dialects.claude_elsewhere import as_message, asked_of, model_of, with_platform_ids
from harness.wire.dialects.dialect import Answered, Dialect, Refused, encoded, event_of
from harness.wire.dialects.event_stream import frame
from harness.wire.http import Headers, HttpRequest, HttpResponse, Part

_PATH = re.compile(r"/model/(.+)/([\w-]+)")
_VERBS = {"invoke": False, "invoke-with-response-stream": True}
"""Whether the answer is a stream."""
_OTHERS = frozenset({"converse", "converse-stream", "count-tokens", "apply", "async-invoke"})
_HEX = "0123456789abcdef"

_ERRORS = {
    400: (400, "ValidationException", ""),
    401: (403, "AccessDeniedException", ""),
    402: (403, "AccessDeniedException", ""),
    403: (403, "AccessDeniedException", ""),
    404: (400, "ValidationException", "The provided model identifier is invalid."),
    408: (408, "ModelTimeoutException", "The model took too long to respond."),
    409: (409, "ConflictException", ""),
    413: (400, "ValidationException", "Input is too long for requested model."),
    422: (400, "ValidationException", ""),
    429: (
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
    ),
    500: (500, "InternalServerException", "The system encountered an unexpected error."),
    503: (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    504: (408, "ModelTimeoutException", "The model took too long to respond."),
    529: (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
}
"""Status, type and words for each status of the Anthropic API; without words, those of that API."""


def _request(http: HttpRequest) -> HttpRequest:
    if not http.headers.get("authorization", "").strip():
        raise Refused(
            403,
            {"message": "Missing Authentication Token"},
            [("x-amzn-ErrorType", "MissingAuthenticationTokenException")],
        )
    found = _PATH.fullmatch(http.path)
    if found is not None and found[2] in _OTHERS:
        raise NotSimulated(
            f"{found[2]!r} of Amazon Bedrock", "call the model with the SDK's AnthropicBedrock"
        )
    if found is None or found[2] not in _VERBS:
        raise Refused(404, {}, [("x-amzn-ErrorType", "UnknownOperationException")])
    try:
        asked = asked_of(http)
    except Refused:
        message = "Malformed input request: #: required key [anthropic_version] not found, please reformat your input and try again."
        raise Refused(
            400, {"message": message}, [("x-amzn-ErrorType", "ValidationException")]
        ) from None
    return as_message(
        http, asked, "/v1/messages", model=model_of(found[1]), stream=_VERBS[found[2]]
    )


def _answer(it: Answered) -> HttpResponse:
    response, ids, used = it.response, it.moment.ids, it.spoken.usage
    took_ms = round(it.moment.took_s * 1000)
    headers = _headers(ids)
    if isinstance(response.body, bytes):
        body = json.loads(response.body)
        with_platform_ids(body, "bdrk", ids)
        headers += [
            ("Content-Type", "application/json"),
            ("X-Amzn-Bedrock-Invocation-Latency", str(took_ms)),
            ("X-Amzn-Bedrock-Input-Token-Count", str(used.input_tokens)),
            ("X-Amzn-Bedrock-Output-Token-Count", str(used.output_tokens)),
            ("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", str(used.cache_read_tokens)),
            ("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", str(used.cache_write_tokens)),
        ]
        return HttpResponse(response.status, headers, encoded(body))
    headers += [
        ("Content-Type", "application/vnd.amazon.eventstream"),
        ("X-Amzn-Bedrock-Content-Type", "application/json"),
    ]
    return HttpResponse(response.status, headers, _chunks(it, took_ms))


def _chunks(it: Answered, first_ms: int) -> list[Part]:
    assert not isinstance(it.response.body, bytes)
    chunks: list[Part] = []
    for part in it.response.body:
        event = event_of(part)
        if event is None or event["type"] == "ping":  # Bedrock sends none
            continue
        with_platform_ids(event, "bdrk", it.moment.ids)
        if event["type"] == "message_stop":
            used = it.spoken.usage
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": used.input_tokens,
                "outputTokenCount": used.output_tokens,
                "invocationLatency": first_ms + round(it.moment.times.writing_s * 1000),
                "firstByteLatency": first_ms,
            }
        payload = {"bytes": base64.b64encode(encoded(event)).decode("ascii")}
        headers = {
            ":event-type": "chunk",
            ":content-type": "application/json",
            ":message-type": "event",
        }
        chunks.append(part._replace(data=frame(headers, encoded(payload))))
    return chunks


def _error(response: HttpResponse, moment: Moment) -> HttpResponse:
    assert isinstance(response.body, bytes), "an error comes in one piece"
    status, kind, message = _of(response.status)
    said = message or json.loads(response.body)["error"]["message"]
    headers = [
        *_headers(moment.ids),
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", kind),
    ]
    return HttpResponse(status, headers, encoded({"message": said}))


def _broken_off(event: bytes) -> bytes:
    """An exception in a stream is a frame of its own kind, whose name begins in lower case."""
    error: JsonObject = (event_of(Part(event, 0.0)) or {}).get("error", {})
    is_limit = error.get("type") == "rate_limit_error"
    headers = {
        ":exception-type": "throttlingException" if is_limit else "modelStreamErrorException",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, encoded({"message": error.get("message", "")}))


def _of(status: int) -> tuple[int, str, str]:
    return _ERRORS.get(status, _ERRORS[500])


def _headers(ids: Ids) -> Headers:
    digits = ids.next("x-amzn-RequestId", 32, _HEX)
    sizes = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return [("x-amzn-RequestId", "-".join(sizes))]


BEDROCK = Dialect(request=_request, answer=_answer, error=_error, broken_off=_broken_off)
