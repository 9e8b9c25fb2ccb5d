"""The order in which policies stand around an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.chance import Draws
from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.resilience.budget import Price, Spendings, with_budget
from harness.resilience.bulkhead import with_bulkhead
from harness.resilience.call_queue import Line, with_queue
from harness.resilience.circuit_breaker import Breaker, with_breaker
from harness.resilience.default_answer import with_default_answer
from harness.resilience.health import Health, with_health
from harness.resilience.hedge import with_hedge
from harness.resilience.policies import Policies
from harness.resilience.reply_cache import Cache, with_cache
from harness.resilience.retry import with_retry
from harness.resilience.samples import with_samples
from harness.resilience.shared import Shared
from harness.resilience.task_deadline import with_task_deadline
from harness.resilience.timeout import with_timeout
from harness.resilience.token_bucket import Bucket, with_token_bucket
from harness.resilience.validation import Validator, with_validation
from harness.spans import SpanLog

ORDER: Final = (
    "rollout", "balance", "escalate", "fallback", "default_answer", "cache", "task_deadline_s", "health", "deadline_s", "samples",
    "validate", "retry", "hedge", "circuit_breaker", "budget", "max_in_flight", "queue", "token_bucket", "timeout_s",
)  # fmt: skip
"""From the outside in. `in_order` puts those from `default_answer` to `token_bucket` around an attempt, which has its timeout; the
others choose who makes the call, and stand in `harness.agents`."""


def _unknown(_: Request, __: object = None) -> float:
    return 0.0


def _tell_nobody(_: Request, __: Reply) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the policies of one agent need from around them."""

    agent: str
    """Its name."""
    log: SpanLog
    """Where they note what they do."""
    draws: Draws
    """Source of random values."""
    shared: Shared = field(default_factory=Shared)
    """The states that agents share."""
    price: Price | None = None
    """Of the agent's model; None if it is not known."""
    validator: Validator | None = None
    """Checks replies, if there is `validate`."""
    health: Health | None = None
    """The agent's health, if there is `health`."""
    correct: Callable[[Request, Reply], None] = _tell_nobody
    """Told the real reply to a request that was answered by default."""
    arrival_s: Callable[[Request], float] = _unknown
    """When the task of a request arrived [s]."""


def in_order(attempt: Call, policies: Policies, setting: Setting) -> Call:
    """Put policies around an attempt. An absent policy is not there at all.

    Args:
        attempt: One attempt, with its timeout.
        policies: Which ones.
        setting: What they need.
    """
    log, agent, shared = setting.log, setting.agent, setting.shared
    bucket = shared.of(policies.token_bucket, agent, lambda stated, _: Bucket(stated))
    call = with_token_bucket(attempt, bucket, log)
    line = shared.of(policies.queue, agent, lambda stated, _: Line(stated))
    call = with_queue(call, line, log)
    call = with_bulkhead(call, policies.max_in_flight, log)
    spendings = shared.of(policies.budget, agent, lambda stated, _: Spendings(stated))
    call = with_budget(call, spendings, setting.price, log)
    stated = policies.circuit_breaker
    breaker = shared.of(stated, agent, lambda stated, _: Breaker(stated))
    call = with_breaker(call, breaker, agent if stated is None else stated.shared or agent, log)
    call = with_hedge(call, policies.hedge, log)
    call = with_retry(call, policies.retry, log, setting.draws)
    call = with_validation(call, setting.validator, log)
    call = with_samples(call, policies.samples, log)
    call = with_timeout(call, policies.deadline_s)
    call = with_health(call, setting.health)
    call = with_task_deadline(call, policies.task_deadline_s, log, setting.arrival_s)
    cache: Cache[Reply] | None = shared.of(policies.cache, agent, lambda stated, _: Cache(stated))
    call = with_cache(call, cache, log)
    return with_default_answer(call, policies.default_answer, log, setting.correct)
