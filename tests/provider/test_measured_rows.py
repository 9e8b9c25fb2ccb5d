"""A profile of measured calls: one of them is drawn whole, and put right for the size."""

from __future__ import annotations

import pytest

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.provider import Latency

ROWS = tuple((100 + at, 0.1 + at / 100, 1.0 + at / 10) for at in range(40))


def drawn(latency: Latency, output_tokens: int, count: int = 200) -> set[tuple[float, float]]:
    draws = Draws(1)
    return {tuple(latency.sample(draws, f"{at}", 0, output_tokens)) for at in range(count)}  # type: ignore[misc]  # two each


def test_parts_of_one_call_stay_together() -> None:
    latency = Latency(rows=ROWS)
    whole = {(round(first, 6), round(rest, 6)) for _, first, rest in ROWS}
    assert {(round(first, 6), round(rest, 6)) for first, rest in drawn(latency, 120)} <= whole


def test_the_ten_calls_that_are_nearest_in_size_are_drawn() -> None:
    found = {round((first - 0.1) * 100) for first, _ in drawn(Latency(rows=ROWS), 120)}
    assert found == set(range(16, 26))  # of two that are as near, the larger


def test_all_calls_of_one_size_are_drawn() -> None:
    rows = tuple((150, 0.2, 1.0 + at) for at in range(30))
    assert len(drawn(Latency(rows=rows), 150, 2_000)) == 30


def test_few_calls_are_all_near() -> None:
    assert len(drawn(Latency(rows=ROWS[:4]), 10_000)) == 4


def test_each_token_more_or_less_takes_its_time() -> None:
    latency = Latency(rows=((100, 0.5, 2.0),), itl_s=Constant(0.01))
    assert drawn(latency, 100) == {(0.5, 2.0)}
    assert drawn(latency, 150) == {(0.5, 2.5)}
    assert drawn(latency, 50) == {(0.5, 1.5)}


def test_a_shorter_reply_never_takes_less_than_its_share() -> None:
    latency = Latency(rows=((100, 0.5, 0.4),), itl_s=Constant(0.01))
    assert drawn(latency, 50) == {(0.5, 0.2)}
    assert drawn(latency, 1) == {(0.5, 0.004)}


def test_prefill_and_factor_come_on_top() -> None:
    latency = Latency(
        rows=((100, 0.5, 2.0),), prefill_s_per_1k_input_tokens=0.1, factor=Constant(2.0)
    )
    assert latency.sample(Draws(1), "k", 5_000, 100) == (2.0, 4.0)


def test_the_order_of_rows_does_not_matter() -> None:
    assert drawn(Latency(rows=ROWS), 120) == drawn(Latency(rows=ROWS[::-1]), 120)


def test_an_overhead_does_not_depend_on_the_size() -> None:
    latency = Latency(ttft_s=Constant(0.5), itl_s=Constant(0.01), overhead_s=0.3)
    assert latency.sample(Draws(1), "k", 0, 100) == (0.5, 1.3)
    assert latency.sample(Draws(1), "k", 0, 1) == (0.5, 0.31)


@pytest.mark.parametrize(
    "said", [{}, {"itl_s": Constant(0.1)}, {"rows": ROWS, "ttft_s": Constant(1.0)}, {"rows": ROWS, "overhead_s": 1.0}]
)  # fmt: skip
def test_a_profile_states_the_first_token_or_rows(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="ttft_s"):
        Latency(**said)  # type: ignore[arg-type]  # the point of it
