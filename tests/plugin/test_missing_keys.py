"""A client that is made when a module is imported, and finds no key: the session says what helps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

HINT = "*Say `sim_keys = true`*"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "makes",
    [
        "import openai\nclient = openai.OpenAI()",
        "import openai\nclient = openai.AsyncOpenAI()",
        "import os\nkey = os.environ['ANTHROPIC_API_KEY']",
        "raise ValueError('no API key was given')",
    ],
)
def test_missing_key_at_import_is_told_with_what_helps(project: Project, makes: str) -> None:
    result = project(f"{makes}\ndef test_it(sim): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([HINT])


def test_other_error_at_import_is_left_alone(project: Project) -> None:
    result = project("api_key = 1\nraise ValueError('something else')\ndef test_it(sim): pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.no_fnmatch_line(HINT)
