"""The study of docs/gate.md with fewer trials: how often the gate is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs" / "gate.md"


@pytest.mark.slow
def test_gate_raises_no_false_alarm_and_finds_what_it_is_to_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(HOUSE)  # benchmarks are no part of the package
    from benchmarks.gate_study import answer, coverages, questions

    asked = questions(pool=120)
    answers = [answer(question, 60) for question in asked]
    assert [it.question for it in answers if not it.holds] == []
    assert max(it.seeds_max for it in answers) == 64
    assert [it for it in coverages(asked, 400) if it.held < 0.92 and not it.holds] == []


def test_page_shows_a_study_of_1000_trials_with_no_alarm_where_nothing_changed() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| A/A")
    ]
    fails = [int(re.split(r" *\| *", row)[5]) for row in rows if row.count("|") == 9]
    assert fails == [0] * 6
