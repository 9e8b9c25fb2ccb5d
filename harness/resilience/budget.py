"""Budget guard: stop before the money is spent, exactly, however many agents call at once.

The most that an attempt can cost is reserved before it is made, and what it did cost is settled after it. So what is spent and
reserved together never passes the limit, where a guard that only looks at what is spent lets every concurrent call through.
"""

from __future__ import annotations

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

_NOTHING = (0, 0, 0, 0)
_TURN = (0, 1, 0, 0)


class Spending:
    """What is left of a budget; for use by hand.

    Args:
        stated: The budget.
    """

    def __init__(self, stated: Budget) -> None:
        self._counts_after = stated.counts == "after"
        self._most = [
            (place, (round(limit * _PICO) if name == "usd" else limit) - self._counts_after)
            for place, name in enumerate(Amount._fields)
            if (limit := getattr(stated, name)) is not None
        ]
        """Largest whole amounts that may be used when something more is begun, by their places."""
        self._used = (0, 0, 0, 0)

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
        used, more = self._used, _NOTHING if self._counts_after else amount
        for place, most in self._most:
            if used[place] + more[place] > most:
                raise self._exceeded(place, more[place], most)
        self._used = (
            used[0] + more[0], used[1] + more[1], used[2] + more[2], used[3] + more[3],
        )  # fmt: skip

    def settle_whole(self, reserved: Whole, used: Whole) -> None:
        """What `settle` does, for every call of a simulation."""
        total, less = self._used, _NOTHING if self._counts_after else reserved
        self._used = (
            total[0] + used[0] - less[0], total[1] + used[1] - less[1],
            total[2] + used[2] - less[2], total[3] + used[3] - less[3],
        )  # fmt: skip

    @property
    def used(self) -> Amount:
        """What is used or reserved now, of what has a limit."""
        limited = [place for place, _ in self._most]
        calls, turns, tokens, pico_usd = (
            used if place in limited else 0 for place, used in enumerate(self._used)
        )
        return Amount(calls, turns, tokens, pico_usd / _PICO)

    def _exceeded(self, place: int, more: int, most: int) -> BudgetExceeded:
        name = Amount._fields[place]
        limit = most + self._counts_after
        said = (
            f"{_said(name, self._used[place])} of {_said(name, limit)} {name} are used or reserved"
        )
        if more:
            said += f", and up to {_said(name, more)} more are needed"
        return BudgetExceeded("budget_exceeded", message=said)


def _whole(amount: Amount) -> Whole:
    calls, turns, tokens, usd = amount
    return calls, turns, tokens, round(usd * _PICO)


def _said(name: str, value: int) -> str:
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
        most = Usage(request.input_tokens, stated.reserve_output_tokens)
        reserved = (
            int(request.attempt == 0),
            0,
            most.input_tokens + most.output_tokens,
            0 if stated.usd is None or price is None else round(price(most) * _PICO),
        )
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
