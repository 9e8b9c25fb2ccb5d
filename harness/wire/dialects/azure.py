"""Azure OpenAI: the deployment in the path, a key in `api-key`, and what the content filter found.

Paths, credentials and errors: https://learn.microsoft.com/azure/ai-foundry/openai/reference; fields of the filter:
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

from __future__ import annotations

import json
import re

from harness.json_types import JsonObject
from harness.wire.api import Moment
from harness.wire.dialects.chats import changed, without_vendor_headers
from harness.wire.dialects.dialect import Answered, Dialect, Refused, encoded
from harness.wire.http import HttpRequest, HttpResponse, Part

_ROOT = "/openai"
_V1 = f"{_ROOT}/v1"
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)(/.+)")
_NO_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active "
    "subscription and use a correct regional API endpoint for your resource."
)
_TOO_MANY = 429

_SAFE: JsonObject = {
    kind: {"filtered": False, "severity": "safe"}
    for kind in ("hate", "self_harm", "sexual", "violence")
}
_SAFE_PROMPT: JsonObject = _SAFE | {"jailbreak": {"filtered": False, "detected": False}}
_SAFE_REPLY: JsonObject = _SAFE | {
    "protected_material_code": {"filtered": False, "detected": False},
    "protected_material_text": {"filtered": False, "detected": False},
}


def _request(http: HttpRequest) -> HttpRequest:
    key, bearer = http.headers.get("api-key", ""), http.headers.get("authorization", "")
    if not key.strip() and not bearer.removeprefix("Bearer").strip():
        raise _refused(401, _NO_KEY)
    headers = http.headers if bearer else {**http.headers, "authorization": f"Bearer {key}"}
    http = http._replace(headers=headers)
    if http.path.startswith(f"{_V1}/") or not http.path.startswith(f"{_ROOT}/"):
        return http
    if "api-version=" not in http.query:  # only /openai/v1 can do without
        raise _refused(404, "Resource not found")
    deployment = _DEPLOYMENT.fullmatch(http.path)
    if deployment is None:
        return http._replace(path=_V1 + http.path[len(_ROOT) :])
    name, rest = deployment.groups()
    return http._replace(path=_V1 + rest, body=_with_model(http.body, name))


def _with_model(body: bytes, name: str) -> bytes:
    """The body with the model that the path names; one that is no JSON is left to the API."""
    try:
        asked = json.loads(body)
    except ValueError:
        return body
    return encoded({**asked, "model": name}) if isinstance(asked, dict) else body


def _refused(status: int, message: str) -> Refused:
    return Refused(status, {"error": {"code": str(status), "message": message}})


def _answer(it: Answered) -> HttpResponse:
    response = changed(it, _filtered)
    if isinstance(response.body, bytes) or not it.chunks:
        return response
    opening: JsonObject = {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE_PROMPT}],
    }
    first = Part(b"data: " + encoded(opening) + b"\n\n", 0.0)
    return HttpResponse(response.status, response.headers, [first, *response.body])


def _filtered(body: JsonObject, it: Answered, number: int) -> None:
    """Add what the filter found; in a stream each piece of text has been seen by it."""
    del number
    if body["object"] == "chat.completion":
        body["prompt_filter_results"] = [
            {"prompt_index": 0, "content_filter_results": _SAFE_PROMPT}
        ]
    for choice in body["choices"]:
        says = choice.get("message") or choice.get("delta") or {}
        choice["content_filter_results"] = (
            (_SAFE_REPLY if "message" in choice else _SAFE) if says.get("content") else {}
        )


def _error(response: HttpResponse, moment: Moment) -> HttpResponse:
    """Azure's gateway has its own words for a limit; other errors are the API's."""
    del moment
    response = without_vendor_headers(response)
    if response.status != _TOO_MANY:
        return response
    wait = next((value for name, value in response.headers if name == "retry-after"), "1")
    message = (
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded the rate limit of your "
        f"current OpenAI S0 pricing tier. Please retry after {wait} seconds. Please go here: "
        "https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit."
    )
    body = encoded({"error": {"code": "429", "message": message}})
    return HttpResponse(response.status, response.headers, body)


AZURE = Dialect(request=_request, answer=_answer, error=_error)
