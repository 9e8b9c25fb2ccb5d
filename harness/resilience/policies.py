"""The policies of one agent, as a scenario states them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from harness.fields import AgentName
from harness.resilience.retry import Retry
from harness.units import Count, PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policies of an agent; absent ones are not applied.

    From the inside out: the timeout stands around one attempt, then come the places in flight, the retries, the
    deadline of the whole call, and the fallback.
    """

    timeout_s: PositiveSeconds | None = None
    """Longest time of one attempt [s]; it is then retried."""
    deadline_s: PositiveSeconds | None = None
    """Longest time of a call with all its retries [s]."""
    max_in_flight: Count | None = None
    """Most attempts of one agent at the same time; the others wait."""
    retry: Retry | None = None
    """When and how often to retry."""
    fallback: AgentName | None = None
    """The agent that answers when a call has failed for good."""

    def over(self, default: Policies) -> Policies:
        """These policies, with the default's where these say nothing."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            default, **{name: value for name, value in said.items() if value is not None}
        )
