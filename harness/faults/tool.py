"""Faults of tools: they fail, hang, or take effect otherwise than their callers are told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.api import Mishap, ToolFault
from harness.units import PositiveSeconds, Seconds

NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFails(ToolFault):
    """The tool fails after its latency, and takes no effect."""

    message: str = "the tool failed"
    """What the caller is told."""

    def mishap(self) -> Mishap:
        """An error."""
        return Mishap(effects=0, error=self.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHangs(ToolFault):
    """The tool takes effect, and answers `for_s` later; without `for_s` it takes none, and never answers."""

    for_s: PositiveSeconds | None = None
    """How long nothing is heard [s]."""

    def mishap(self) -> Mishap:
        """Silence."""
        return Mishap(0, NEVER) if self.for_s is None else Mishap(wait_s=self.for_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLost(ToolFault):
    """The tool takes effect, and its reply is lost: the caller is told of an error, and cannot know whether it did."""

    after_s: Seconds = 0.0
    """How long the caller waits for the reply beyond the tool's latency [s]."""
    message: str = "connection reset by peer"
    """What the caller is told."""

    def mishap(self) -> Mishap:
        """Done, with an error."""
        return Mishap(wait_s=self.after_s, error=self.message, breaks="connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectTwice(ToolFault):
    """One use takes effect twice, as when a proxy sends a request again. A tool with an idempotency key does it once."""

    def mishap(self) -> Mishap:
        """Done twice."""
        return Mishap(effects=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectLost(ToolFault):
    """The tool answers as always, and takes no effect: a write that was acknowledged, and lost."""

    def mishap(self) -> Mishap:
        """Not done."""
        return Mishap(effects=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStale(ToolFault):
    """The tool answers what it answered at its last use in the run, as from a replica that lags behind.

    A tool that was not used before has nothing old to say, and is not met, unless `result` states it.
    """

    result: str | None = None
    """What it answers; absent means what it answered the last time."""
    needs_earlier: ClassVar[bool] = True

    def mishap(self) -> Mishap:
        """An old answer."""
        return Mishap(is_stale=self.result is None, result=self.result)
