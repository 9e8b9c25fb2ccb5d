"""A measured call of a model, and calls in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MIN_CALLS = 30
"""Fewer calls give no latency: the interval of a median alone would be a factor of about 1.5 wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCall:
    """One call as it was measured."""

    model: str
    agent: str = ""
    """Who called; empty if unknown."""
    output_tokens: int | None = None
    """Size of the reply [tokens]; None if unknown."""
    first_s: float | None = None
    """Time to the first token [s]; None if the reply came whole."""
    total_s: float | None = None
    """Time to the end of the reply [s]; None if unknown."""
    error: str = ""
    """Why it failed; empty if it did not."""

    @property
    def is_timed(self) -> bool:
        """Whether it says how long a reply of a known size took."""
        return not self.error and bool(self.output_tokens) and bool(self.total_s)

    @property
    def is_streamed(self) -> bool:
        """Whether its first token has a time of its own."""
        return self.is_timed and bool(self.first_s)


def grouped(calls: Iterable[MeasuredCall]) -> dict[tuple[str, str], list[MeasuredCall]]:
    """Calls by model and agent, in the order of their names; under the agent `""` stand all calls of a model."""
    groups: dict[tuple[str, str], list[MeasuredCall]] = {}
    for call in calls:
        groups.setdefault((call.model, ""), []).append(call)
        if call.agent:
            groups.setdefault((call.model, call.agent), []).append(call)
    return {key: groups[key] for key in sorted(groups)}
