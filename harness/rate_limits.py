"""Names of the rate limits of providers, and how they are written; spans keep the name of the limit that refused an attempt."""

from __future__ import annotations

import re
from typing import Final

REQUESTS: Final = "requests_per_min"
INPUT_TOKENS: Final = "input_tokens_per_min"
OUTPUT_TOKENS: Final = "output_tokens_per_min"
TOKENS: Final = "tokens_per_min"
"""Of providers that count what is read and written together."""
CONCURRENT: Final = "concurrent_requests"

_PREFIX: Final = "429 limit of "

_PERIODS: Final = {"min": "a minute", "hour": "an hour", "day": "a day", "month": "a month"}

_CONCURRENCY: Final = re.compile(r"\bconcurren(t|cy)\b", re.IGNORECASE)
_AMOUNT: Final = re.compile(
    r"\b(?P<what>(?:input |output |prompt |completion )?tokens|requests)(?: \(\w+\))? (?:per|a|an) (?P<period>min|hour|day|month)",
    re.IGNORECASE,
)
_KINDS: Final = {"prompt tokens": "input tokens", "completion tokens": "output tokens"}


def in_words(limit: str) -> str:
    """A limit for people: `output tokens a minute` of `output_tokens_per_min`."""
    what, per, period = limit.rpartition("_per_")
    words = (what or limit).replace("_", " ")
    return f"{words} {_PERIODS.get(period, f'per {period}')}" if per else words


def limit_in(message: str) -> str:
    """The name of the limit that the message of a 429 speaks of; empty if it names none.

    Args:
        message: In the words of Anthropic's or OpenAI's API, or of one that imitates them.
    """
    found = _AMOUNT.search(message)
    if found:
        what = found["what"].lower()
        return f"{_KINDS.get(what, what).replace(' ', '_')}_per_{found['period'].lower()}"
    return CONCURRENT if _CONCURRENCY.search(message) else ""


def as_reason(limit: str) -> str:
    """A limit as the reason why an attempt failed, such as `429 limit of output tokens a minute`."""
    return f"{_PREFIX}{in_words(limit)}"


def of_reason(reason: str) -> str:
    """The limit of such a reason, in words; empty if it is another reason."""
    return reason.removeprefix(_PREFIX) if reason.startswith(_PREFIX) else ""
