"""An error in which a library tells of an SDK's error is no failure of the program."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from harness.sim import Sim

LIBRARY = """
def tell(text):
    raise RuntimeError(text)


"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of an installed package."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "teamlib.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(folder)
    import teamlib  # type: ignore[import-not-found]  # made above

    yield teamlib
    del sys.modules["teamlib"]


def asking(fail: Callable[[anthropic.APIError], None]) -> Callable[[], Awaitable[str]]:
    """A program that hands an error of its SDK to something else, which raises when the error is handled."""

    async def main() -> str:
        client = anthropic.AsyncAnthropic(api_key="k", max_retries=0)
        try:
            message = await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=9,
                messages=[{"role": "user", "content": "hi"}],
            )
        except anthropic.APIError as error:
            failed = error
        else:
            return str(message.content)
        fail(failed)
        return ""

    return main


def kinds(program: Callable[[], Awaitable[str]]) -> list[str]:
    """Of the findings."""
    return [finding.kind for finding in Sim(1).explore(program, runs=6).findings]


def test_library_may_tell_of_the_error_of_an_sdk_in_its_own(library: Any) -> None:  # noqa: ANN401 - a module
    program = asking(lambda error: library.tell(f"{type(error).__name__}: {error}\nTraceback:"))
    assert kinds(program) == []


def test_other_errors_of_a_library_are_found(library: Any) -> None:  # noqa: ANN401 - a module
    assert kinds(asking(lambda _: library.tell("There is no agent: writer"))) == ["RuntimeError"]
    assert kinds(asking(lambda error: {"": None}[type(error).__name__])) == ["KeyError"]
