"""What five runs of one seed tell of a program: which of them differ, where first, and why probably."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.run.digest import Digest, Exchange, as_json, from_json
from harness.run.sameness import Five, first_difference, judge, told

CALL = Exchange(
    start_s=1.5, task=2, agent="writer", number=3, prompt="write", reply="done", tools=""
)


def run(prompt: str = "write", **more: object) -> Digest:
    return Digest((replace(CALL, prompt=prompt),), ('{"span_id": 1}',), **more)  # type: ignore[arg-type]


def five(texts: str, **more: object) -> Five:
    return Five(*(run(f"write {text}", **more) for text in texts.split()))


def test_equal_runs_are_the_same() -> None:
    assert judge(five("a a a a a")) is None


@pytest.mark.parametrize(
    ("texts", "cause"),
    [
        ("a b a a a", "state outside of the program's own modules"),
        ("a b a a c", "state outside of the program's own modules"),
        ("a a a a b", "the order of a set"),
        ("c c a a b", "the order of a set"),
        ("b b a a a", "what this process did before"),
        ("a a b c d", "a process id or an address"),
        ("<0x7f0000001> <0x7f0000002> <0x7f0000003> <0x7f0000004> <0x7f0000005>", "a process id or an address"),
        ("1795932580.1 1795932580.2 1795932581.3 1795932582.4 1795932583.5", "real time"),
        ("2026-11-29T06:00:01 2026-11-29T06:00:02 2026-11-29T06:00:03 2026-11-29T06:00:04 x", "real time"),
        ("0.23500022638905138 0.1836260228310161 0.2836260228310161 0.5836260228310161 x", "real entropy"),
        ("a b c d e", "real time"),
    ],
)  # fmt: skip
def test_pattern_of_differences_names_the_cause(texts: str, cause: str) -> None:
    verdict = judge(five(texts))
    assert verdict is not None
    assert verdict.cause.startswith(cause)


def test_file_that_the_program_writes_is_named() -> None:
    verdict = judge(five("1 2 3 4 5", written=("notes.json",)))
    assert verdict is not None
    assert verdict.cause.startswith("a file: the program writes notes.json")


def test_first_difference_names_the_call_and_shows_both_prompts() -> None:
    verdict = judge(Five(run("a " * 200 + "x"), run("a " * 200 + "y"), run(), run(), run()))
    assert verdict is not None
    text = told(verdict)
    assert "prompt of call 3 (agent 'writer', task 2, at 1.500000 s)" in text
    assert "a a x'" in text
    assert "a a y'" in text


@pytest.mark.parametrize(
    "other",
    [replace(CALL, reply="x"), replace(CALL, tools="x"), replace(CALL, agent="x"), replace(CALL, start_s=9.0)],
)  # fmt: skip
def test_every_part_of_a_call_is_compared(other: Exchange) -> None:
    one = run()
    assert first_difference(one, replace(one, exchanges=(other,))) is not None


def test_calls_outputs_and_spans_are_compared() -> None:
    one = run()
    for other in (
        replace(one, exchanges=()),
        replace(one, output="x"),
        replace(one, spans=(*one.spans, "{}")),
        replace(one, spans=()),
    ):
        assert first_difference(one, other) is not None
        assert first_difference(other, one) is not None


def test_digest_comes_back_from_another_process_as_it_was() -> None:
    digest = run(output="x", written=("a", "b"))
    assert from_json(as_json(digest)) == digest
