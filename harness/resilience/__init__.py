"""Policies for failing calls. Each takes a call and returns a call; an agent combines them (`order.py`).

What has a state can be used by hand, in a program of one's own and on any event loop: `Breaker`, `Bucket`, `Line`, `Spending`, `Cache`,
`Late`, `Health`, `Balancer`, `Release`, `Desk`, and the function `hedged`.
"""

from __future__ import annotations

from harness.resilience.api import Meaning, PolicyError
from harness.resilience.balance import Balance, Balancer
from harness.resilience.budget import (
    Amount,
    Budget,
    BudgetExceeded,
    Spending,
    Spendings,
    with_budget,
)
from harness.resilience.bulkhead import with_bulkhead
from harness.resilience.call_queue import CallQueue, Line, with_queue
from harness.resilience.checkpoint import (
    Journal,
    Memory,
    Progress,
    Storage,
    Timeline,
    digest_of,
    with_checkpoint,
)
from harness.resilience.circuit_breaker import Breaker, CircuitBreaker, CircuitOpen, with_breaker
from harness.resilience.default_answer import DefaultAnswer, Late, with_default_answer
from harness.resilience.escalation import Desk, Escalation
from harness.resilience.health import Health, HealthScore, with_health
from harness.resilience.hedge import Hedge, hedged, with_hedge
from harness.resilience.order import ORDER, Setting, in_order
from harness.resilience.policies import Policies
from harness.resilience.reply_cache import Cache, ReplyCache, with_cache
from harness.resilience.retry import Retry, with_retry
from harness.resilience.rollout import Release, Rollout, RolloutStep
from harness.resilience.samples import NoMajority, Samples, majority, with_samples
from harness.resilience.shared import Shared
from harness.resilience.task_deadline import with_task_deadline
from harness.resilience.timeout import with_timeout
from harness.resilience.token_bucket import Bucket, TokenBucket, with_token_bucket
from harness.resilience.validation import InvalidOutput, Validation, Validator, with_validation

__all__ = [
    "ORDER",
    "Amount",
    "Balance",
    "Balancer",
    "Breaker",
    "Bucket",
    "Budget",
    "BudgetExceeded",
    "Cache",
    "CallQueue",
    "CircuitBreaker",
    "CircuitOpen",
    "DefaultAnswer",
    "Desk",
    "Escalation",
    "Health",
    "HealthScore",
    "Hedge",
    "InvalidOutput",
    "Journal",
    "Late",
    "Line",
    "Meaning",
    "Memory",
    "NoMajority",
    "Policies",
    "PolicyError",
    "Progress",
    "Release",
    "ReplyCache",
    "Retry",
    "Rollout",
    "RolloutStep",
    "Samples",
    "Setting",
    "Shared",
    "Spending",
    "Spendings",
    "Storage",
    "Timeline",
    "TokenBucket",
    "Validation",
    "Validator",
    "digest_of",
    "hedged",
    "in_order",
    "majority",
    "with_breaker",
    "with_budget",
    "with_bulkhead",
    "with_cache",
    "with_checkpoint",
    "with_default_answer",
    "with_health",
    "with_hedge",
    "with_queue",
    "with_retry",
    "with_samples",
    "with_task_deadline",
    "with_timeout",
    "with_token_bucket",
    "with_validation",
]
