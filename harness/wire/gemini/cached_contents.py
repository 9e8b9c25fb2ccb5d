"""Cached contents: beginnings of prompts that the server holds for a while (https://ai.google.dev/api/caching).

What their storage costs is not simulated; what is read from them is priced as any cached token.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Moment
from harness.wire.gemini.asking import Cached
from harness.wire.gemini.catalogue import Facts
from harness.wire.gemini.contents import turns_of
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.headers import timestamp
from harness.wire.gemini.page import page
from harness.wire.gemini.tokens import sections_of
from harness.wire.gemini.tools import tools_of

_USUAL_TTL_S = 3600.0
_NAME_LETTERS = 32
_BASE36 = "abcdefghijklmnopqrstuvwxyz0123456789"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
_FIELDS = ("contents", "systemInstruction", "tools", "toolConfig")


@dataclass(slots=True)
class _Held:
    """One cached content."""

    facts: Facts
    cached: Cached
    display_name: str
    created_s: float
    updated_s: float
    expires_s: float


@dataclass(slots=True)
class CachedContents:
    """The cached contents of one run."""

    _held: dict[str, _Held] = field(default_factory=dict)
    """By name, such as `cachedContents/abc`."""

    def create(self, body: JsonObject, facts: Facts, moment: Moment) -> JsonObject:
        """Hold a content.

        Raises:
            Rejection: It is too small, or not as the API takes it.
        """
        contents = body.get("contents") or []
        turns = turns_of(contents, "CreateCachedContentRequest.cached_content")
        tools_of(body)
        tools, system = body.get("tools") or (), body.get("systemInstruction")
        sections, modalities = sections_of(system, tools, turns, facts)
        tokens = sum(section.tokens for section in sections)
        if tokens < facts.min_cached_tokens:
            raise Rejection(
                f"Cached content is too small. total_token_count={tokens}, min_total_token_count={facts.min_cached_tokens}"
            )
        name = "cachedContents/" + moment.ids.next("cached content", _NAME_LETTERS, _BASE36)
        kept = {key: body[key] for key in _FIELDS if key in body}
        now_s = moment.at_s
        self._held[name] = _Held(
            facts=facts,
            cached=Cached(body=kept, tokens=tokens, modalities=modalities),
            display_name=body.get("displayName", ""),
            created_s=now_s,
            updated_s=now_s,
            expires_s=_expiry(body, now_s, now_s + _USUAL_TTL_S),
        )
        return self._object(name)

    def all(self, query: str, now_s: float) -> JsonObject:
        """One page of those that are held."""
        self._forget_expired(now_s)
        return page("cachedContents", [self._object(name) for name in self._held], query)

    def one(self, name: str, now_s: float) -> JsonObject:
        """One of them.

        Raises:
            Rejection: It is not held.
        """
        self._find(name, now_s)
        return self._object(name)

    def update(self, name: str, body: JsonObject, now_s: float) -> JsonObject:
        """Change how long one is held; nothing else of it can be changed.

        Raises:
            Rejection: It is not held, or is to be held until a time that is none.
        """
        held = self._find(name, now_s)
        held.expires_s = _expiry(body, now_s, held.expires_s)
        held.updated_s = now_s
        return self._object(name)

    def delete(self, name: str, now_s: float) -> JsonObject:
        """Hold one no longer.

        Raises:
            Rejection: It is not held.
        """
        self._find(name, now_s)
        del self._held[name]
        return {}

    def use(self, name: str, facts: Facts, now_s: float) -> Cached:
        """What a request goes on from.

        Raises:
            Rejection: It is not held, or is of another model.
        """
        held = self._find(name, now_s)
        if held.facts != facts:
            raise Rejection(
                f"Model used by GenerateContent request (models/{facts.name}) and CachedContent "
                f"(models/{held.facts.name}) has to be the same."
            )
        return held.cached

    def _find(self, name: str, now_s: float) -> _Held:
        self._forget_expired(now_s)
        held = self._held.get(name)
        if held is None:
            raise Rejection("CachedContent not found (or permission denied)", 403)
        return held

    def _forget_expired(self, now_s: float) -> None:
        for name in [name for name, held in self._held.items() if held.expires_s <= now_s]:
            del self._held[name]

    def _object(self, name: str) -> JsonObject:
        held = self._held[name]
        display = {"displayName": held.display_name} if held.display_name else {}
        return {
            "name": name,
            "model": f"models/{held.facts.name}",
            "createTime": timestamp(held.created_s),
            "updateTime": timestamp(held.updated_s),
            "expireTime": timestamp(held.expires_s),
            **display,
            "usageMetadata": {"totalTokenCount": held.cached.tokens},
        }


def _expiry(body: JsonObject, now_s: float, usual_s: float) -> float:
    """Until when a content is to be held [s]."""
    if "ttl" in body and "expireTime" in body:
        raise Rejection("Only one of ttl and expire_time may be set.")
    if "ttl" in body:
        found = _DURATION.fullmatch(body["ttl"])
        if found is None:
            raise Rejection(
                f"Invalid value at 'cached_content.ttl' (type.googleapis.com/google.protobuf.Duration), \"{body['ttl']}\""
            )
        return now_s + float(found[1])
    if "expireTime" not in body:
        return usual_s
    try:
        at = datetime.datetime.fromisoformat(body["expireTime"])
    except ValueError:
        raise Rejection(
            "Invalid value at 'cached_content.expire_time' (type.googleapis.com/google.protobuf.Timestamp), "
            f'"{body["expireTime"]}"'
        ) from None
    aware = at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
    expires_s = aware.timestamp() - EPOCH_S
    if expires_s <= now_s:
        raise Rejection("expire_time must be in the future.")
    return expires_s
