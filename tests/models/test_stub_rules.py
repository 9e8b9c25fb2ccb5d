"""What scripted agents say: in order, by rules, from functions; and how a script complains."""

from __future__ import annotations

import re

import pytest

from harness.errors import StubError
from harness.models import Content, Line, PythonStub, Reply, Request, Script, Stub, check_all_used
from harness.models.stub import WhenExhausted
from harness.spans import SpanLog


def request(prompt: str = "hello", *, call_in_task: int = 1, attempt: int = 1) -> Request:
    span = SpanLog(lambda: 0.0).open_task("task", 1)
    return Request(
        agent="lead",
        model="m",
        prompt=prompt,
        input_tokens=1,
        key=f"1/lead/{call_in_task}",
        call_in_task=call_in_task,
        call_in_run=call_in_task,
        span=span,
        attempt=attempt,
    )


def ask(content: Content, asked: Request) -> Reply:
    """The reply of content that takes no time."""
    said = content.reply(asked)
    reply = said if isinstance(said, Reply) else said()
    assert isinstance(reply, Reply)
    return reply


def in_order(*texts: str, when_exhausted: WhenExhausted = "error") -> Script:
    lines = tuple(
        Line(reply=Reply(text), place=f"s.yaml:{number}") for number, text in enumerate(texts, 1)
    )
    return Script(agent="lead", lines=lines, in_order=True, when_exhausted=when_exhausted)


def by_rules(*rules: tuple[str | None, str | None, str], allow_unused: bool = False) -> Script:
    lines = tuple(
        Line(reply=Reply(text), place=f"s.yaml:{number}", prompt=prompt, prompt_regex=regex)
        for number, (prompt, regex, text) in enumerate(rules, 1)
    )
    return Script(agent="lead", lines=lines, in_order=False, allow_unused=allow_unused)


def test_calls_of_a_task_get_the_lines_in_order() -> None:
    stub = Stub(in_order("plan", "sum up"))
    assert [ask(stub, request(call_in_task=n)).text for n in (1, 2, 1)] == [
        "plan",
        "sum up",
        "plan",  # the first call of another task
    ]


def test_retry_is_told_what_the_call_was_told() -> None:
    stub = Stub(in_order("plan", "sum up"))
    assert [ask(stub, request(attempt=n)).text for n in (1, 2, 3)] == ["plan"] * 3


@pytest.mark.parametrize(
    ("when_exhausted", "texts"), [("repeat", ["a", "b", "b", "b"]), ("cycle", ["a", "b", "a", "b"])]
)
def test_what_comes_after_the_last_line(when_exhausted: WhenExhausted, texts: list[str]) -> None:
    stub = Stub(in_order("a", "b", when_exhausted=when_exhausted))
    assert [ask(stub, request(call_in_task=n)).text for n in (1, 2, 3, 4)] == texts


def test_script_that_runs_out_says_where_and_what_to_do() -> None:
    with pytest.raises(
        StubError,
        match=r"^s\.yaml:2: the replies of agent 'lead' ran out: this is call 3 of one task, and there "
        r"are 2 in order\n  How to fix: .*`when_exhausted: repeat` or `when_exhausted: cycle`",
    ):
        ask(Stub(in_order("a", "b")), request(call_in_task=3))


def test_first_rule_that_fits_the_prompt_answers() -> None:
    stub = Stub(
        by_rules(
            ("*wind*", None, "1"), (None, r"\bsun\b", "2"), ("sun*", "x", "3"), (None, None, "4")
        )
    )
    prompts = ["the wind", "windy sun", "the sun", "sunx", "sunny", ""]
    assert [ask(stub, request(prompt)).text for prompt in prompts] == ["1", "1", "2", "3", "4", "4"]


def test_glob_matches_the_whole_prompt_and_minds_the_case() -> None:
    stub = Stub(by_rules(("wind", None, "exact"), (None, None, "other")))
    assert [ask(stub, request(p)).text for p in ("wind", "wind ", "Wind", "a wind")] == [
        "exact",
        "other",
        "other",
        "other",
    ]


def test_prompt_that_no_rule_answers_lists_what_there_is() -> None:
    stub = Stub(by_rules(("*wind*", None, "1"), (None, "^sun", "2")))
    with pytest.raises(
        StubError,
        match=r"agent 'lead' matches the prompt 'rain'\n.*'\*wind\*', prompt_regex '\^sun'\n  How to fix: ",
    ):
        ask(stub, request("rain"))


def test_long_prompt_is_cut_in_the_message() -> None:
    with pytest.raises(StubError, match="'" + "r" * 60 + r"\.\.\.'"):
        ask(Stub(by_rules(("*wind*", None, "1"))), request("r" * 500))


def test_function_gives_a_text_or_a_reply() -> None:
    echo = PythonStub(lambda asked: f"you said {asked.prompt}", "m:echo")
    assert ask(echo, request("hi")) == Reply("you said hi")
    whole = Reply("x", output_tokens=7)
    assert ask(PythonStub(lambda _: whole, "m:whole"), request()) is whole


def test_function_that_fails_is_named_and_its_error_kept() -> None:
    def fail(_: Request) -> str:
        raise KeyError("city")

    with pytest.raises(
        StubError, match=r"^stub m:fail failed for agent 'lead': KeyError\('city'\)"
    ) as raised:
        ask(PythonStub(fail, "m:fail"), request())
    assert isinstance(raised.value.__cause__, KeyError)


def test_function_that_gives_something_else_is_told_what_to_give() -> None:
    stub = PythonStub(lambda _: 42, "m:number")
    with pytest.raises(StubError, match=r"stub m:number .* 'lead': expected a reply"):
        ask(stub, request())


def test_lines_that_nobody_asked_for_are_an_error_that_names_each() -> None:
    scripts = [by_rules(("*a*", None, "one"), ("*b*", None, "two")), in_order("x", "y", "z" * 99)]
    used = {"lead": {0, 1}}
    with pytest.raises(StubError) as raised:
        check_all_used(scripts, used)
    assert str(raised.value) == (
        f"s.yaml:3: no call of agent 'lead' asked for '{'z' * 60}...'\n"
        "  How to fix: take the lines out, or say `allow_unused: true` beside them if that is meant."
    )
    check_all_used(scripts, {"lead": {0, 1, 2}})


def test_script_of_an_agent_that_was_never_called_is_unused_too() -> None:
    with pytest.raises(StubError, match=re.escape("s.yaml:1: no call of agent 'lead'")):
        check_all_used([by_rules((None, None, "one"))], {})


def test_unused_lines_may_be_allowed() -> None:
    check_all_used([by_rules((None, None, "one"), allow_unused=True)], {})


def test_stub_remembers_which_lines_it_has_given() -> None:
    stub = Stub(by_rules(("*a*", None, "one"), (None, None, "two")))
    assert stub.used == set()
    ask(stub, request("b"))
    assert stub.used == {1}
