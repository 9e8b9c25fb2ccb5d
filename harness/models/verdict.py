"""Verdicts of faults: what happens to an attempt. The fault decides it, and the code that serves the attempt applies it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.models.api import Mislead, Reply, Request
from harness.provider import Refusal
from harness.provider.stated import EndsAt, Takes


@dataclass(frozen=True, slots=True)
class Slow:
    """The provider takes longer over this attempt."""

    factor: float


@dataclass(frozen=True, slots=True)
class Late:
    """The first token comes later; the rest as fast as ever."""

    by_s: float
    """How much [s]."""


@dataclass(frozen=True, slots=True)
class Dearer:
    """The attempt costs more than it should."""

    factor: float


@dataclass(frozen=True, slots=True)
class Starved:
    """The attempt waits for a slot for as long as any other waits."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """Several things happen to the attempt, one after the other: late, then refused."""

    verdicts: tuple[Verdict, ...]
    """Each of them, none of which is of this kind itself."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing is heard for a while; then the attempt goes on."""

    for_s: float | None
    """How long [s]; None until the client gives up."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The attempt is refused, without reaching the provider."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Alter:
    """The attempt is served, and its reply changed on the way."""

    change: Callable[[Reply], Reply]
    """Gives what arrives instead, or raises what the client would."""
    resized: bool = False
    """Whether the provider generates, and bills, what has become of the reply, and not what it was."""


Damage = Literal[
    "refused",
    "reset",
    "timeout",
    "tls",
    "dns",
    "stall",
    "reset_midway",
    "cut",
    "truncated_json",
    "invalid_json",
    "html",
    "error_event",
    "corrupt_chunk",
    "corrupt_gzip",
    "error_body",
    "duplicate_tool_ids",
    "drip",
]
"""What can happen to the bytes of one exchange."""


@dataclass(frozen=True, slots=True)
class Break:
    """The bytes of the exchange are damaged; only for attempts on the wire."""

    damage: Damage
    without_wire: Slow | Late | Silent | Fail | Alter | InTurn
    """What it amounts to for a program that sees replies and no bytes."""
    after: float = 0.5
    """Share of the reply that arrives unharmed."""
    for_s: float | None = None
    """How long a stall lasts, or a drip takes [s]; None of a stall until the client gives up."""


Verdict = (
    Slow
    | Late
    | Dearer
    | Starved
    | Takes
    | EndsAt
    | Silent
    | Fail
    | Alter
    | Mislead
    | Break
    | InTurn
)


def in_turn(verdict: Verdict | None) -> tuple[Verdict, ...]:
    """Return the single verdicts that one consists of, in order."""
    if verdict is None:
        return ()
    return verdict.verdicts if isinstance(verdict, InTurn) else (verdict,)


Judge = Callable[[Request], tuple[str, Verdict] | None]
"""Returns the name of the fault that applies to an attempt, and its verdict."""


def without_wire(judge: Judge | None) -> Judge | None:
    """The same plan for attempts without bytes: damage of bytes is replaced by its effect. None stays None."""
    if judge is None:
        return None

    def judge_without(request: Request) -> tuple[str, Verdict] | None:
        met = judge(request)
        if met is None:
            return None
        left = tuple(
            part
            for it in in_turn(met[1])
            for part in in_turn(it.without_wire if isinstance(it, Break) else it)
        )
        return met[0], left[0] if len(left) == 1 else InTurn(left)

    return judge_without
