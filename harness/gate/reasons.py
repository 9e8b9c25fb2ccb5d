"""What changed about an agent whose share of a metric changed: its calls, retries, models, tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from harness.gate.changes import CALLS as MORE_CALLS
from harness.gate.changes import FIRST, OUTPUT, PROMPT, SPEED
from harness.gate.ending import ending_told
from harness.metrics.contributions import Pair, Use, uses_of
from harness.metrics.critical_path import RETRY, SILENCE, WORK
from harness.units import render

SAME_SHARE = 0.01
"""Numbers whose ratio is closer to 1 explain nothing."""


class _Ratio(NamedTuple):
    """Something about an agent that takes time or money."""

    name: str
    unit: str
    of: Callable[[Use, int], float]
    """Its value, from the use in so many tasks."""


CALLS: Final = "calls a task"
ATTEMPTS: Final = "attempts a call"
READ: Final = "input tokens a reply"
WRITTEN: Final = "output tokens a reply"
_SERVED: Final = "service time a reply"
_TO_FIRST: Final = "time to the first token"
_PER_OUTPUT: Final = "time an output token"

_CALLS = _Ratio(CALLS, "calls", lambda use, tasks: use.calls / tasks)
_ATTEMPTS = _Ratio(ATTEMPTS, "attempts", lambda use, _: use.attempts / use.calls)
_SERVICE = _Ratio(_SERVED, "s", lambda use, _: use.service_s / use.replies)
_FIRST = _Ratio(_TO_FIRST, "s", lambda use, _: use.prefill_s / use.replies)
_SPEED = _Ratio(
    _PER_OUTPUT,
    "s",
    lambda use, _: (use.service_s - use.prefill_s) / (use.output_tokens or 1),
)
_READ = _Ratio(READ, "tokens", lambda use, _: use.input_tokens / use.replies)
_WRITTEN = _Ratio(WRITTEN, "tokens", lambda use, _: use.output_tokens / use.replies)

NUMBERS: Final = {
    MORE_CALLS: (CALLS,),
    PROMPT: (READ, _TO_FIRST, _SERVED),
    FIRST: (_TO_FIRST, _SERVED),
    OUTPUT: (WRITTEN, _SERVED),
    SPEED: (_PER_OUTPUT, _SERVED),
}
"""How the factors of an agent's work are told."""

_RATIOS: Final[dict[str, tuple[_Ratio, ...]]] = {
    WORK: (_CALLS, _READ, _FIRST, _WRITTEN, _SPEED),
    RETRY: (_ATTEMPTS,),
    SILENCE: (_ATTEMPTS,),
    "cost_usd_mean": (_CALLS, _ATTEMPTS, _READ, _WRITTEN),
    "cost_usd_total": (_CALLS, _ATTEMPTS, _READ, _WRITTEN),
    "wasted_usd": (_CALLS, _ATTEMPTS),
    "attempts_mean": (_CALLS, _ATTEMPTS),
    "retries": (_CALLS, _ATTEMPTS),
    "rate_limited": (_CALLS, _ATTEMPTS),
    "input_tokens_mean": (_CALLS, _ATTEMPTS, _READ),
    "output_tokens_mean": (_CALLS, _ATTEMPTS, _WRITTEN),
}
"""What may explain a kind of time on the critical path, or an amount."""


def reasons(
    pairs: Sequence[Pair],
    agent: str,
    cause: str,
    change: float,
    only: Collection[str] | None = None,
) -> str:
    """The related changes of an agent, as the end of a sentence; empty if there are none.

    Args:
        pairs: The tasks.
        agent: The agent.
        cause: A kind of segment, or the metric of an amount.
        change: By how much it took more.
        only: Which of the numbers may be told, such as `CALLS`; None for all.
    """
    ratios = _RATIOS.get(cause, ())
    before, after = (uses.get(agent, Use()) for uses in uses_of(pairs))
    if cause not in _RATIOS or not after.calls:
        return ""
    if not before.calls:
        return "; it is new"
    if cause == WORK and not _sizes_changed(before, after):
        ratios = (_CALLS, _SERVICE)
    ratios = tuple(it for it in ratios if only is None or it.name in only)
    told = []
    if before.models.keys() != after.models.keys():
        told.append(
            f"; it asks {joined(sorted(after.models))}, not {joined(sorted(before.models))}"
        )
    for ratio in ratios:
        if ratio not in (_CALLS, _ATTEMPTS) and not (before.replies and after.replies):
            continue
        old, new = ratio.of(before, len(pairs)), ratio.of(after, len(pairs))
        if (new - old) * change > 0 and abs(new - old) >= SAME_SHARE * old:
            told.append(
                f"; {ratio.name} from {render(ratio.unit, old)} to {render(ratio.unit, new)}"
            )
    ending = ending_told(before, after, direction=change) if _ATTEMPTS in ratios else ""
    if ending:
        told.append(f"; {ending}")
    return "".join(told)


def _sizes_changed(before: Use, after: Use) -> bool:
    """Whether an agent reads or writes another amount a reply; if not, its service time says all."""
    if not (before.replies and after.replies):
        return False
    return any(
        abs(it.of(after, 1) - it.of(before, 1)) >= SAME_SHARE * it.of(before, 1)
        for it in (_READ, _WRITTEN)
    )


def joined(names: Sequence[str]) -> str:
    """Names in a row: `a, b and c`."""
    *others, last = names or ("nobody",)
    return f"{', '.join(others)} and {last}" if others else last
