"""What Vertex and Bedrock have in common: the model in the path, and version and betas in the body of a message."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from harness.json_types import JsonObject
from harness.wire.api import Ids
from harness.wire.dialects.dialect import Refused, encoded
from harness.wire.http import HttpRequest

_FIRST_VERSION = "2023-06-01"
_OF_PLATFORMS = frozenset({"bedrock-2023-05-31", "vertex-2023-10-16"})
"""Names that the platforms had for the first version (https://docs.claude.com/en/api/claude-on-amazon-bedrock)."""


class Asked(NamedTuple):
    """The body of a request, as the platform takes it."""

    body: JsonObject
    version: str
    """As the Anthropic API names it."""
    betas: str


def asked_of(http: HttpRequest) -> Asked | None:
    """Read the body; None if it is no JSON object, which the API itself rejects.

    Raises:
        Refused: It does not say its version.
    """
    try:
        body: Any = json.loads(http.body)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    version = body.pop("anthropic_version", None)
    if not isinstance(version, str):
        raise Refused(400, invalid("anthropic_version: Field required"))
    betas = body.pop("anthropic_beta", None) or []
    said = ",".join(map(str, betas)) if isinstance(betas, list) else str(betas)
    named = _FIRST_VERSION if version in _OF_PLATFORMS else version
    return Asked(body, named, said or http.headers.get("anthropic-beta", ""))


def as_message(http: HttpRequest, asked: Asked | None, path: str, **more: object) -> HttpRequest:
    """The request as it would be at Anthropic's own host.

    Args:
        http: The request.
        asked: Its body; None if it is no JSON object.
        path: The path there.
        more: Fields of the body that the platform has elsewhere.
    """
    if asked is None:
        return http._replace(
            path=path, headers={**http.headers, "anthropic-version": _FIRST_VERSION}
        )
    headers = {**http.headers, "anthropic-version": asked.version}
    if asked.betas:
        headers["anthropic-beta"] = asked.betas
    return http._replace(path=path, headers=headers, body=encoded({**asked.body, **more}))


def model_of(segment: str) -> str:
    """The name that Anthropic has for a model, from the segment of a path.

    `claude-sonnet-4-5@20250929` and `us.anthropic.claude-sonnet-4-5-20250929-v1:0` are `claude-sonnet-4-5-20250929`.
    """
    name = unquote(segment).rpartition("/")[2]  # an inference profile may be named by its ARN
    found = re.fullmatch(r"(?:[a-z-]+\.)?anthropic\.(.+?)(?:-v\d+(?::\d+)?)?", name)
    name = name if found is None else found[1]
    return name.removesuffix("@default").replace("@", "-")


def invalid(message: str) -> JsonObject:
    """Anthropic's error for a request that is wrong."""
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def with_platform_ids(body: JsonObject, platform: str, ids: Ids) -> None:
    """Give a message, or an event of one, the ids of a platform; names of tool calls change in `ids` as well."""
    message = body.get("message", body)
    for part in (message, body.get("content_block", {}), *message.get("content", ())):
        found = part.get("id")
        if not isinstance(found, str):
            continue
        kind, _, rest = found.partition("_")
        part["id"] = f"{kind}_{platform}_{rest}"
        ids.tools[:] = [part["id"] if tool == found else tool for tool in ids.tools]
