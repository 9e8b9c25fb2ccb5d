"""docs/findings.md: every kind of finding has a program that is wrong, what is said of it, and one that is right."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from harness.metrics.findings import RULES
from tests.findings.page import PAGE, READER, Section, sections, told

SECTIONS = sections(PAGE.read_text(encoding="utf-8"))

REMARKS = {"non_retryable_retried": {"gave_up"}}
"""What is still said of a program that is right: an error that cannot be mended still ends it."""


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The programs import `ask` from the program of a reader, and make clients."""
    monkeypatch.syspath_prepend(READER)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "unused")
    yield
    sys.modules.pop("my_app", None)


def test_every_rule_has_a_section() -> None:
    assert sorted(section.kind for section in SECTIONS) == sorted(rule.__name__ for rule in RULES)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.kind)
def test_wrong_program_is_told_what_the_page_says_and_nothing_else(section: Section) -> None:
    found = section.findings("wrong")
    assert Counter(finding.kind for finding in found) == {section.kind: 1}
    assert told(found, section.kind) == section.said, "run: make docs"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.kind)
def test_right_program_is_told_nothing(section: Section) -> None:
    kinds = {finding.kind for finding in section.findings("right")}
    assert kinds == REMARKS.get(section.kind, set())
