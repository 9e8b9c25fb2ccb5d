"""The environment variables of a run: as it wants them, and afterwards as they were."""

from __future__ import annotations

import os

import pytest

from harness.environment import provided, provided_environment


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mine")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://mine.example")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def mine() -> tuple[str | None, ...]:
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY")
    return tuple(os.environ.get(name) for name in names)


def test_keys_are_made_up_inside_and_ones_own_afterwards() -> None:
    with provided_environment():
        assert mine() == (provided()["ANTHROPIC_API_KEY"], None, provided()["OPENAI_API_KEY"])
    assert mine() == ("mine", "https://mine.example", None)


def test_what_is_set_inside_is_there_again_after_an_inner_one() -> None:
    with provided_environment():
        os.environ["ANTHROPIC_API_KEY"] = "of the test"
        with provided_environment():
            assert mine()[0] == provided()["ANTHROPIC_API_KEY"]
        assert mine()[0] == "of the test"
    assert mine()[0] == "mine"


def test_runs_in_threads_may_leave_in_any_order() -> None:
    first, second, third = (provided_environment() for _ in range(3))
    for one in (first, second, third):
        one.__enter__()
    for one in (second, first, third):
        assert mine()[0] == provided()["ANTHROPIC_API_KEY"]
        one.__exit__(None, None, None)
    assert mine() == ("mine", "https://mine.example", None)
