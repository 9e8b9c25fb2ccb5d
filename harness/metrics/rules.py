"""The finding rule: it reads a history and returns findings, one per agent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from harness.metrics.history import History

Severity = Literal["info", "warning", "serious"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A weakness of a program, with advice."""

    kind: str
    severity: Severity
    agent: str
    at_s: float
    """When it was seen first [s]."""
    span_id: int
    """Where it was seen first."""
    message: str
    """What was seen, with numbers."""
    advice: str
    """What to do about it."""
    times: int = 1
    """How often it was seen."""
    mast: str = ""
    """The failure mode of MAST that it is, such as `FM-1.3`; empty if it is none."""

    def __str__(self) -> str:
        who = f" ({self.agent})" if self.agent else ""
        return f"{self.severity} {self.kind}{who}: {self.message}. {self.advice}"


Rule = Callable[[History], Iterable[Finding]]


class Sighting(NamedTuple):
    """One occurrence of a finding."""

    agent: str
    at_s: float
    span_id: int
    text: str
    """What was seen."""
    advice: str = ""
    """What to do about it; empty if the rule says it."""


def one_an_agent(
    kind: str, severity: Severity, seen: Iterable[Sighting], advice: str
) -> list[Finding]:
    """Combine sightings into one finding per agent: the first, and their number."""
    by_agent: dict[str, list[Sighting]] = {}
    for sighting in sorted(seen, key=lambda each: (each.at_s, each.span_id)):
        by_agent.setdefault(sighting.agent, []).append(sighting)
    return [
        Finding(
            kind,
            severity,
            agent,
            first.at_s,
            first.span_id,
            _told(first.text, more),
            first.advice or advice,
            1 + len(more),
        )
        for agent, (first, *more) in by_agent.items()
    ]


def _told(text: str, more: list[Sighting]) -> str:
    if not more:
        return text
    return f"{text}; and {len(more)} more time{'s' if len(more) > 1 else ''}"
