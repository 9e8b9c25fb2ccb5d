"""Claude on Google's Vertex AI (https://docs.claude.com/en/api/claude-on-vertex-ai)."""

from __future__ import annotations

import json
import re

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.wire.api import Moment
from harness.wire.dialects.claude_elsewhere import as_message, asked_of, model_of, with_platform_ids
from harness.wire.dialects.dialect import Answered, Dialect, Refused, encoded, event_of
from harness.wire.http import HttpRequest, HttpResponse, Part

_PATH = re.compile(
    r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/([^/]+)/models/([^/:]+):(\w+)"
)
_COUNT = "count-tokens"
_VERBS = {"rawPredict": False, "streamRawPredict": True}
"""Whether the answer is a stream."""
_TOO_MANY = 429
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def _request(http: HttpRequest) -> HttpRequest:
    if not http.headers.get("authorization", "").removeprefix("Bearer").strip():
        raise Refused(401, _error_body(401, _UNAUTHENTICATED, "UNAUTHENTICATED"))
    found = _PATH.fullmatch(http.path)
    if found is None:
        raise Refused(404, _error_body(404, "Not Found", "NOT_FOUND"))
    publisher, model, verb = found.groups()
    if publisher != "anthropic" or verb not in _VERBS:
        raise NotSimulated(
            f"{verb!r} of the models of {publisher} on Vertex AI",
            "call a model of Anthropic with the SDK's AnthropicVertex",
        )
    asked = asked_of(http)
    if model == _COUNT:
        return as_message(http, asked, "/v1/messages/count_tokens")
    return as_message(http, asked, "/v1/messages", model=model_of(model), stream=_VERBS[verb])


def _answer(it: Answered) -> HttpResponse:
    response, ids = it.response, it.moment.ids
    if isinstance(response.body, bytes):
        body = json.loads(response.body)
        with_platform_ids(body, "vrtx", ids)
        return HttpResponse(response.status, response.headers, encoded(body))
    parts: list[Part] = []
    for part in response.body:
        event = event_of(part)
        if event is None or event["type"] not in ("message_start", "content_block_start"):
            parts.append(part)
            continue
        with_platform_ids(event, "vrtx", ids)
        name = event["type"].encode()
        parts.append(part._replace(data=b"event: %s\ndata: %s\n\n" % (name, encoded(event))))
    return HttpResponse(response.status, response.headers, parts)


def _error(response: HttpResponse, moment: Moment) -> HttpResponse:
    """A limit is Google's (https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429); the rest is Anthropic's."""
    del moment
    if response.status != _TOO_MANY:
        return response
    message = (
        "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model. "
        "Please submit a quota increase request. https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
    )
    body = encoded(_error_body(_TOO_MANY, message, "RESOURCE_EXHAUSTED"))
    kept = [one for one in response.headers if not one[0].lower().startswith("anthropic-")]
    return HttpResponse(response.status, kept, body)


def _error_body(code: int, message: str, status: str) -> JsonObject:
    return {"error": {"code": code, "message": message, "status": status}}


VERTEX = Dialect(request=_request, answer=_answer, error=_error)
