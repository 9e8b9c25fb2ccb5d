"""Log probabilities of what was said: made up, with the token that was said as the likeliest (a guess about real ones)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.json_types import JsonObject
from harness.wire.api import Ids

_STEPS = 1000
_OTHERS = ("the", "a", "it", "is", "and", "to", "of", "in", "that", "not")
"""What could have been said instead; as many as are asked for, and longer words beyond these."""


def logprobs_of(tokens: Sequence[str], top: int, ids: Ids) -> list[JsonObject]:
    """The log probability of each token, with those of others in its place.

    Args:
        tokens: What was said, token by token.
        top: How many likeliest tokens are shown for each.
        ids: Where probabilities come from.
    """
    return [_one(token, top, ids) for token in tokens]


def plain(told: Sequence[JsonObject]) -> list[JsonObject]:
    """Log probabilities as events of a response tell them: without bytes."""
    return [
        {
            "token": one["token"],
            "logprob": one["logprob"],
            "top_logprobs": [
                {"token": other["token"], "logprob": other["logprob"]}
                for other in one["top_logprobs"]
            ],
        }
        for one in told
    ]


def _one(token: str, top: int, ids: Ids) -> JsonObject:
    chance = 0.5 + 0.5 * math.sqrt(ids.number("logprob", _STEPS) / _STEPS)
    likeliest = [_told(token, chance)]
    left = 1.0 - chance
    for number in range(top - 1):
        left /= 2
        likeliest.append(_told(_other(token, number), left))
    return {**_told(token, chance), "top_logprobs": likeliest[:top]}


def _other(token: str, number: int) -> str:
    blank = " " if token.startswith(" ") else ""
    words = [word for word in _OTHERS if word != token.strip()]
    return blank + words[number % len(words)] + "s" * (number // len(words))


def _told(token: str, chance: float) -> JsonObject:
    logprob = round(math.log(max(chance, 1e-9)), 6)
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "replace"))}
