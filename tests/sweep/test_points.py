"""Points are all combinations, values side by side, or samples."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.sweep.axes import axis_of
from harness.sweep.points import points_of


def values_of(*args: object, **kwargs: object) -> list[tuple[str, ...]]:
    points = points_of(*args, **kwargs)  # type: ignore[arg-type]
    return [tuple(value for _, value in point.values) for point in points]


def test_grid_is_all_combinations_and_the_last_axis_changes_first() -> None:
    axes = [axis_of("a=1,2"), axis_of("b=x,y,z")]
    assert values_of(axes) == [
        ("1", "x"),
        ("1", "y"),
        ("1", "z"),
        ("2", "x"),
        ("2", "y"),
        ("2", "z"),
    ]


def test_zipped_axes_change_together() -> None:
    zipped = [axis_of("b=x,y"), axis_of("c=8,9")]
    assert values_of([], zipped) == [("x", "8"), ("y", "9")]
    assert values_of([axis_of("a=1,2")], zipped) == [
        ("1", "x", "8"), ("1", "y", "9"), ("2", "x", "8"), ("2", "y", "9"),
    ]  # fmt: skip


def test_latin_hypercube_has_a_point_in_each_slice_of_each_axis() -> None:
    points = values_of([axis_of("a=0.0..1.0"), axis_of("b=10.0..20.0")], sample=("latin", 20))
    for place, (low, width) in enumerate([(0.0, 1.0), (10.0, 10.0)]):
        slices = sorted(int(20 * (float(point[place]) - low) / width) for point in points)
        assert slices == list(range(20))


@pytest.mark.parametrize("method", ["latin", "random"])
def test_samples_follow_from_the_seed_and_lists_may_be_drawn_from(method: str) -> None:
    axes = [axis_of("a=0.0..1.0"), axis_of("model=fast,deep")]
    first = values_of(axes, sample=(method, 12), seed=4)
    assert first == values_of(axes, sample=(method, 12), seed=4)
    assert first != values_of(axes, sample=(method, 12), seed=5)
    assert {model for _, model in first} == {"fast", "deep"}


@pytest.mark.parametrize(
    ("grid", "zipped", "word"),
    [
        (["a=1,2", "a=3"], [], "twice"),
        (["a=1,2"], ["a=1,2"], "twice"),
        ([], ["a=1,2", "b=1,2,3"], "different number"),
        (["a=1..5"], [], "how many values"),
        (["a=1..1000:1000", "b=1..1000:1000"], [], "1,000,000 points are too many"),
    ],
)
def test_what_is_wrong_with_a_grid_is_said(grid: list[str], zipped: list[str], word: str) -> None:
    with pytest.raises(HarnessError, match=word) as caught:
        points_of([axis_of(text) for text in grid], [axis_of(text) for text in zipped])
    assert "How to fix" in str(caught.value)
