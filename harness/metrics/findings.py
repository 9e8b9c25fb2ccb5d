"""Findings: weaknesses of a program in its use of providers, with advice.

Each kind of finding is a function beside its like: `retry_rules.py`, `failure_rules.py`, `program_rules.py`, `shape_rules.py`,
`serial_rule.py`, `cache_rules.py`, `mast_rules.py`. A run without
anything to find gives nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.metrics.cache_rules import cache_misses, cache_never_read
from harness.metrics.failure_rules import (
    accepted_truncated_stream,
    gave_up,
    no_timeout,
    swallowed_error,
)
from harness.metrics.history import History
from harness.metrics.mast_rules import (
    MAST,
    ignored_input,
    information_withholding,
    no_verification,
    premature_termination,
    step_repetition,
    unaware_of_termination,
)
from harness.metrics.program_rules import (
    abandoned_call,
    blocked_loop,
    dead_task,
    duplicate_effect,
)
from harness.metrics.retry_rules import (
    no_back_off,
    non_retryable_retried,
    retry_after_ignored,
    retry_storm,
    synchronised_retries,
)
from harness.metrics.rules import Finding, Rule
from harness.metrics.serial_rule import could_run_side_by_side
from harness.metrics.shape_rules import (
    blocked_arrivals,
    context_growth,
    unbounded_loop,
)
from harness.spans import Table

__all__ = ["RULES", "Finding", "findings"]

RULES: Final[tuple[Rule, ...]] = (
    retry_after_ignored,
    non_retryable_retried,
    retry_storm,
    no_back_off,
    synchronised_retries,
    gave_up,
    accepted_truncated_stream,
    no_timeout,
    swallowed_error,
    abandoned_call,
    dead_task,
    duplicate_effect,
    blocked_arrivals,
    blocked_loop,
    unbounded_loop,
    context_growth,
    could_run_side_by_side,
    cache_misses,
    cache_never_read,
    step_repetition,
    unaware_of_termination,
    premature_termination,
    information_withholding,
    ignored_input,
    no_verification,
)
"""Every kind of finding; a rule is named as the kind that it finds. docs/findings.md shows each."""

_GRAVITY = ("serious", "warning", "info")


def findings(spans: Table, events: Table) -> list[Finding]:
    """Find the weaknesses of a program in a run.

    Args:
        spans: The spans of the run.
        events: Its events.

    Returns:
        At most one finding for each kind, severity and agent: the first time, and how many more. The serious ones come
        first, then the earlier ones.
    """
    history = History(spans, events)
    found = [
        replace(finding, mast=MAST.get(finding.kind, ""))
        for rule in RULES
        for finding in rule(history)
    ]
    return sorted(found, key=lambda it: (_GRAVITY.index(it.severity), it.at_s, it.span_id))
