"""Budget guard: stop before the money is spent, exactly, however many agents call at once.

The most that an attempt can cost is reserved before it is made, and what it did cost is settled after it. So what is spent and
reserved together never passes the limit, where a guard that only looks at what is spent lets every concurrent call through.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from annotated_types import Gt

from harness.errors import HarnessError
from harness.models import Reply, Request
from harness.resilience.api import Call, PolicyError
from harness.spans import BUDGET_REFUSED, Span, SpanLog
from harness.units import Count, Tokens, Usage

Price = Callable[[Usage], float]
"""What an attempt costs [USD]."""

_PICO = 10**12
"""Money is counted in whole 1e-12 USD, in which every price of tokens is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may be used; a call or a turn that could use more fails with `budget_exceeded`."""

    calls: Count | None = None
    """Most calls."""
    turns: Count | None = None
    """Most turns of agents."""
    tokens: Count | None = None
    """Most tokens, read and generated."""
    usd: Annotated[float, Gt(0)] | None = None
    """Most money [USD]."""
    per: Literal["task", "run"] = "task"
    """Whether each task has this much, or all tasks of a run together."""
    counts: Literal["before", "after"] = "before"
    """Whether a use counts from before it on, or only after it, as in a guard that reads the bill: calls at the same time then pass
    the limit together."""
    reserve_output_tokens: Tokens = 1000
    """Largest reply that is expected [tokens], as `max_tokens` of a request: reserved with each attempt, and given back as far as the
    reply is shorter."""
    shared: str | None = "team"
    """Agents with the same name here spend from one budget: all, unless some have another name; `null` gives each agent its own."""

    def __post_init__(self) -> None:
        if (self.calls, self.turns, self.tokens, self.usd) == (None, None, None, None):
            raise ValueError("give at least one of `calls`, `turns`, `tokens`, `usd`")


class BudgetExceeded(PolicyError):  # noqa: N818 - names the condition
    """The budget has not enough left, so the call was not made or the turn not begun."""


class Amount(NamedTuple):
    """What is used, or reserved."""

    calls: int = 0
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0


Whole = tuple[int, int, int, int]
"""An `Amount` in whole numbers: calls, turns, tokens, and money in 1e-12 USD."""

_NOTHING: Whole = (0, 0, 0, 0)
_TURN = (0, 1, 0, 0)


class Spending:
    """What is left of a budget; for use by hand.

    Args:
        stated: The budget.
    """

    def __init__(self, stated: Budget) -> None:
        self._counts_after = stated.counts == "after"
        pico_usd = None if stated.usd is None else round(stated.usd * _PICO)
        self._most = tuple(
            math.inf if limit is None else limit - self._counts_after
            for limit in (stated.calls, stated.turns, stated.tokens, pico_usd)
        )
        """Largest whole amounts that may be used when something more is begun."""
        self._used = _NOTHING

    def reserve(self, amount: Amount) -> None:
        """Set aside what is going to be used at most.

        Raises:
            BudgetExceeded: There is not enough left; nothing is set aside.
        """
        self.reserve_whole(_whole(amount))

    def settle(self, reserved: Amount, used: Amount) -> None:
        """Give back what was reserved, and count what was used instead."""
        self.settle_whole(_whole(reserved), _whole(used))

    def reserve_whole(self, amount: Whole) -> None:
        """What `reserve` does, for every call of a simulation."""
        more = _NOTHING if self._counts_after else amount
        calls, turns, tokens, pico_usd = self._used
        more_calls, more_turns, more_tokens, more_usd = more
        most_calls, most_turns, most_tokens, most_usd = self._most
        calls, turns, tokens = calls + more_calls, turns + more_turns, tokens + more_tokens
        pico_usd += more_usd
        if (
            calls > most_calls or turns > most_turns or tokens > most_tokens or pico_usd > most_usd
        ):  # fmt: skip
            raise self._exceeded(more)
        self._used = calls, turns, tokens, pico_usd

    def settle_whole(self, reserved: Whole, used: Whole) -> None:
        """What `settle` does, for every call of a simulation."""
        # Unpacked, because parts by number cost twice as much, and this is on the way of every call.
        calls, turns, tokens, pico_usd = self._used
        less_calls, less_turns, less_tokens, less_usd = _NOTHING if self._counts_after else reserved
        more_calls, more_turns, more_tokens, more_usd = used
        self._used = (
            calls - less_calls + more_calls, turns - less_turns + more_turns,
            tokens - less_tokens + more_tokens, pico_usd - less_usd + more_usd,
        )  # fmt: skip

    @property
    def used(self) -> Amount:
        """What is used or reserved now, of what has a limit."""
        calls, turns, tokens, pico_usd = (
            0 if most == math.inf else used
            for used, most in zip(self._used, self._most, strict=True)
        )
        return Amount(calls, turns, tokens, pico_usd / _PICO)

    def _exceeded(self, more: Whole) -> BudgetExceeded:
        """The error for the first limit that would be passed."""
        name, used, needed, most = next(
            amount
            for amount in zip(Amount._fields, self._used, more, self._most, strict=True)
            if amount[1] + amount[2] > amount[3]
        )
        limit = most + self._counts_after
        said = f"{_said(name, used)} of {_said(name, limit)} {name} are used or reserved"
        if needed:
            said += f", and up to {_said(name, needed)} more are needed"
        return BudgetExceeded("budget_exceeded", message=said)


def _whole(amount: Amount) -> Whole:
    calls, turns, tokens, usd = amount
    return calls, turns, tokens, round(usd * _PICO)


def _said(name: str, value: float) -> str:
    """An amount, for people."""
    return f"{value / _PICO:g}" if name == "usd" else str(value)


class Spendings:
    """The budgets of all tasks, or of the run; made when they are first used."""

    def __init__(self, stated: Budget) -> None:
        self.stated = stated
        self._by_task: dict[int, Spending] = {}

    def of(self, task: int) -> Spending:
        """The budget that a task spends from."""
        key = task if self.stated.per == "task" else 0
        found = self._by_task.get(key)
        if found is None:
            found = self._by_task[key] = Spending(self.stated)
        return found

    def begin_turn(self, span: Span, log: SpanLog) -> None:
        """Count a turn.

        Raises:
            BudgetExceeded: There are no turns left.
        """
        spending = self.of(span.task)
        try:
            spending.reserve_whole(_TURN)
        except BudgetExceeded as error:
            log.event(BUDGET_REFUSED, span, error.message)
            raise
        spending.settle_whole(_TURN, _TURN)


def with_budget(call: Call, spendings: Spendings | None, price: Price | None, log: SpanLog) -> Call:
    """Reserve what an attempt can cost before it is made, and settle what it did cost after it.

    Args:
        call: One attempt.
        spendings: The budget; None leaves the call as it is.
        price: Of the model; None if it is not known.
        log: Where refusals are noted.

    Raises:
        HarnessError: There is a limit on money, and no price.
    """
    if spendings is None:
        return call
    stated = spendings.stated
    if stated.usd is not None and price is None:
        raise HarnessError(
            "a budget in `usd` needs the price of the model, which is not known\n"
            "  How to fix: state `prices` for the model, or give the budget in `tokens`"
        )

    async def call_within_budget(request: Request) -> Reply:
        input_tokens, output_tokens = request.input_tokens, stated.reserve_output_tokens
        pico_usd = 0
        if stated.usd is not None and price is not None:
            pico_usd = round(price(Usage(input_tokens, output_tokens)) * _PICO)
        reserved = int(request.attempt == 0), 0, input_tokens + output_tokens, pico_usd
        spending = spendings.of(request.call_span.task)
        try:
            spending.reserve_whole(reserved)
        except BudgetExceeded as error:
            log.event(BUDGET_REFUSED, request.call_span, error.message)
            raise
        request.ended = None
        try:
            return await call(request)
        finally:
            spending.settle_whole(reserved, _used(reserved[0], request.ended))

    return call_within_budget


def _used(calls: int, attempt: Span | None) -> Whole:
    """What an attempt used; what is not known of it was not used."""
    if attempt is None:
        return calls, 0, 0, 0
    tokens, cost_usd = (
        max(0, attempt.input_tokens) + max(0, attempt.output_tokens),
        attempt.cost_usd,
    )
    return calls, 0, tokens, round(cost_usd * _PICO) if cost_usd == cost_usd else 0
