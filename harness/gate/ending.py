"""How an agent's attempts and uses of tools end, as a part of a sentence."""

from __future__ import annotations

from harness.metrics.contributions import Use
from harness.rate_limits import of_reason


def ending_told(before: Use, after: Use, *, direction: float = 1.0) -> str:
    """How an agent's attempts end, as a part of a sentence; empty if that did not change in a direction."""
    gains = {
        reason: _rate(after, reason) - _rate(before, reason)
        for reason in sorted(before.endings.keys() | after.endings.keys())
    }
    gains = {reason: gain for reason, gain in gains.items() if gain * direction > 0}
    if not gains:
        return ""
    reason = max(gains, key=lambda it: abs(gains[it]))
    old, new = _rate(before, reason), _rate(after, reason)
    if reason.startswith("tool "):
        tool, _, error = reason.removeprefix("tool ").partition(": ")
        return f"its tool {tool} fails {new:.2g} times a call with {error} ({were(old, ' times')})"
    limit = of_reason(reason)
    if limit:
        return f"{percent(new)} of its attempts are refused by the limit of {limit} ({were(old)})"
    return f"{percent(new)} of its attempts end with {reason} ({were(old)})"


def _rate(use: Use, reason: str) -> float:
    """How many of an agent's attempts ended so; of a tool's uses, how many a call."""
    of = use.calls if reason.startswith("tool ") else use.attempts
    return use.endings.get(reason, 0) / of if of else 0.0


def were(before: float, unit: str = "") -> str:
    """What a share was before."""
    if not before:
        return "none before"
    return f"{before:.2g}{unit} before" if unit else f"{percent(before)} before"


def percent(share: float) -> str:
    """A share as a percentage."""
    return f"{100 * share:.3g} %"
