"""The errors that harness raises: all of them can be sent to another process, and say something."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from harness import errors
from harness.errors import (
    Deadlock,
    HarnessBug,
    HarnessError,
    LimitExceeded,
    NoProgress,
    NotSimulated,
    OutsideRun,
    ScenarioError,
    StoreError,
    StubError,
    UnknownHost,
)

EXAMPLES: list[Exception] = [
    HarnessError("something"),
    ScenarioError("a.yaml:3:5: models.fast: no", "a.yaml:9:1: budgets: no"),
    ScenarioError(),
    StubError("s.yaml:2: ran out"),
    Deadlock(12.5, "  Task-1 waits for a Lock"),
    LimitExceeded("horizon_s", 3600.0, "Raise it."),
    NoProgress("repeats_per_task", 150, "Let it stop."),
    NotSimulated("loop.getaddrinfo", "keep it out"),
    OutsideRun("a connection to example.com:443", "run it"),
    UnknownHost("a connection to example.com:443", "simulate it"),
    StoreError("runs.duckdb: locked"),
    HarnessBug("cannot be"),
]


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_error_has_an_example_here() -> None:
    ours = {kind for kind in subclasses(HarnessError) if kind.__module__ == errors.__name__}
    assert ours | {HarnessError, HarnessBug} == {type(error) for error in EXAMPLES}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_error_survives_copy_and_pickle_with_its_notes(error: Exception) -> None:
    error = copy.copy(error)
    error.add_note("To replay: harness simulate a.yaml --seed 7")
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert twin.args == error.args
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_error_can_be_rebuilt_from_its_arguments_as_simpy_does(error: Exception) -> None:
    assert str(type(error)(*error.args)) == str(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EXAMPLES[1], "a.yaml:3:5: models.fast: no\na.yaml:9:1: budgets: no"),
        (
            EXAMPLES[4],
            "deadlock at virtual 12.500000 s: nothing can ever run again\n  Task-1 waits for a Lock",
        ),
        (EXAMPLES[5], "horizon_s exceeded: more than 3600\n  Raise it."),
        (EXAMPLES[6], "no progress: Let it stop."),
        (
            EXAMPLES[7],
            "loop.getaddrinfo is not simulated, so it is refused inside a run\n  How to fix: keep it out",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_reads_as_a_whole_message(error: Exception, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    "kind", [type(error) for error in EXAMPLES], ids=lambda kind: kind.__name__
)
def test_error_explains_itself(kind: type[Exception]) -> None:
    assert kind.__doc__


def test_bug_of_ours_is_no_error_of_the_user() -> None:
    assert not issubclass(HarnessBug, HarnessError)
