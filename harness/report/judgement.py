"""The result of a comparison as a page shows it; `harness.gate` creates it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.blocks import Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A part of a change, a task's share of it, in the unit of the metric."""

    kind: str
    """What time or money went into, such as `queue`."""
    agent: str
    name: str
    """The model or the tool."""
    base: float
    candidate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The comparison of one metric between two sides."""

    metric: str
    base: float | None
    """Mean over the base's runs; None where it was not measured."""
    candidate: float | None
    change: float | None
    """candidate / base - 1, or candidate - base of a share."""
    low: float | None
    high: float | None
    """The bounds of its interval; None where there is none."""
    change_text: str
    interval_text: str
    limit: str
    """How much worse it may become; empty for a metric that is not gated."""
    status: str
    tone: Tone
    sentence: str = ""
    why: str = ""
    """What the spans say about the change, in a sentence; empty if they do not tell."""
    causes: tuple[Cause, ...] = ()
    """What the change consists of, the largest part first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The results of all metrics, and the verdict."""

    verdict: str
    """`pass`, `fail`, `inconclusive` or `nothing to compare with`."""
    tone: Tone
    headline: str
    """What was compared, and the number of runs."""
    advice: str
    metrics: tuple[Judged, ...]
    """Those with a limit."""
    explored: tuple[Judged, ...] = ()
    """All others."""
    notes: tuple[str, ...] = ()

    def of(self, metric: str) -> Judged | None:
        """The result of a metric; None if it was not compared."""
        return next((it for it in (*self.metrics, *self.explored) if it.metric == metric), None)
