"""Findings about the use of prompt caches."""

from __future__ import annotations

from collections.abc import Iterator

from harness.metrics.history import REPEATED_PREFIX, Attempt, CallRecord, History
from harness.metrics.rules import Finding
from harness.units import render

CACHED_TOKENS_MIN = 2048
"""What the caches of all but a few models keep (docs.claude.com, "Prompt caching") [tokens]."""

WRITES_MIN = 3
"""One write fills a cache, and a second may come before the first is answered."""

_SPARED_SHARE = 0.9
"""A token from a cache costs a tenth (docs.claude.com, "Prompt caching", 5 minutes)."""

_WRITTEN_SHARE = 0.25
"""And a quarter more when it is written to it (same page)."""

_KEPT_S = 300.0
"""How long a cache keeps what is not asked for, unless an hour is paid for (same page) [s]."""

_OUTPUT_PRICE_RATIO = 5
"""A token generated costs five times one read, with all models of Anthropic (docs.claude.com, "Pricing")."""


def cache_misses(history: History) -> list[Finding]:
    """An agent's calls read the same large beginning again, at full price."""
    by_id = {call.span_id: call for call in history.calls}
    missed: dict[str, list[tuple[Attempt, int]]] = {}
    for event in history.named(REPEATED_PREFIX):
        call, tokens = by_id.get(event.span_id), int(event.detail)
        served = None if call is None else call.served
        if call is not None and served is not None and _is_miss(served, tokens):
            missed.setdefault(call.agent, []).append((served, tokens))
    found = []
    for agent, times in missed.items():
        first = times[0][0]
        message = f"{sum(tokens for _, tokens in times):,} input tokens in {_calls(len(times))} had been read before"
        lost_usd = _lost_usd(times)
        if lost_usd > 0:
            message += f", for about {render('usd', lost_usd)} more than from a cache"
        advice = "Put what stays the same first, and mark its end for the prompt cache (`cache_control`)."
        found.append(
            Finding("cache_misses", "info", agent, first.asked_s, first.span_id, message, advice)
        )
    return found


def cache_never_read(history: History) -> list[Finding]:
    """An agent's calls write to the prompt cache again and again, and none reads from it."""
    by_agent: dict[str, list[CallRecord]] = {}
    for call in history.calls:
        if call.served is not None:
            by_agent.setdefault(call.agent, []).append(call)
    found = []
    for agent, calls in by_agent.items():
        writing = [
            (call, served) for call, served in _served(calls) if served.cache_write_tokens > 0
        ]
        if len(writing) < WRITES_MIN or any(it.cache_read_tokens > 0 for _, it in _served(calls)):
            continue
        tokens = sum(served.cache_write_tokens for _, served in writing)
        message = f"{_calls(len(writing))} wrote {tokens:,} input tokens to the prompt cache, and none read from it"
        lost_usd = sum(
            (_WRITTEN_SHARE + _SPARED_SHARE) * served.cache_write_tokens * _input_usd(served)
            for _, served in writing[1:]
        )
        if lost_usd > 0:
            message += f"; reading would cost about {render('usd', lost_usd)} less"
        first = writing[0][1]
        found.append(
            Finding(
                "cache_never_read",
                "warning",
                agent,
                first.asked_s,
                first.span_id,
                message,
                _advice([call for call, _ in writing]),
                len(writing),
            )
        )
    return found


def _advice(calls: list[CallRecord]) -> str:
    """What to do, by how the calls follow one another."""
    first, *others = calls
    if all(call.begin_s < first.end_s for call in others):
        return (
            "The calls began before the first had filled the cache: let one answer begin before the others start, "
            "or take the marks (`cache_control`) away."
        )
    pauses_s = [call.begin_s - before.end_s for before, call in zip(calls, others, strict=False)]
    if min(pauses_s) > _KEPT_S:
        return f'The calls are more than {_KEPT_S:.0f} s apart, so the cache has forgotten: mark with `"ttl": "1h"`, or not at all.'
    return (
        "Something before the mark differs in each call, such as a time or an id: put it behind the mark (`cache_control`), "
        "or take the mark away."
    )


def _served(calls: list[CallRecord]) -> Iterator[tuple[CallRecord, Attempt]]:
    for call in calls:
        if call.served is not None:
            yield call, call.served


def _calls(number: int) -> str:
    return f"{number} call{'s' if number > 1 else ''}"


def _is_miss(served: Attempt, tokens: int) -> bool:
    return (
        tokens >= CACHED_TOKENS_MIN
        and served.input_tokens >= CACHED_TOKENS_MIN
        and served.cache_read_tokens <= 0
    )


def _lost_usd(times: list[tuple[Attempt, int]]) -> float:
    """What a cache would have spared, less what writing to it costs once [USD]; NaN when a price is not known."""
    spared_usd = [_SPARED_SHARE * tokens * _input_usd(served) for served, tokens in times]
    served, tokens = max(times, key=lambda time: time[1])
    return sum(spared_usd) - _WRITTEN_SHARE * tokens * _input_usd(served)


def _input_usd(served: Attempt) -> float:
    """The price of a token read [USD], from what the attempt cost."""
    return served.cost_usd / (
        served.input_tokens
        + (1 + _WRITTEN_SHARE) * max(served.cache_write_tokens, 0)
        + (1 - _SPARED_SHARE) * max(served.cache_read_tokens, 0)
        + _OUTPUT_PRICE_RATIO * max(served.output_tokens, 0)
    )
