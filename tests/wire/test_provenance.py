"""Whose words are in a prompt."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.models.phrases import WORDS_MAX
from harness.wire.provenance import Provenance

PLAN = "1. cost\n2. speed\n3. risk"
FINDING = "Panels got ninety percent cheaper between the years 2010 and 2020, mostly through scale."


def after(*prompts_and_replies: tuple[str, str]) -> Provenance:
    """What is known after some calls, one after the other."""
    provenance = Provenance()
    for call, (prompt, reply) in enumerate(prompts_and_replies, 1):
        provenance.sources([prompt])
        provenance.said(call, reply)
    return provenance


@pytest.mark.parametrize(
    "prompt",
    [
        FINDING,
        f"Sum up:\n<finding>{FINDING}</finding>",
        FINDING.upper().replace(" ", "\n\t "),
        "> **" + FINDING.replace(" ", "** *") + "*",
        json.dumps({"findings": [FINDING]}),
        "They say that panels got ninety percent cheaper between the years of plenty.",
    ],
)
def test_reply_is_found_in_a_prompt_however_it_is_written(prompt: str) -> None:
    assert after(("Research the cost of solar power", FINDING)).sources([prompt]) == [1]


@pytest.mark.parametrize(
    "prompt", ["cost", "Research this: cost", "Research **Risk** well.", "speed\n"]
)
def test_line_of_a_plan_is_found_without_its_list_marker(prompt: str) -> None:
    plan = after(("Plan the research on solar power", PLAN))
    assert plan.sources([prompt]) == [1]


@pytest.mark.parametrize(
    "reply",
    [
        "- cost\n- speed",
        "* cost\n* speed",
        "a) cost\nb) speed",
        "(1) cost\n(2) speed",
        "# cost\n# speed",
        "cost, speed, risk",
        "cost; speed",
        "| cost | speed |",
        "<topic>cost</topic><topic>speed</topic>",
        "Topic: cost",
        '{"topics": ["cost", "speed"], "depth": 3}',
        '{"plan": {"first": "cost"}}',
        '```json\n["cost", "speed"]\n```',
        "Here's what I'd do: ['cost', 'speed']",
        "{'topic': 'cost'}",
        r'{"plan": "1. cost\n2. speed"}',
    ],
)
def test_parts_that_programs_cut_out_of_a_reply_are_found(reply: str) -> None:
    assert after(("Plan the research on solar power", reply)).sources(["Look into cost now"]) == [1]


@pytest.mark.parametrize(
    ("reply", "prompt"),
    [
        (PLAN, "1"),
        (PLAN, "Research this: weather"),
        (PLAN, "The costs and riskier things at speedway"),
        ("ok", "Is it ok?"),
        ("Yes.", "Yes or no?"),
        ("The", "The worker"),
        ("APPROVED", "Say approved if you agree"),
        ("42", "Give 42 reasons"),
        ('{"done": true, "next": null}', "next is done"),
        ('{"topic": "x1"}', "Choose a topic"),
        ("", ""),
    ],
)
def test_words_that_say_nothing_make_no_source(reply: str, prompt: str) -> None:
    assert after(("Plan", reply)).sources([prompt]) == []


def test_words_of_the_program_itself_make_no_source() -> None:
    """A template's words come from the template, and a question's from whoever asked it."""
    template = "You are a careful analyst who weighs the risk of every single project. Topic: "
    told = after((template + "wind", "careful analyst"), (template + "sun", f"risk\n{template}"))
    assert told.sources([template + "sea"]) == []


def test_reply_that_repeats_what_it_was_told_is_an_echo_of_its_origin() -> None:
    told = after(
        ("Find out", FINDING),
        (f"Repeat: {FINDING}", FINDING),
        (f"Quote: {FINDING}", f"So: {FINDING}"),
    )
    assert told.sources([FINDING]) == [1]


def test_reply_that_adds_to_what_it_was_told_is_a_source_of_what_it_added() -> None:
    added = "Storage however remains dear, and grids need many more decades of patient building."
    told = after(("Find out", FINDING), (f"Extend: {FINDING}", f"{FINDING} {added}"))
    assert told.sources([f"Judge: {FINDING} {added}"]) == [1, 2]
    assert told.sources([f"Judge: {added}"]) == [2]


def test_all_who_said_the_same_side_by_side_are_sources() -> None:
    told = after(*[(f"Ask number {n}", FINDING) for n in range(3)])
    assert told.sources([FINDING]) == [1, 2, 3]


def test_of_those_who_say_the_same_in_turn_the_last_is_the_source() -> None:
    """A scripted worker may say the same each time; its checker hears the latest."""
    told = after(
        ("work", "all panels counted"),
        ("check: all panels counted", "again"),
        ("work", "all panels counted"),
    )
    assert told.sources(["check: all panels counted"]) == [3]


def test_words_that_two_replies_share_do_not_make_the_other_a_source() -> None:
    opening = "Here is what my long and careful research has found about"
    told = after(
        ("one", f"{opening} cost: cheap\nRating: splendid"),
        ("two", f"{opening} speed: fast\nRating: splendid"),
    )
    assert told.sources([f"Write up: {opening} cost: cheap\nRating: splendid"]) == [1]
    assert told.sources([f"Write up: {opening} speed: fast\nRating: splendid"]) == [2]


def test_tool_call_is_a_source_by_its_arguments() -> None:
    provenance = Provenance()
    provenance.sources(["Who should look into it?"])
    provenance.said(1, "")
    provenance.said(1, str({"to": "worker", "task": "it's the tariffs of Norway"}))
    assert provenance.sources(["it's the tariffs of Norway"]) == [1]


def test_letters_that_json_escapes_are_read() -> None:
    told = after(("Frag", "Überschüssige Wärme"))
    assert told.sources([json.dumps({"topic": "Überschüssige Wärme"})]) == [1]


def test_language_without_spaces_is_followed() -> None:
    assert after(("plan", "太陽光発電")).sources(["次を調べて、太陽光発電の話"]) == [1]


def test_sources_are_the_same_whatever_the_seed_of_hashes() -> None:
    program = (
        "from harness.wire.provenance import Provenance as P; p = P(); p.sources(['x']); p.said(1, 'cost\\nspeed');"
        "print(sorted(p._said_in))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }  # fmt: skip
    assert len(printed) == 1


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9)
texts = st.lists(words, min_size=WORDS_MAX, max_size=40)
gaps = st.sampled_from([" ", "\n", "  ", "\t", "** ", " _", ", ", " - ", '", "', "\r\n> "])


@settings(derandomize=True, deadline=None)
@given(texts, texts, texts, st.data())
def test_reply_of_eight_words_is_found_anywhere(
    reply: list[str], before: list[str], behind: list[str], data: st.DataObject
) -> None:
    assume(any(word not in before for word in reply))
    case = data.draw(st.sampled_from([str.upper, str.title, str.lower]))
    written = data.draw(gaps).join(map(case, reply))
    told = after(("Begin.", " ".join(reply)))
    assert told.sources([f"{' '.join(before)} {written}\n{' '.join(behind)}"]) == [1]


@settings(derandomize=True, deadline=None)
@given(texts, texts)
def test_independent_text_has_no_source(reply: list[str], prompt: list[str]) -> None:
    assume(not set(reply) & set(prompt))
    assert after(("Begin.", "\n".join(reply))).sources([" ".join(prompt)]) == []


@settings(derandomize=True, deadline=None)
@given(st.text(), st.text())
def test_no_text_is_too_strange(reply: str, prompt: str) -> None:
    told = after((prompt, reply))
    assert set(told.sources([prompt, reply])) <= {1}


class _Counted(dict[int, Any]):
    asked = 0

    def get(self, *key_and_default: Any) -> Any:  # noqa: ANN401 - as a dict has it
        self.asked += 1
        return super().get(*key_and_default)

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return super().__contains__(key)


@pytest.mark.parametrize("gap", [" ", "\n", '", "', ": ", '\\"', "' ", "<", ". "])
def test_work_and_memory_are_linear_in_the_text(gap: str) -> None:
    """At most two look-ups for each length of a phrase at each word, and a bounded number of entries a word."""
    for size in (1_000, 4_000):
        text = "[" + gap.join(f"word{n}" for n in range(size))
        provenance = after(("Begin.", text))
        assert len(provenance._said_in) <= 5 * size
        counted = provenance._said_in = _Counted(provenance._said_in)
        assert provenance.sources([text]) == [1]
        assert counted.asked <= 2 * WORDS_MAX * (size + 1)
        asked = counted.asked
        assert provenance.sources([text]) == [1]
        assert counted.asked == asked  # it is not read again
        provenance.sources([text.replace("word", "other")])
        assert len(provenance._own) <= 2 * 3 * (size + 1)


class Forgetful(Provenance):
    """Reads every text anew, as if it had never been in a prompt."""

    def sources(self, texts: Iterable[str]) -> list[int]:
        told = list(texts)
        self._read.clear()
        self._read_with.clear()
        return super().sources(told)


@given(st.data())
def test_text_that_was_read_before_has_the_sources_that_it_would_have_now(
    data: st.DataObject,
) -> None:
    """Few words, so that replies share phrases with one another and with the program."""
    words = st.sampled_from([f"word{letter}" for letter in "abcdefgh"])
    text = st.lists(words, min_size=1, max_size=14).map(" ".join)
    one, other = Provenance(), Forgetful()
    known: list[str] = ["say something"]
    for call in range(1, data.draw(st.integers(2, 9)) + 1):
        told = data.draw(st.lists(st.sampled_from(known) | text, min_size=1, max_size=4))
        assert one.sources(told) == other.sources(told)
        reply = data.draw(text)
        one.said(call, reply)
        other.said(call, reply)
        known += [*told, reply]
