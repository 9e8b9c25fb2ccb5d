"""What a fault makes of a process: its exit code, its output, and how often it takes effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.agents.mishap import Mishap
from harness.virtual.commands import Result


class Fate(NamedTuple):
    """How a process ends."""

    result: Result
    effects: int
    """How often it has taken effect."""


def fate_of(mishap: Mishap | None, answer: Callable[[], Result], before: Result | None) -> Fate:
    """How a process ends.

    Args:
        mishap: What a fault makes of it; None for nothing.
        answer: Computes the result that is described; called once for each effect.
        before: The result of the last use in the run; None if there was none.
    """
    if mishap is None:
        result = answer()
        return Fate(result, int(not result.returncode))
    if mishap.error and not mishap.effects:
        return Fate(_broken(mishap), 0)
    result = answer()
    for _ in range(mishap.effects - 1):
        answer()
    effects = 0 if result.returncode else mishap.effects
    if mishap.error:
        return Fate(_broken(mishap), effects)
    if mishap.is_stale and before is not None:
        return Fate(before, effects)
    if mishap.result is not None:
        return Fate(Result(returncode=0, stdout=mishap.result.encode()), effects)
    return Fate(_altered(mishap, result), effects)


def _broken(mishap: Mishap) -> Result:
    said = f"{mishap.error}\n".encode() if mishap.returncode > 0 else b""
    return Result(returncode=mishap.returncode, stderr=said)


def _altered(mishap: Mishap, result: Result) -> Result:
    def altered(stream: bytes) -> bytes:
        # Bytes that are no text stay as they are.
        text: str = mishap.altered(stream.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")

    stderr = altered(result.stderr) if result.stderr else b""
    return Result(
        returncode=result.returncode,
        stdout=result.stdout if stderr and not result.stdout else altered(result.stdout),
        stderr=stderr,
    )
