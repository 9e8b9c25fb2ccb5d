"""What holds when calls fail. Each policy takes a call and gives a call; an agent puts them together."""

from __future__ import annotations

from harness.resilience.bulkhead import with_bulkhead
from harness.resilience.checkpoint import (
    Journal,
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
