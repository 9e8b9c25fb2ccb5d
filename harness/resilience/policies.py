"""The policies of one agent, as a scenario states them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from harness.fields import AgentName
from harness.resilience.balance import Balance
from harness.resilience.budget import Budget
from harness.resilience.call_queue import CallQueue
from harness.resilience.circuit_breaker import CircuitBreaker
from harness.resilience.default_answer import DefaultAnswer
from harness.resilience.escalation import Escalation
from harness.resilience.health import HealthScore
from harness.resilience.hedge import Hedge
from harness.resilience.reply_cache import ReplyCache
from harness.resilience.retry import Retry
from harness.resilience.rollout import Rollout
from harness.resilience.samples import Samples
from harness.resilience.token_bucket import TokenBucket
from harness.resilience.validation import Validation
from harness.units import Count, PositiveSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policies of an agent; absent ones are not applied. [The page](policies.md) says in which order they stand, and why."""

    timeout_s: PositiveSeconds | None = None
    """Longest time of one attempt [s]; it is then retried."""
    deadline_s: PositiveSeconds | None = None
    """Longest time of a call with all its retries [s]."""
    task_deadline_s: PositiveSeconds | None = None
    """Longest time from the arrival of the task to the end of a call [s], so that who puts results together goes on with what
    there is; in a team within the team, from the task of that team."""
    max_in_flight: Count | None = None
    """Most attempts of one agent at the same time; the others wait."""
    queue: CallQueue | None = None
    """A limit of attempts in flight that agents may share, with an order in which the others go."""
    token_bucket: TokenBucket | None = None
    """A limit of requests and tokens a minute that agents may share; attempts wait for it."""
    retry: Retry | None = None
    """When and how often to retry."""
    hedge: Hedge | None = None
    """When to send a second attempt beside a slow one."""
    circuit_breaker: CircuitBreaker | None = None
    """When to refuse attempts at once, after failures."""
    budget: Budget | None = None
    """How much may be used, of all agents together."""
    validate: Validation | None = None
    """What a reply must be."""
    samples: Samples | None = None
    """How many replies vote."""
    cache: ReplyCache | None = None
    """How long a reply answers the same question again."""
    default_answer: DefaultAnswer | None = None
    """What is answered when the reply is late, until it comes."""
    health: HealthScore | None = None
    """How the share of calls that the agent gets follows its success; the others go to its fallback."""
    balance: Balance | None = None
    """The instances that make its calls."""
    rollout: Rollout | None = None
    """The new version of the agent, and which tasks get it."""
    fallback: AgentName | None = None
    """The agent that answers when a call has failed for good."""
    escalate: Escalation | None = None
    """The people who answer when a call and all its fallbacks have failed."""

    def over(self, default: Policies) -> Policies:
        """These policies, with the default's where these say nothing."""
        return replace(default, **self.stated())

    def stated(self) -> dict[str, Any]:
        """The policies that are not absent, by name."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in said.items() if value is not None}
