"""A spending cap holds however many calls are under way, and whatever becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from harness.json_types import JsonObject
from harness.models.api import ModelError, Request
from harness.models.live import Heard, LiveModel, most_tokens
from harness.models.spending import SPENDING_CAP, Purse, SpendingCapError
from harness.provider import Prices
from harness.spans import ATTEMPT, CALL, SpanLog
from harness.units import Usage

PRICES = Prices(input_usd_per_mtok=1.0, output_usd_per_mtok=10.0)


class FakeApi:
    """Takes a while, and then does what it is told to."""

    def __init__(self, outcome: Heard | BaseException, most: list[float], purse: Purse) -> None:
        self.outcome, self.most, self.purse = outcome, most, purse
        self.asks = 0

    def asked(self, request: Request, model: str, max_tokens: int) -> JsonObject:
        return {"model": model, "max_tokens": max_tokens, "prompt": request.prompt}

    async def ask(
        self, asked: JsonObject, headers: Mapping[str, str], first: Callable[[], None]
    ) -> Heard:
        self.asks += 1
        self.most.append(self.purse.spent_usd + self.purse.reserved_usd)
        await asyncio.sleep(0)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        first()
        return self.outcome

    async def close(self) -> None:
        pass


def ask_side_by_side(
    outcome: Heard | BaseException, count: int, cap_usd: float
) -> tuple[Purse, FakeApi, list[BaseException], list[float]]:
    """Many calls at once: the purse, the API, what failed, and the cost that each span has."""
    purse, log = Purse(cap_usd), SpanLog(lambda: 0.0)
    api = FakeApi(outcome, [], purse)
    model = LiveModel(api=api, name="m", prices=PRICES, purse=purse, max_tokens=100, log=log)
    task = log.open_task("task", 1)
    spans = [log.open(ATTEMPT, "m", log.open(CALL, "m", task, "a"), "a") for _ in range(count)]
    requests = [Request("a", "m", "hi", 1, "k", 1, 1, span) for span in spans]

    async def ask() -> list[object]:
        return await asyncio.gather(*map(model.reply, requests), return_exceptions=True)

    loop = asyncio.new_event_loop()
    try:
        found = loop.run_until_complete(ask())
    finally:
        loop.close()
    failed = [one for one in found if isinstance(one, BaseException)]
    return purse, api, failed, [span.cost_usd for span in spans]


def heard() -> Heard:
    return Heard(text="yes", usage=Usage(10, 20))


WORST_USD = PRICES.cost_usd(
    Usage(most_tokens({"model": "m", "max_tokens": 100, "prompt": "hi"}), 100)
)


def test_calls_at_once_reserve_the_most_that_they_can_cost() -> None:
    purse, api, failed, _ = ask_side_by_side(heard(), 20, cap_usd=5 * WORST_USD)
    assert api.asks == 5
    assert max(api.most) <= purse.cap_usd
    assert len(failed) == purse.refused == 15
    assert {type(error) for error in failed} == {SpendingCapError}
    assert purse.spent_usd == pytest.approx(5 * PRICES.cost_usd(Usage(10, 20)))
    assert purse.reserved_usd == pytest.approx(0.0)


def test_what_is_settled_can_be_spent_again() -> None:
    purse = Purse(1.0)
    for _ in range(10):
        purse.reserve(0.9)
        purse.settle(0.9, 0.01)
    assert purse.left_usd == pytest.approx(0.9)
    with pytest.raises(SpendingCapError, match=r"may cost up to \$0\.9500, and \$0\.9000 of the"):
        purse.reserve(0.95)


def test_a_call_that_was_not_made_costs_nothing_and_is_not_tried_again() -> None:
    _, _, (error,), costs = ask_side_by_side(heard(), 1, cap_usd=WORST_USD / 2)
    assert isinstance(error, ModelError)
    assert (error.error, error.is_retryable) == (SPENDING_CAP, False)
    assert costs != [WORST_USD]


def test_a_refused_call_costs_nothing() -> None:
    purse, _, _, costs = ask_side_by_side(ModelError("overloaded_error", 529, "busy"), 3, 1.0)
    assert (purse.spent_usd, costs) == (0.0, [0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "outcome", [ModelError("connection_error", None, "gone"), asyncio.CancelledError(), Heard("?")]
)
def test_a_call_of_which_nobody_knows_what_it_cost_counts_as_the_most(
    outcome: Heard | BaseException,
) -> None:
    purse, _, _, costs = ask_side_by_side(outcome, 2, 1.0)
    assert purse.spent_usd == pytest.approx(2 * WORST_USD)
    assert costs == pytest.approx([WORST_USD, WORST_USD])


def test_no_token_is_less_than_a_byte() -> None:
    assert most_tokens({"prompt": "x" * 5_000}) > 5_000
    assert most_tokens({"prompt": "\u6f22" * 1_000}) > 3_000
