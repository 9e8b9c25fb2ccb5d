"""What an agent decided is read from its reply as a person would read it, and never guessed."""

from __future__ import annotations

import pytest

from harness.agents.reading import choice, confidence, fields, items

VOTES = ("agree", "disagree", "abstain")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1. cost\n2. speed\n3. risk", ("cost", "speed", "risk")),
        ("1) cost\n2) speed", ("cost", "speed")),
        ("1. cost 2. efficiency 3. storage", ("cost", "efficiency", "storage")),
        ("Here is my plan:\n\n1. cost\n2. speed\n\nTell me if it fits.", ("cost", "speed")),
        ("1. cost\n1. speed", ("cost", "speed")),
        ("1. cost\n\n2. speed", ("cost", "speed")),
        ("**1. Cost**\n**2. Speed**", ("Cost", "Speed")),
        ("### 1. Cost\n### 2. Speed", ("Cost", "Speed")),
        ("1. cost\n   - now\n   - later\n2. speed", ("cost\n   - now\n   - later", "speed")),
        ("1. use Python 3. It is fast\n2. test", ("use Python 3. It is fast", "test")),
        ("1. cost (after 2)\n2. speed (as (1) says)", ("cost (after 2)", "speed (as (1) says)")),
        ("1. cost (after 2) 2. speed", ("cost (after 2)", "speed")),
        ("9. nine\n10. ten\n11. eleven", ("nine", "ten", "eleven")),
        ("- cost\n- speed", ("cost", "speed")),
        ("* cost\n• speed\n+ risk", ("cost", "speed", "risk")),
        ("- **Cost**: what it is\n- **Speed**: how fast", ("Cost: what it is", "Speed: how fast")),
        ("- cost\n  1. now\n  2. later\n- speed", ("cost\n  1. now\n  2. later", "speed")),
        ('["cost", "speed"]', ("cost", "speed")),
        ('Sure:\n```json\n["cost", "speed"]\n```', ("cost", "speed")),
        ('{"tasks": ["cost", "speed"]}', ("cost", "speed")),
        ('[{"task": "cost"}]', ('{"task": "cost"}',)),
        ("cost\n\n  speed  \n", ("cost", "speed")),
        ("as [1] says\nspeed", ("as [1] says", "speed")),
        ("in 2024. it was so", ("in 2024. it was so",)),
        ("cost\r\nspeed", ("cost", "speed")),
        ("", ()),
        (" \n ", ()),
    ],
)
def test_items_of_a_list_are_read_in_each_usual_form(text: str, found: tuple[str, ...]) -> None:
    assert items(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"vote": "agree", "weight": 2}', {"vote": "agree", "weight": 2}),
        ('My vote:\n```json\n{"Vote": "agree"}\n```\nThat is all.', {"vote": "agree"}),
        (
            "Vote: agree\nReason: it is cheap: very",
            {"vote": "agree", "reason": "it is cheap: very"},
        ),
        ("**Final decision:** approve", {"final_decision": "approve"}),
        ("- Follow-up: none\n- price: 3", {"follow_up": "none", "price": "3"}),
        ("vote: agree\nvote: disagree", {"vote": "disagree"}),
        ("reason:", {"reason": ""}),
        ("see https://example.org or 10:30", {}),
        ("{not json} vote", {}),
        ("nothing here", {}),
        ("", {}),
    ],
)
def test_fields_are_those_of_a_json_object_or_of_lines(text: str, found: dict[str, object]) -> None:
    assert fields(text) == found


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("agree", "agree"),
        ("DISAGREE: too dear", "disagree"),
        ("**Abstain**", "abstain"),
        ("_agree_, it is fine", "agree"),
        ("I agree because it is cheap", "agree"),
        ('"Agree."', "agree"),
        ('{"vote": "Disagree", "reason": "agree"}', "disagree"),
        ("It is cheap.\n\nVerdict: agree", "agree"),
        ("agree at first sight\nDecision: disagree", "disagree"),
        ("disagreement is healthy", None),
        ("I do not agree", None),
        ("not agree", None),
        ("agree/disagree", None),
        ("agree | disagree", None),
        ("agree? no", None),
        ("agree: no", None),
        ("agree: no, it is dear", None),
        ("agree: no objection", "agree"),
        ('{"agree": false}', None),
        ('{"vote": true}', None),
        ("vote: maybe", None),
        ("I could go either way", None),
        ("", None),
    ],
)
def test_choice_is_stated_by_a_field_or_by_the_beginning(text: str, chosen: str | None) -> None:
    assert choice(text, VOTES) == chosen


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("worker", "worker"), ("worker-1", "worker-1"), ("worker-10", None), ("worker_2", None),
        ("Worker-1: yes", "worker-1"), ("worker. Next", "worker"), ("worker.1", None),
    ],
)  # fmt: skip
def test_name_that_is_part_of_another_is_not_chosen(text: str, chosen: str | None) -> None:
    assert choice(text, ["worker", "worker-1"]) == chosen


def test_longest_option_wins_whatever_the_order() -> None:
    for options in (["accept", "accept with changes"], ["accept with changes", "accept"]):
        assert choice("Accept with changes: see below", options) == "accept with changes"


def test_fields_that_state_the_choice_can_be_named() -> None:
    assert choice("to: lawyer\nvote: agree", ["lawyer"], named=("to",)) == "lawyer"
    assert choice("handoff", VOTES, named=("to",)) is None


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("Blue.\nconfidence: 0.8", 0.8),
        ("Confidence: 80%.", 0.8),
        ('{"answer": 4, "confidence": 1}', 1.0),
        ("confidence: high", None),
        ("confidence: 7", None),
        ("I am confident.", None),
        ("Blue.", None),
    ],
)
def test_confidence_is_read_from_its_field(text: str, sure: float | None) -> None:
    assert confidence(text) == sure
