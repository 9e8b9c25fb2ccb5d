"""Deadline of a task: a call ends in time for the others to use what there is."""

from __future__ import annotations

from collections.abc import Callable

from harness.models import Reply, Request
from harness.resilience.api import Call
from harness.resilience.time_limit import TimeLimit
from harness.spans import SpanLog

CUT = "task_deadline"


def with_task_deadline(
    call: Call,
    task_deadline_s: float | None,
    log: SpanLog,
    arrival_s: Callable[[Request], float],
) -> Call:
    """Bound the time from the arrival of the task to the end of a call; the call then fails with a timeout.

    Args:
        call: The call with all its retries.
        task_deadline_s: The bound [s]; None leaves the call as it is.
        log: Tells the time; where it is noted that a call was cut.
        arrival_s: When the task of a request arrived [s].
    """
    if task_deadline_s is None:
        return call

    async def call_before_deadline(request: Request) -> Reply:
        left_s = arrival_s(request) + task_deadline_s - log.clock()
        if left_s <= 0:
            log.event(CUT, request.call_span)
            raise TimeoutError
        limit = TimeLimit(left_s)
        try:
            with limit:
                return await call(request)
        except TimeoutError:
            if limit.is_over:
                log.event(CUT, request.call_span)
            raise

    return call_before_deadline
