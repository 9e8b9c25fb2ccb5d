"""Axes are read from texts: lists, ranges, ranges of equal ratios."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.sweep.axes import axis_of, split


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("k=fast,deep", ("fast", "deep")),
        ("k=1, 2 ,2", ("1", "2")),
        ("k=0.1..0.5:5", ("0.1", "0.2", "0.3", "0.4", "0.5")),
        ("k=1..64:4:log", ("1", "4", "16", "64")),
        ("k=1..8:3", ("1", "4", "8")),
        ("k=0.01..1:3:log", ("0.01", "0.1", "1.0")),
        ("k=-1..1:3", ("-1", "0", "1")),
        ("k={exponential: {mean: 1, cap: 2}},5", ("{exponential: {mean: 1, cap: 2}}", "5")),
        ("k=[a,b],'c,d'", ("[a,b]", "'c,d'")),
        ("k=a=b", ("a=b",)),
    ],
)
def test_values_are_those_that_are_written(text: str, values: tuple[str, ...]) -> None:
    assert axis_of(text).values == values


def test_range_without_a_number_of_values_is_for_samples() -> None:
    axis = axis_of("k=10..500")
    assert axis.is_range
    assert (axis.at(0), axis.at(0.5), axis.at(1)) == ("10", "255", "500")
    assert axis_of("k=0.1..10:log").at(0.5) == "1.0"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("k", "no key"),
        ("=1,2", "no key"),
        ("k=", "empty"),
        ("k=1,,2", "empty"),
        ("k=5..1:3", "not below"),
        ("k=1..2:1", "2 to"),
        ("k=1..2:1000000", "2 to"),
        ("k=0..2:3:log", "above 0"),
        ("k=1..x", "no range"),
        ("k=1..2:log:3", "no range"),
    ],
)
def test_what_is_wrong_with_an_axis_is_said(text: str, word: str) -> None:
    with pytest.raises(HarnessError, match=word) as caught:
        axis_of(text)
    assert "How to fix" in str(caught.value)


def test_commas_inside_of_yaml_do_not_split() -> None:
    assert split('{a: [1,2], b: "x,y"},3') == ['{a: [1,2], b: "x,y"}', "3"]
