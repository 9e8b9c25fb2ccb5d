"""Findings about retries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from harness.metrics.history import REJECTED_AGAIN, Attempt, History
from harness.metrics.hopeless import never_passes
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.spans import ERROR
from harness.units import render

_RATE_LIMITED = 429
_SERVER_ERROR_MIN = 500
_BROKEN = frozenset(
    {
        "connection_error",
        "reset_midway",
        "truncated_json",
        "corrupt_chunk",
        "html",
        "error_event",
    }
)
"""Errors without a status of their own that are the connection's, or a server's."""

_AT_ONCE_S = 0.001
"""A retry within this time is without back-off [s]; the SDKs wait at least 0.375 s."""

_ROUNDING_S = 0.5
"""`Retry-After` is sent in whole seconds, and may be rounded down by half of one [s] (RFC 9110, section 10.2.3)."""

STORM_WINDOW_S = 60.0
"""Limits are counted by the minute, so a storm is too [s]."""

STORM_ATTEMPTS_MIN = 20
STORM_ATTEMPTS_PER_CALL = 3.0
"""Three attempts a call make an overload three times as heavy; a budget of a tenth of retries would have kept it at
1.1 (Beyer et al., "Site Reliability Engineering", chapter 21, "Deciding to Retry")."""

_TOGETHER_MIN = 3
_TIMES_TOGETHER_MIN = 2


def retry_after_ignored(history: History) -> list[Finding]:
    """The client retried sooner than the provider's `retry-after`: by half the time, or more than rounding explains."""

    def seen() -> Iterator[Sighting]:
        for failed, retry in history.retries():
            asked_s, waited_s = failed.retry_after_s, retry.asked_s - failed.end_s
            if asked_s > 0 and (waited_s < asked_s / 2 or waited_s < asked_s - _ROUNDING_S):
                text = f"asked to wait {render('s', asked_s)}, tried again after {render('s', waited_s)}"
                yield Sighting(retry.agent, retry.asked_s, retry.span_id, text)

    advice = "Wait as long as `retry-after` says before the next attempt; the SDKs' own retries do."
    return one_an_agent("retry_after_ignored", "warning", seen(), advice)


def non_retryable_retried(history: History) -> list[Finding]:
    """A request that will never be accepted is retried, whether it was served or rejected by the API."""

    def seen() -> Iterator[Sighting]:
        for failed, retry in history.retries():
            if never_passes(failed.http_status):
                text = f"tried again after status {failed.http_status} {failed.error}".rstrip()
                yield Sighting(retry.agent, retry.asked_s, retry.span_id, text)
        for event in history.named(REJECTED_AGAIN):
            text = f"tried again after the API had rejected the request: {event.detail}"
            yield Sighting(event.agent, event.at_s, event.span_id, text)

    advice = "Retry 408, 409, 429, 5xx and broken connections only; let other errors propagate to code that can handle them."
    return one_an_agent("non_retryable_retried", "warning", seen(), advice)


def no_back_off(history: History) -> list[Finding]:
    """The next attempt follows at once after a failure that needs time to pass."""
    seen = (
        Sighting(
            retry.agent,
            retry.asked_s,
            retry.span_id,
            f"{_again(retry)} at once after {_named(failed)}",
        )
        for failed, retry in history.retries()
        if _may_pass(failed)
        and retry.asked_s - failed.end_s < _AT_ONCE_S
        and not failed.retry_after_s > 0  # `retry_after_ignored` says it
    )
    advice = "Back off before each retry, twice as long each time and with jitter."
    return one_an_agent("no_back_off", "warning", seen, advice)


def retry_storm(history: History) -> list[Finding]:
    """The calls of a minute make so many attempts that retries keep the provider overloaded.

    A call and those that repeat it are one here.
    Counted over all agents, in the window with the most attempts among those with `STORM_ATTEMPTS_MIN` attempts and
    `STORM_ATTEMPTS_PER_CALL` a call.
    """
    attempts = sorted(history.attempts(), key=lambda each: (each.asked_s, each.span_id))
    first_of = _first_calls(history)
    in_window: Counter[int] = Counter()
    oldest = 0
    worst: tuple[int, int, int] | None = None
    for newest, attempt in enumerate(attempts):
        in_window[first_of[attempt.call_id]] += 1
        while attempt.asked_s - attempts[oldest].asked_s >= STORM_WINDOW_S:
            left = first_of[attempts[oldest].call_id]
            in_window[left] -= 1
            if not in_window[left]:
                del in_window[left]
            oldest += 1
        made = newest - oldest + 1
        is_storm = made >= STORM_ATTEMPTS_MIN and made >= STORM_ATTEMPTS_PER_CALL * len(in_window)
        if is_storm and (worst is None or made > worst[0]):
            worst = (made, len(in_window), oldest)
    if worst is None:
        return []
    made, calls, begin = worst
    first, whole = attempts[begin], attempts[begin : begin + made]
    agent = Counter(each.agent for each in whole).most_common(1)[0][0]
    repeated = ", repetitions by the program included,"
    if all(first_of[each.call_id] == each.call_id for each in whole):
        repeated = ""
    message = f"{made} attempts for {calls} call{'s' if calls > 1 else ''}{repeated} within {STORM_WINDOW_S:.0f} s"
    advice = "Bound retries for all calls together: a retry budget or a circuit breaker, and fewer calls in flight."
    return [Finding("retry_storm", "serious", agent, first.asked_s, first.span_id, message, advice)]


def synchronised_retries(history: History) -> list[Finding]:
    """Several calls are retried at the same instant, more than once: their back-off has no jitter."""
    together: defaultdict[int, list[Attempt]] = defaultdict(list)
    for _, retry in history.retries():
        together[round(retry.asked_s / _AT_ONCE_S)].append(retry)
    first_of = _first_calls(history)
    crowds = [
        crowd
        for _, crowd in sorted(together.items())
        if len({first_of[retry.call_id] for retry in crowd}) >= _TOGETHER_MIN
    ]
    if len(crowds) < _TIMES_TOGETHER_MIN:
        return []
    first = crowds[0][0]
    message = (
        f"up to {max(map(len, crowds))} calls tried again at the same instant, {len(crowds)} times"
    )
    advice = (
        "Add jitter: wait a random share of the back-off, so that the calls come back one by one."
    )
    return [
        Finding(
            "synchronised_retries", "warning", first.agent, first.asked_s, first.span_id, message, advice
        )
    ]  # fmt: skip


def _first_calls(history: History) -> dict[int, int]:
    """By the span_id of each call, that of the first of those that it repeats, or its own."""
    found: dict[int, int] = {}
    for call in history.calls:  # in the order in which they began
        repeated = call if call.repeats is None else call.repeats
        found[call.span_id] = found.get(repeated.span_id, repeated.span_id)
    return found


def _again(retry: Attempt) -> str:
    return f"attempt {retry.ordinal} came" if retry.ordinal > 1 else "the program asked again"


def _may_pass(failed: Attempt) -> bool:
    return failed.status == ERROR and (
        failed.http_status == _RATE_LIMITED
        or failed.http_status >= _SERVER_ERROR_MIN
        or (failed.http_status == -1 and failed.error in _BROKEN)
    )


def _named(failed: Attempt) -> str:
    return failed.error if failed.http_status == -1 else f"status {failed.http_status}"
