"""Subtasks that wait for one another: read, checked for cycles, and done in order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from harness.kernel import Kernel, run
from harness.patterns import PatternError
from harness.patterns.dependencies import (
    DependencyError,
    check_dependencies,
    cycle_in,
    in_order,
    numbered,
    read_after,
)

# -- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "subtask", "after"),
    [
        ("write the tests (after 1, 3)", "write the tests", (1, 3)),
        ("write the tests (after: 1 and 3).", "write the tests", (1, 3)),
        ("write the tests [depends on 2]", "write the tests", (2,)),
        ("write the tests (depends on tasks 1, 2, and 3)", "write the tests", (1, 2, 3)),
        ("write the tests (After step #2)", "write the tests", (2,)),
        ("write the tests; after: 2", "write the tests", (2,)),
        ("write the tests\n  Depends on: 1, 2", "write the tests", (1, 2)),
        ("write the tests (after 2, 2)", "write the tests", (2,)),
        ("write the tests", "write the tests", ()),
        ("look after 2 children", "look after 2 children", ()),
        ("release (after lunch)", "release (after lunch)", ()),
        ("after 2 days (from now) ship it", "after 2 days (from now) ship it", ()),
        ("", "", ()),
    ],
)
def test_note_at_the_end_of_a_subtask_says_what_it_waits_for(
    text: str, subtask: str, after: tuple[int, ...]
) -> None:
    assert read_after(text) == (subtask, after)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('{"task": "test", "after": [1, 2]}', (1, 2)),
        ('{"task": "test", "depends_on": ["1", "#3"]}', (1, 3)),
        ('{"task": "test", "after": 2}', (2,)),
        ('{"task": "test", "after": []}', ()),
        ('{"task": "test", "after": null}', ()),
        ('{"task": "test"}', ()),
        ("{no JSON}", ()),
    ],
)
def test_field_of_an_object_says_what_it_waits_for(text: str, after: tuple[int, ...]) -> None:
    assert read_after(text) == (text, after)


# -- cycles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "cycle"),
    [
        ({}, ()),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, ()),
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"x": [], "a": ["x", "b"], "b": ["c"], "c": ["x", "a"]}, ("a", "b", "c", "a")),
        ({"lead": ["a"], "a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}, ()),
        ({"a": ["b"], "b": ["c"], "c": ["b"], "z": ["z"]}, ("b", "c", "b")),
    ],
)
def test_cycle_is_found_and_named(
    after: Mapping[str, Sequence[str]], cycle: tuple[str, ...]
) -> None:
    assert cycle_in(after) == cycle


def test_long_chains_are_no_cycle_and_no_depth_is_too_deep() -> None:
    chain = {number: [number + 1] for number in range(50_000)} | {50_000: []}
    assert cycle_in(chain) == ()
    assert len(cycle_in({**chain, 50_000: [0]})) == 50_002


def test_error_names_the_cycle() -> None:
    with pytest.raises(DependencyError, match=r"^these wait for one another: 1 -> 3 -> 2 -> 1$"):
        check_dependencies(numbered([[3], [1], [2]]))


def test_error_names_what_is_not_there() -> None:
    with pytest.raises(
        DependencyError, match=r"^2 waits for 7, which is not there; there are 1, 2$"
    ):
        check_dependencies(numbered([[], [7]]))


def test_error_of_a_plan_is_simulated_and_that_of_a_file_is_not() -> None:
    assert issubclass(DependencyError, PatternError)
    with pytest.raises(ValueError, match="a -> b -> a"):
        check_dependencies({"a": ["b"], "b": ["a"]}, ValueError)


# -- dispatch ------------------------------------------------------------------------------------------------------


class Workers:
    """Each subtask takes a second, or fails."""

    def __init__(self, *failing: str) -> None:
        self.kernel = Kernel()
        self.log: list[tuple[str, float]] = []
        self._failing = failing

    async def __call__(self, name: str) -> str:
        self.log.append((name, self.kernel.now_s()))
        await asyncio.sleep(1.0)
        if name in self._failing:
            raise OSError(name)
        return name.upper()

    def do(self, after: Mapping[str, Sequence[str]]) -> dict[str, str]:
        return run(self.kernel, in_order(after, self))


def test_subtask_begins_when_all_are_done_that_it_waits_for() -> None:
    workers = Workers()
    results = workers.do({"d": ["b", "c"], "b": ["a"], "c": [], "a": []})
    assert results == {"d": "D", "b": "B", "c": "C", "a": "A"}
    assert workers.log == [("c", 0.0), ("a", 0.0), ("b", 1.0), ("d", 2.0)]


def test_nothing_is_begun_if_there_is_a_cycle() -> None:
    workers = Workers()
    with pytest.raises(DependencyError, match="b -> c -> b"):
        workers.do({"a": [], "b": ["c"], "c": ["b"]})
    assert workers.log == []


def test_what_waits_for_a_subtask_that_fails_is_not_begun() -> None:
    workers = Workers("a")
    with pytest.raises(OSError, match="a"):
        workers.do({"a": [], "b": ["a"], "c": []})
    assert [name for name, _ in workers.log] == ["a", "c"]


def test_order_is_kept_on_the_loop_of_asyncio_too() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(in_order({"c": ["b"], "b": ["a"], "a": []}, work))
    finally:
        loop.close()
    assert done == ["a", "b", "c"]
