"""Gemini on Google's Vertex AI (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference)."""

from __future__ import annotations

import datetime
import json
import re

from harness.errors import NotSimulated
from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Moment
from harness.wire.dialects.dialect import Answered, Dialect, Refused, encoded, event_of
from harness.wire.http import HttpRequest, HttpResponse, Part

_GOOGLE = re.compile(r"/publishers/google/|/cachedContents(?=/|$)")
_PATH = re.compile(
    r"/v1(?:beta1)?/(?:projects/[^/]+/locations/[^/]+/)?publishers/google/models/([^/:]+):(\w+)"
)
_VERBS = ("generateContent", "streamGenerateContent", "countTokens")
_TOO_MANY = 429
_EXHAUSTED = (
    "Resource exhausted. Please try again later. Please refer to "
    "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
)
_UNAUTHENTICATED = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def _request(http: HttpRequest) -> HttpRequest:
    bearer = http.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not bearer and not http.headers.get("x-goog-api-key", "").strip():
        raise Refused(401, _error_body(401, _UNAUTHENTICATED, "UNAUTHENTICATED"))
    found = _PATH.fullmatch(http.path)
    if found is None or found[2] not in _VERBS:
        raise NotSimulated(
            f"{http.method} {http.path} of Gemini on Vertex AI",
            f"call {', '.join(_VERBS)}, or use the Gemini API; docs/wire.md lists what is served",
        )
    return http._replace(path=f"/v1beta/models/{found[1]}:{found[2]}")


def _answer(it: Answered) -> HttpResponse:
    response = it.response
    if isinstance(response.body, bytes):
        body = _with_fields(json.loads(response.body), it.moment)
        return HttpResponse(response.status, response.headers, encoded(body))
    parts = [_translated(part, it.moment) for part in response.body]
    return HttpResponse(response.status, response.headers, parts)


def _translated(part: Part, moment: Moment) -> Part:
    event = event_of(part)
    if event is None:
        return part
    return part._replace(data=b"data: " + encoded(_with_fields(event, moment)) + b"\r\n\r\n")


def _with_fields(body: JsonObject, moment: Moment) -> JsonObject:
    """An answer with what the Gemini API's own has not."""
    usage = {**body["usageMetadata"], "trafficType": "ON_DEMAND"}
    began_s = EPOCH_S + moment.at_s - moment.took_s
    began = datetime.datetime.fromtimestamp(began_s, datetime.UTC)
    created = began.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {**body, "usageMetadata": usage, "createTime": created}


def _error(response: HttpResponse, moment: Moment) -> HttpResponse:
    del moment
    if response.status != _TOO_MANY:
        return response
    body = encoded(_error_body(_TOO_MANY, _EXHAUSTED, "RESOURCE_EXHAUSTED"))
    return HttpResponse(response.status, response.headers, body)


def _error_body(code: int, message: str, status: str) -> JsonObject:
    return {"error": {"code": code, "message": message, "status": status}}


VERTEX_GEMINI = Dialect(paths=_GOOGLE, request=_request, answer=_answer, error=_error)
