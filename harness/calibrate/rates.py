"""How often calls fail, and with what: shares with intervals, and the faults that make simulated calls fail as often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, get_args, get_type_hints

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.goodness import Interval
from harness.faults.status import StatusError
from harness.json_types import JsonObject
from harness.metrics.endings import TIMEOUT

_DIGITS: Final = 6

_STATUSES: Final = get_args(get_type_hints(StatusError)["status"])
"""The HTTP statuses that can be injected."""

_STATUS_OF: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "requests": 429,
    "tokens": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
}
"""Status of each kind of error of Anthropic's and OpenAI's APIs."""

_OTHERS: Final = {
    "overloaded_error": "overloaded",
    "connection_error": "connection_error",
    TIMEOUT: "hang",
    "malformed_reply": "malformed",
}
"""Faults for the kinds that are no status of their own; a timeout of the client is silence."""


def error_shares(calls: Sequence[MeasuredCall]) -> dict[str, Interval]:
    """The share of calls that failed, by kind, with Wilson's interval, which holds for few and for no errors.

    Args:
        calls: All calls, failed ones and others.
    """
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    counts = Counter(call.error for call in calls if call.error)
    found = {}
    for kind, count in sorted(counts.items()):
        bounds = binomtest(count, len(calls)).proportion_ci(method="wilson")
        found[kind] = Interval(count / len(calls), float(bounds.low), float(bounds.high))
    return found


def faults_of(errors: Mapping[str, Interval]) -> list[JsonObject]:
    """The faults, as a scenario states them, that make calls fail as often; kinds without a fault are left out.

    Of several faults the first that meets an attempt decides, so each probability is of the attempts that those before it
    have left.
    """
    found: list[JsonObject] = []
    left = 1.0
    for kind, share in errors.items():
        fault = _fault(kind)
        if fault is None or left <= 0:
            continue
        name, parameters = fault
        probability = min(1.0, float(f"{share.value / left:.{_DIGITS}g}"))
        found.append({name: {**parameters, "probability": probability}})
        left -= share.value
    return found


def without_fault(errors: Mapping[str, Interval]) -> list[str]:
    """The kinds of errors that no fault stands for."""
    return [kind for kind in errors if _fault(kind) is None]


def _fault(kind: str) -> tuple[str, JsonObject] | None:
    if kind in _OTHERS:
        return _OTHERS[kind], {}
    number = kind.removeprefix("http_")
    status = int(number) if number.isdigit() else _STATUS_OF.get(kind)
    return ("status", {"status": status}) if status in _STATUSES else None
