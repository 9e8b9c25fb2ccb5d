"""Keyed draws: the same everywhere, evenly spread, and one for every key."""

from __future__ import annotations

import os
import subprocess
import sys
from math import sqrt
from pathlib import Path
from statistics import correlation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.chance import Draws

# -- the same everywhere ----------------------------------------------------------------------------


def test_values_are_pinned_for_ever() -> None:
    """A change here makes every recorded run unrepeatable: think twice, and say so in the changelog."""
    draws = Draws(4711)
    assert [
        draws.uniform("task", 1, "ttft"),
        draws.uniform("task", 1, "itl"),
        draws.uniform(),
        Draws(-1).uniform("task", 1, "ttft"),
        Draws(10**30).uniform("é", 2.5, None),
    ] == PINNED


PINNED = [
    0.05365229571577024,
    0.10045411560782902,
    0.7603579856810841,
    0.8345359266118239,
    0.2823374409695948,
]

SCRIPT = """
from harness.chance import Draws
print([Draws(seed).uniform(*key) for seed in (1, 2) for key in (("a", 1), ("b", None), (("c", 2.5),), ())])
"""


def test_values_are_the_same_in_every_process_with_every_hash_seed() -> None:
    path = os.pathsep.join(
        filter(None, [str(Path(harness.__file__).parents[1]), os.environ.get("PYTHONPATH")])
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "random")
    ]
    outputs = {process.communicate()[0] for process in processes}
    assert len(outputs) == 1
    assert outputs != {""}


def test_values_do_not_depend_on_the_order_of_drawing() -> None:
    keys = [("task", number, what) for number in range(50) for what in ("ttft", "itl")]
    forward, backward = Draws(3), Draws(3)
    there = {key: forward.uniform(*key) for key in keys}
    back = {key: backward.uniform(*key) for key in reversed(keys)}
    assert there == back


def test_one_draw_more_changes_no_other() -> None:
    plain, busy = Draws(3), Draws(3)
    for number in range(50):
        busy.uniform("another agent", number)
        assert busy.uniform("agent", number) == plain.uniform("agent", number)


def test_draws_tell_their_seed() -> None:
    assert Draws(4711).seed == 4711


def test_seeds_give_different_values() -> None:
    assert len({Draws(seed).uniform("task", 1) for seed in range(-500, 500)}) == 1000


# -- one for every key ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc"), ("ab", "c")),
        (("a", ""), ("a",)),
        (("", "a"), ("a",)),
        ((1, 23), (12, 3)),
        (("a", "b"), ("b", "a")),
        (("a b",), ("a", "b")),
        (("a,b",), ("a", "b")),
    ],
)
def test_keys_that_read_alike_when_joined_do_not_collide(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    assert Draws(1).uniform(*one) != Draws(1).uniform(*other)


def test_seed_and_key_do_not_run_into_each_other() -> None:
    assert Draws(1).uniform("23") != Draws(12).uniform("3")
    assert Draws(1).uniform(2, "a") != Draws(12).uniform("", "a")


def test_equal_texts_are_equal_keys() -> None:
    assert Draws(1).uniform("task", 7, None) == Draws(1).uniform("task", "7", "None")


word = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=5)
keys = st.lists(word, min_size=1, max_size=4)


@settings(derandomize=True, deadline=None, database=None)
@given(st.integers(), keys, st.integers(), keys)
def test_different_seeds_or_keys_give_different_values(
    seed: int, key: list[str], other_seed: int, other_key: list[str]
) -> None:
    same = Draws(seed).uniform(*key) == Draws(other_seed).uniform(*other_key)
    assert same == ((seed, key) == (other_seed, other_key))


def test_hundred_thousand_values_are_all_different() -> None:
    draws = Draws(1)
    assert len({draws.uniform("task", number) for number in range(100_000)}) == 100_000


# -- evenly spread ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("style", ["numbers", "names"])
def test_values_are_uniform(seed: int, style: str) -> None:
    """Kolmogorov-Smirnov: sqrt(n) D exceeds 1.95 in one of a thousand samples; the seeds are fixed."""
    draws, n = Draws(seed), 10_000
    if style == "numbers":
        values = sorted(draws.uniform("arrival", number) for number in range(n))
    else:
        values = sorted(
            draws.uniform(f"task{number % 100}", f"agent{number // 100}") for number in range(n)
        )
    distance = max(
        max((rank + 1) / n - value, value - rank / n) for rank, value in enumerate(values)
    )
    assert sqrt(n) * distance < 1.95


def test_neighbours_are_uncorrelated() -> None:
    """The correlation of independent values has a standard deviation of 1 / sqrt(n); 3.3 of them are 0.1 %."""
    n = 10_000
    values = [Draws(1).uniform("task", number, "ttft") for number in range(n + 1)]
    bound = 3.3 / sqrt(n)
    assert abs(correlation(values[:-1], values[1:])) < bound
    assert (
        abs(correlation(values[:n], [Draws(2).uniform("task", k, "ttft") for k in range(n)]))
        < bound
    )
    assert (
        abs(correlation(values[:n], [Draws(1).uniform("task", k, "itl") for k in range(n)])) < bound
    )


class FixedDigest:
    """Stands in for the hash, with all bits 0 or all bits 1."""

    def __init__(self, byte: int) -> None:
        self.byte = byte

    def copy(self) -> FixedDigest:
        return self

    def update(self, text: bytes) -> None:
        pass

    def digest(self) -> bytes:
        return bytes([self.byte] * 8)


@pytest.mark.parametrize(("byte", "value"), [(0, 2.0**-53), (255, 1 - 2.0**-53)])
def test_values_never_reach_zero_or_one(
    byte: int, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the logarithm and every other inverse are finite, even for the luckiest draw."""
    draws = Draws(1)
    monkeypatch.setattr(draws, "_root", FixedDigest(byte))
    assert draws.uniform("any") == value
    assert 0 < value < 1
