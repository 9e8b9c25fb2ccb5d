"""What a policy does to an agent's requests: copies beside a slow one, samples, calls that need none, replies nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.gate.ending import percent, were
from harness.metrics.contributions import ANSWERED, Use
from harness.metrics.endings import LOST_HEDGE
from harness.spans import CANCELLED

RETRIES: Final = "retries"
HEDGES: Final = "hedges"
SAMPLES: Final = "samples"
REPLY_CACHE: Final = "reply cache"
UNMADE: Final = "refused calls"
"""Why an agent makes more attempts a call."""

PLAIN: Final = 0.05
"""A share of attempts or calls that moved by less is no cause."""


def of_attempts(before: Use, after: Use) -> str:
    """Why an agent makes more or fewer attempts a call: what moved that number most."""
    if not (before.calls and after.calls):
        return RETRIES
    (old, new) = map(_a_call, (before, after))
    moved = {kind: abs(new[kind] - old[kind]) for kind in old}
    return max(moved, key=lambda kind: (moved[kind], kind == RETRIES))


def _a_call(use: Use) -> Mapping[str, float]:
    """What the attempts a call consist of: failures, copies, replies beyond one, and what calls without an attempt take away."""
    hedges = use.endings.get(LOST_HEDGE, 0)
    answered = use.unmade.get(ANSWERED, 0)
    refused = sum(use.unmade.values()) - answered
    made = use.calls - answered - refused
    return {
        RETRIES: (use.attempts - use.replies - hedges) / use.calls,
        HEDGES: hedges / use.calls,
        SAMPLES: max(0.0, use.replies - made) / use.calls,
        REPLY_CACHE: answered / use.calls,
        UNMADE: refused / use.calls,
    }


def policy_told(kind: str, agent: str, before: Use, after: Use) -> str:
    """What a policy does now to an agent's requests, as a clause; empty for retries, which are told by how attempts end."""
    old, new = (_a_call(use).get(kind, 0.0) if use.calls else 0.0 for use in (before, after))
    if kind == HEDGES:
        lost = [use.endings.get(LOST_HEDGE, 0) / (use.attempts or 1) for use in (before, after)]
        return f"{percent(lost[1])} of the attempts of {agent} are hedges' losers ({were(lost[0])})"
    if kind == SAMPLES:
        return f"{agent} asks {1 + new:.2g} times a call ({1 + old:.2g} before)"
    if kind == REPLY_CACHE:
        return f"{percent(new)} of the calls of {agent} are answered without an attempt ({were(old)})"  # fmt: skip
    if kind == UNMADE:
        errors = sorted({*before.unmade, *after.unmade} - {ANSWERED})
        return f"{percent(new)} of the calls of {agent} end with {' or '.join(errors)} before any attempt ({were(old)})"
    return ""


def fewer_spared(agent: str, before: Use, after: Use) -> tuple[str, str] | None:
    """What spared an agent requests, or its slow ones, and does so less: its kind, and a clause; None if nothing is plain.

    Calls were answered from a cache, refused by an open circuit, or asked a second time when slow.
    """
    if not (before.calls and after.calls):
        return None
    old, new = map(_a_call, (before, after))
    fell = {kind: old[kind] - new[kind] for kind in (REPLY_CACHE, UNMADE, HEDGES)}
    kind = max(fell, key=lambda it: fell[it])
    return (kind, policy_told(kind, agent, before, after)) if fell[kind] >= PLAIN else None


def waited_for(agent: str, before: Use, after: Use) -> str:
    """That an agent's attempts are cancelled less often, so that its replies are waited for; empty if that is not plain."""
    shares = [
        use.endings.get(CANCELLED, 0) / use.attempts if use.attempts else 0.0
        for use in (before, after)
    ]
    if not after.attempts or shares[0] - shares[1] < PLAIN:
        return ""
    return f"{agent} is waited for more often ({percent(shares[1])} of its attempts are cancelled, {percent(shares[0])} before)"  # fmt: skip
