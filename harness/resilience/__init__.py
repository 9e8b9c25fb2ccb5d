"""Policies for failing calls. Each takes a call and returns a call; an agent combines them."""

from __future__ import annotations

from harness.resilience.bulkhead import with_bulkhead
from harness.resilience.checkpoint import (
    Journal,
    Meaning,
    Memory,
    Progress,
    Storage,
    Timeline,
    digest_of,
    with_checkpoint,
)
from harness.resilience.policies import Policies
from harness.resilience.retry import Retry, with_retry
from harness.resilience.timeout import with_timeout

__all__ = [
    "Journal",
    "Meaning",
    "Memory",
    "Policies",
    "Progress",
    "Retry",
    "Storage",
    "Timeline",
    "digest_of",
    "with_bulkhead",
    "with_checkpoint",
    "with_retry",
    "with_timeout",
]
