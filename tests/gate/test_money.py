"""A change of cost is split into dollars that add up: size of prompts and replies, caches, calls, retries, prices."""

from __future__ import annotations

import math

import pytest

from harness.gate.money import CACHE, CALLS, OUTPUT, PRICE, PROMPT, Money, money
from harness.gate.requests import RETRIES
from harness.gate.shapley import shapley
from harness.metrics.bills import Bill
from harness.metrics.contributions import Use, Work, pairs_of
from harness.metrics.prices import prices_of, prices_of_sides
from tests.gate.test_why import longer, runs

PRICES = (3e-6, 0.3e-6, 3.75e-6, 15e-6)


def bill(*tokens: float, attempts: float = 1, prices: tuple[float, ...] = PRICES) -> Bill:
    usd = math.fsum(n * price for n, price in zip(tokens, prices, strict=True))
    read, cached, written, output = tokens
    return Bill(attempts, read, cached, written, output, usd)


def split_of(before: Bill, after: Bill, calls: tuple[float, float] = (1, 1)) -> Money:
    pair = tuple(
        Work(uses={"bee": Use(calls=n, bills={"fast": it})})
        for n, it in zip(calls, (before, after), strict=True)
    )
    found = money([pair])  # type: ignore[list-item] # two of them
    assert math.fsum(part.usd for part in found.parts) == pytest.approx(
        after.usd - before.usd, rel=1e-9
    )
    return found


def test_prices_follow_from_costs() -> None:
    sizes = [(100, 0, 0, 50), (400, 50, 0, 60), (100, 900, 7, 20), (70, 10, 900, 10), (9, 9, 9, 9)]
    found = prices_of([(bill(*it).usd, it) for it in sizes])
    assert found == pytest.approx(PRICES)


def test_sizes_that_do_not_tell_prices_apart_leave_the_usual_ratio() -> None:
    dear = (2e-6, 0.2e-6, 2.5e-6, 10e-6)
    found = prices_of([(bill(100, 0, 0, 50, prices=dear).usd, (100, 0, 0, 50))] * 3)
    assert found == pytest.approx(dear)


def test_one_price_for_both_sides_is_preferred() -> None:
    odd = (3e-6, 1e-6, 1e-6, 4e-6)  # not the usual ratio
    old, new = prices_of_sides([bill(100, 0, 0, 50, prices=odd)], [bill(100, 0, 0, 80, prices=odd)])
    assert old == new
    assert (old[0], old[3]) == pytest.approx((3e-6, 4e-6))


@pytest.mark.parametrize(
    ("before", "after", "calls", "kind"),
    [
        (bill(1000, 0, 0, 300), bill(1000, 0, 0, 480), (1, 1), OUTPUT),
        (bill(1000, 0, 0, 300), bill(3000, 0, 0, 300), (1, 1), PROMPT),
        (bill(100, 900, 0, 300), bill(1000, 0, 0, 300), (1, 1), CACHE),
        (bill(1000, 0, 0, 300), bill(2000, 0, 0, 600, attempts=2), (1, 2), CALLS),
        (bill(1000, 0, 0, 300), bill(2000, 0, 0, 600, attempts=2), (1, 1), RETRIES),
        (
            bill(1000, 0, 0, 300),
            bill(1000, 0, 0, 300, prices=tuple(2 * it for it in PRICES)),
            (1, 1),
            PRICE,
        ),
    ],
)
def test_one_cause_takes_all_of_the_change(
    before: Bill, after: Bill, calls: tuple[float, float], kind: str
) -> None:
    assert [part.kind for part in split_of(before, after, calls).parts] == [kind]


def test_two_causes_share_the_change() -> None:
    found = split_of(bill(1000, 0, 0, 300), bill(2000, 0, 0, 900))
    assert {part.kind for part in found.parts} == {PROMPT, OUTPUT}
    assert found.total(PROMPT) == pytest.approx(1000 * 3e-6)
    assert found.total(OUTPUT) == pytest.approx(600 * 15e-6)


def test_shapley_values_are_those_of_the_glove_game() -> None:
    """Shapley values of a left glove and two right ones (Owen, "Game Theory", chapter X)."""
    found = shapley(lambda has: float(has[0] and (has[1] or has[2])), [0, 0, 0], [1, 1, 1])
    assert found == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_the_split_of_runs_adds_up_to_the_change_of_their_cost() -> None:
    dear = "models.fast.prices={input_usd_per_mtok: 2, output_usd_per_mtok: 5}"
    candidate = runs(longer("style", 884), dear, "policies.default.timeout_s=25")
    pairs = pairs_of(runs(), candidate, "cost_usd_mean", 0)
    change = math.fsum(new.whole - old.whole for old, new in pairs) / len(pairs)
    found = money(pairs)
    assert math.fsum(part.usd for part in found.parts) == pytest.approx(change, rel=1e-9)
    assert found.parts[0].kind == PRICE
    assert {part.agent for part in found.parts if part.kind == OUTPUT} >= {"style"}
    by_kind = math.fsum(
        new - old for it in found.contributions for old, new in it.values()
    ) / len(pairs)  # fmt: skip
    assert by_kind == pytest.approx(change, rel=1e-9)
