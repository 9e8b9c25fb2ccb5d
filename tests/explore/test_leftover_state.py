"""A search notices when runs depend on the runs before them."""

from __future__ import annotations

import warnings
from pathlib import Path

import anthropic
import pytest

from harness.sim import Sim


async def ask(text: str) -> str:
    client = anthropic.AsyncAnthropic(api_key="k", max_retries=0)
    message = await client.messages.create(
        model="claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": text}]
    )
    return str(message.content)


async def remembering(history: Path) -> str:
    with history.open("a+", encoding="utf-8") as file:
        file.seek(0)
        before = file.read()
        file.write("asked\n")
    return await ask(f"hi {before}")


async def forgetful(_: Path) -> str:
    return await ask("hi")


def test_state_on_disk_that_changes_the_runs_is_told(tmp_path: Path) -> None:
    found = Sim(1).explore(remembering, tmp_path / "history.txt", runs=4)
    (told,) = found.not_reproducible
    assert "the passing run is another one after the search" in told
    assert "they part at line 1" in told
    with pytest.warns(UserWarning, match="such as a file or a database on disk"):
        found.assert_none()


def test_nothing_is_told_of_a_program_that_keeps_nothing(tmp_path: Path) -> None:
    found = Sim(1).explore(forgetful, tmp_path, runs=4)
    assert found.not_reproducible == ()
    with warnings.catch_warnings(action="error"):
        found.assert_none()
