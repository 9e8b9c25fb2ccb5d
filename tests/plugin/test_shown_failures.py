"""The seven failing tests of examples/failures: what pytest shows of them, and what the guide says that it shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "failures"
GUIDE = ROOT / "docs" / "testing-your-agents.md"

VERDICTS = {
    "test_two_articles_are_published": "Deadlock at 591 ms: researcher waits for checker to release Lock `page` since 0.590995 s, "
    "checker for researcher to release Lock `archive` since 0.266171 s",
    "test_all_people_are_interviewed": "Deadlock at 50 ms: Semaphore `places` is held by a task that has ended",
    "test_headline_is_short": "APITimeoutError: call 1 of editor: no answer for 20 s, the client's timeout [injected fault: hang]",
    "test_survey_keeps_what_was_found": "the program lost 2 replies: the text is in no later prompt and not in the output",
    "test_all_texts_are_labelled": "RateLimitError: 99 of 107 attempts refused (limit 6 requests a minute); the SDK gave up after 2 retries",
    "test_article_uses_the_facts": "agent 'writer' read no text of 'researcher': its prompts have text from no other agent's reply",
    "test_draft_is_revised_once": "the replies of agent 'reviewer' ran out: this is call 2, and the list has 1",
}


class Shown:
    """What pytest printed.

    Args:
        lines: All of it.
    """

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.failures: dict[str, list[str]] = {}
        name = ""
        for line in lines:
            heading = re.fullmatch(r"_+ (?:.*::)?(test_\w+) _+", line)
            if heading is not None:
                name = heading[1]
                self.failures[name] = []
            elif line.startswith("="):
                name = ""
            elif name and not line.startswith("[gw"):  # which worker of xdist it was
                self.failures[name].append(line)

    def told(self, name: str) -> list[str]:
        """What the simulation says of a failure, which ends with the command that runs it again."""
        lines = self.failures[name]
        end = next(n for n, line in enumerate(lines) if line.startswith("To replay: "))
        return lines[: end + 1]


def shown(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *options: str) -> Shown:
    """What pytest prints of the seven, in this process."""
    monkeypatch.syspath_prepend(pytester.path)
    for file in ("newsroom.py", "failing_tests.py"):
        shutil.copy(PROJECT / file, pytester.path)
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider\npython_files = failing_tests.py")
    # In a process of its own: a deadlock tells of threads that are there, such as those which other tests cannot end.
    result = pytester.runpytest_subprocess(
        "-q", "-p", "no:hypothesispytest", "-p", "no:asyncio", "--color=no", *options
    )
    result.assert_outcomes(failed=7)
    return Shown(result.outlines)


@pytest.fixture
def whole(warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What pytest prints without options."""
    return shown(pytester, monkeypatch)


def test_each_failure_begins_with_its_verdict_and_is_short(whole: Shown) -> None:
    assert {name: lines[0] for name, lines in whole.failures.items()} == VERDICTS
    for name, lines in whole.failures.items():
        assert len(lines) < 30, name
        assert any(line.startswith("The end waited for: ") for line in lines), name
        assert f"To replay: pytest failing_tests.py::{name} --sim-seed 1" in lines
    assert len(whole.lines) < 200


def test_no_frame_of_ours_and_none_of_a_library_is_shown(whole: Shown) -> None:
    text = "\n".join(whole.lines)
    assert "/harness/" not in text
    assert "site-packages" not in text
    assert "asyncio/" not in text
    assert "harness.sim.sim.Sim object" not in text
    assert re.findall(r"^\.\.\. \d frames in anthropic$", text, re.MULTILINE)
    assert "CancelledError" not in text


def test_frames_of_the_program_and_the_texts_of_errors_stay(whole: Shown) -> None:
    storm = "\n".join(whole.failures["test_all_texts_are_labelled"])
    assert re.search(r"^newsroom\.py:\d+: in label_all$", storm, re.MULTILINE)
    assert re.search(r"^newsroom\.py:\d+: in ask$", storm, re.MULTILINE)
    assert re.search(r"^E +anthropic\.RateLimitError: Error code: 429", storm, re.MULTILINE)


def test_refused_request_of_a_branch_is_in_the_timeline(whole: Shown) -> None:
    told = "\n".join(whole.told("test_survey_keeps_what_was_found"))
    assert "'Look into speed' -> invalid_request_error (400) [injected fault: status]" in told


@pytest.mark.parametrize("options", [["--tb=short"], ["--tb=native"], ["--tb=no"], ["--tb=long"]])
def test_simulation_says_the_same_in_every_style(
    warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    said = shown(pytester, monkeypatch, *options)
    assert {name: lines[0] for name, lines in said.failures.items()} == VERDICTS
    for name in VERDICTS:
        assert said.told(name)[-1] == f"To replay: pytest failing_tests.py::{name} --sim-seed 1"


def test_guide_shows_what_is_said(whole: Shown) -> None:
    _, _, section = GUIDE.read_text(encoding="utf-8").partition("\n## When a test fails\n")
    section = section.partition("\n## ")[0]
    blocks = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    said = {"\n".join(whole.told(name)) for name in VERDICTS}
    assert {block.rstrip("\n") for block in blocks} == said


@pytest.mark.slow
def test_workers_of_xdist_hand_over_the_same(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, whole: Shown
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{pytester.path}")
    result = pytester.runpytest_subprocess("-q", "-n", "2", "-p", "no:asyncio", "--color=no")
    result.assert_outcomes(failed=7)
    there = Shown(result.outlines)
    assert {name: there.told(name) for name in VERDICTS} == {
        name: whole.told(name) for name in VERDICTS
    }
