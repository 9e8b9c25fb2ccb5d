"""Cache of replies: the same question is not asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.spans import CACHE_HIT, CACHE_MISS, SpanLog
from harness.units import Count, PositiveSeconds

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCache:
    """How long a reply answers the same question again; a reply from the cache takes no time and costs nothing."""

    ttl_s: PositiveSeconds | None = None
    """How long a reply is kept [s]; absent means as long as there is room."""
    max_entries: Count = 1000
    """Most replies; the one that was used least recently goes first."""
    shared: str | None = None
    """Agents with the same name here share one cache; absent means one of its own for each agent."""


class Cache(Generic[V]):
    """The contents of a cache; for use by hand on any event loop.

    Args:
        stated: Its parameters.
    """

    def __init__(self, stated: ReplyCache) -> None:
        self._stated = stated
        self._entries: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable) -> V | None:
        """What is kept under a key; None if nothing, or if it is too old."""
        found = self._entries.pop(key, None)
        if found is None:
            return None
        kept_s, value = found
        ttl_s = self._stated.ttl_s
        if ttl_s is not None and asyncio.get_running_loop().time() >= kept_s + ttl_s:
            return None
        self._entries[key] = found  # the latest use is the last entry
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value."""
        self._entries.pop(key, None)
        self._entries[key] = (asyncio.get_running_loop().time(), value)
        if len(self._entries) > self._stated.max_entries:
            del self._entries[next(iter(self._entries))]


def _question(request: Request) -> Hashable:
    """What is asked: two requests with the same are answered alike."""
    said = (
        repr(request.said) if request.said else ""
    )  # it holds arguments of tools, which have no hash
    return request.model, request.system, request.tools, request.prompt, said


def with_cache(call: Call, cache: Cache[Reply] | None, log: SpanLog) -> Call:
    """Answer a question from the cache, if it was answered before.

    Args:
        call: What is asked when there is no reply in the cache.
        cache: The cache; None leaves the call as it is.
        log: Where hits and misses are noted.
    """
    if cache is None:
        return call

    async def call_unless_cached(request: Request) -> Reply:
        key = _question(request)
        reply = cache.get(key)
        log.event(CACHE_MISS if reply is None else CACHE_HIT, request.call_span)
        if reply is None:
            reply = await call(request)
            cache.put(key, reply)
        elif reply.correct is not None:
            request.call_span.correct = int(reply.correct)
        return reply

    return call_unless_cached
