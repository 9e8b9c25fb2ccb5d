"""Whose call it is: the rules of a test, their order, and names for those that no rule knows."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

from itertools import permutations
from typing import Any

import anthropic
import openai
import pytest

from harness.models import Request
from harness.sim import Sim
from harness.wire.api import Prompt
from harness.wire.names import Names
from harness.wire.routing import RequestMatch
from tests.wire.sdk_versions import since

TOOLS: Any = [
    {"name": name, "description": "", "input_schema": {"type": "object"}}
    for name in ("look", "add")
]


async def ask(
    system: str = "",
    text: str = "hi",
    model: str = "claude-sonnet-5",
    tools: Any = (),
    headers: dict[str, str] | None = None,
) -> str:
    more: dict[str, Any] = {"system": system} if system else {}
    if tools:
        more["tools"] = tools
    message = await anthropic.AsyncAnthropic(default_headers=headers).messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": text}], **more
    )
    return message.content[0].text  # type: ignore[no-any-return]


def asked(rules: dict[str, dict[str, Any]], *, allow_unmatched: bool = False, **call: Any) -> str:
    """Which of some agents answers a call."""
    sim = Sim(1, allow_unmatched=allow_unmatched)
    for name, rule in rules.items():
        sim.agent(name, **rule)
    (made,) = sim.run(ask, **call).calls()
    return made.agent


@pytest.mark.parametrize(
    ("rule", "call"),
    [
        ({"system": "You are a planner."}, {"system": "You are a planner."}),
        ({"system": "*planner*"}, {"system": "You are\na careful planner of trips."}),
        ({"system": "You are [a-c]*"}, {"system": "You are a planner."}),
        ({"system_regex": r"plan(ner|s)\b"}, {"system": "You make plans for others"}),
        ({"system_regex": r"^You .* trips\.$"}, {"system": "You plan trips."}),
        ({"model": "claude-haiku-4-5"}, {"model": "claude-haiku-4-5"}),
        ({"model": "*haiku*"}, {"model": "claude-haiku-4-5-20251001"}),
        ({"tools": ["look"]}, {"tools": TOOLS}),
        ({"tools": ["add", "look"]}, {"tools": TOOLS}),
        ({"headers": {"X-Role": "planner"}}, {"headers": {"x-role": "planner"}}),
        ({"headers": {"x-role": "plan*"}}, {"headers": {"X-ROLE": "planner"}}),
        ({"when": lambda call: "trip" in call.prompt}, {"text": "plan a trip"}),
        ({"when": lambda call: call.system == "s" and call.tools == ()}, {"system": "s"}),
        ({"system": "*planner*", "model": "*sonnet*"}, {"system": "a planner"}),
    ],
)
def test_rule_meets(rule: dict[str, Any], call: dict[str, Any]) -> None:
    assert asked({"ours": rule, "other": {}}, **call) == "ours"


@pytest.mark.parametrize(
    ("rule", "call"),
    [
        ({"system": "planner"}, {"system": "You are a planner."}),
        ({"system": "*Planner*"}, {"system": "You are a planner."}),
        ({"system": "*planner*"}, {}),
        ({"system_regex": "^planner"}, {"system": "a planner"}),
        ({"model": "haiku"}, {"model": "claude-haiku-4-5"}),
        ({"tools": ["look", "fly"]}, {"tools": TOOLS}),
        ({"tools": ["look"]}, {}),
        ({"headers": {"x-role": "planner"}}, {}),
        ({"headers": {"x-role": "planner", "x-team": "*"}}, {"headers": {"x-role": "plan"}}),
        ({"when": lambda call: "trip" in call.prompt}, {"text": "hi"}),
        ({"system": "*planner*", "model": "*haiku*"}, {"system": "a planner"}),
        ({"system": "*planner*", "when": lambda _: False}, {"system": "a planner"}),
    ],
)
def test_rule_does_not_meet(rule: dict[str, Any], call: dict[str, Any]) -> None:
    assert asked({"ours": rule, "other": {}}, **call) == "other"


def test_first_rule_that_meets_decides() -> None:
    wide, narrow = {"system": "*planner*"}, {"system": "*trip planner*"}
    assert asked({"wide": wide, "narrow": narrow}, system="a trip planner") == "wide"
    assert asked({"narrow": narrow, "wide": wide}, system="a trip planner") == "narrow"


def test_agent_without_rules_takes_what_is_left_wherever_it_stands() -> None:
    rules: dict[str, dict[str, Any]] = {
        "planner": {"system": "*planner*"},
        "rest": {},
        "critic": {"system": "*critic*"},
    }
    for order in permutations(rules):
        ordered = {name: rules[name] for name in order}
        assert asked(ordered, system="a critic") == "critic"
        assert asked(ordered, system="a planner") == "planner"
        assert asked(ordered, system="a cook") == "rest"


def test_first_of_two_without_rules_takes_everything() -> None:
    assert asked({"one": {}, "two": {}}) == "one"


def test_call_that_no_rule_meets_gets_a_name_of_its_own_where_that_is_allowed() -> None:
    rules = {"planner": {"system": "*planner*"}}
    assert asked(rules, system="You are a cook.", allow_unmatched=True) == "unmatched:cook"


@since("openai", 2, "has no Responses")
def test_rules_see_what_openai_calls_instructions_and_developer_messages() -> None:
    async def program() -> None:
        client = openai.AsyncOpenAI()
        await client.chat.completions.create(
            model="gpt-5.5",
            messages=[
                {"role": "system", "content": "You are a planner."},
                {"role": "user", "content": "hi"},
            ],
        )
        await client.chat.completions.create(
            model="gpt-5.5",
            messages=[
                {"role": "developer", "content": "You are a critic."},
                {"role": "user", "content": "hi"},
            ],
        )
        await client.responses.create(model="gpt-5.5", instructions="You are a cook.", input="hi")

    sim = Sim(1)
    for name in ("planner", "critic", "cook"):
        sim.agent(name, system=f"*{name}*")
    assert sim.run(program).agents == ["planner", "critic", "cook"]


def test_function_of_a_rule_is_given_the_whole_request() -> None:
    seen: list[Request] = []

    def look(call: Request) -> bool:
        seen.append(call)
        return True

    asked({"agent": {"when": look}}, system="You are a cook.", text="an egg", tools=TOOLS)
    (call,) = seen
    assert (call.system, call.prompt, call.model) == (
        "You are a cook.",
        "an egg",
        "claude-sonnet-5",
    )
    assert call.tools == ("look", "add")


def test_failing_function_of_a_rule_is_the_failure_of_the_run() -> None:
    def fail(_: Request) -> bool:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        asked({"agent": {"when": fail}})


def test_scope_is_stronger_than_every_rule() -> None:
    async def program() -> list[str]:
        with sim.agent_scope("critic"):
            first = await ask("You are a planner.")
        with sim.agent_scope("nobody knows"):
            second = await ask("You are a planner.")
        return [first, second, await ask("You are a planner.")]

    sim = Sim(1, allow_unmatched=True)
    sim.agent("planner", system="*planner*", reply="a plan")
    sim.agent("critic", system="*critic*", reply="so so")
    run = sim.run(program)
    assert run.output == ["so so", "nobody knows has done its part", "a plan"]
    assert run.agents == ["critic", "nobody knows", "planner"]


def test_without_any_word_about_agents_every_prompt_is_somebody() -> None:
    async def program() -> None:
        await ask("You are a careful research planner. Think.")
        await ask("Summarize the findings.")
        await ask("You are a careful research planner. Think harder.")

    run = Sim(1).run(program)
    assert [call.agent for call in run.calls()] == [
        "careful-research-planner",
        "summarize-findings",
        "careful-research-planner",
    ]


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("You are a careful research planner. Be brief.", "careful-research-planner"),
        ("You are the helpful assistant of a team", "claude-sonnet-5"),
        ("Summarize the text you are given.\nUse bullets.", "summarize-text-given"),
        ("  You are QA-bot 7!", "qa-bot-7"),
        ("You're a reviewer", "you're-reviewer"),
        ("", "claude-sonnet-5"),
        ("???", "claude-sonnet-5"),
        ("Du bist ein Planer", "du-bist-ein"),
        ("# Role\nPlanner", "role"),
    ],
)
def test_names_are_the_first_telling_words(system: str, name: str) -> None:
    prompt = Prompt(model="claude-sonnet-5", system=system, conversation=(), sections=())
    assert Names().of(prompt) == name


def test_name_of_nothing_at_all() -> None:
    assert Names().of(Prompt(model="", system="", conversation=(), sections=())) == "agent"


def test_rule_that_says_nothing_says_so() -> None:
    assert not RequestMatch().says_something
    assert RequestMatch(tools=frozenset(["look"])).says_something
    assert RequestMatch(system="").says_something
