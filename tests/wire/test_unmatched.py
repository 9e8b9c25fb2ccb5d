"""A call of no described agent: the error, what allows it, and the names that are made up then."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import anthropic
import openai
import pytest

from harness.errors import HarnessError
from harness.sim import Sim
from harness.wire.api import Prompt
from harness.wire.names import Names, masked

TOOLS: Any = [{"name": "look", "description": "", "input_schema": {"type": "object"}}]


async def ask(system: str = "", model: str = "claude-sonnet-5", **more: Any) -> None:
    if system:
        more["system"] = system
    await anthropic.AsyncAnthropic().messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": "hi"}], **more
    )


def complaint(sim: Sim, *args: Any, **more: Any) -> str:
    with pytest.raises(HarnessError) as caught:
        sim.run(ask, *args, **more)
    return str(caught.value)


def test_misspelt_rule_is_an_error_that_shows_the_call_beside_the_rules() -> None:
    sim = Sim(1)
    sim.agent("critic", system="*critic*", model="*haiku*")
    sim.agent("planner", system="You are a plannner*", reply="CONFIGURED")
    told = complaint(sim, "You are a planner of trips.", tools=TOOLS)
    assert told.splitlines()[:7] == [
        "no described agent matches this call",
        '  system: "You are a planner of trips."',
        "  model:  claude-sonnet-5",
        "  tools:  look",
        "Rules, in the order in which they were asked:",
        '  critic   system="*critic*" (does not hold), model="*haiku*" (does not hold)',
        '  planner  system="You are a plannner*" (does not hold)  <- nearest',
    ]
    assert "allow_unmatched" in told


@pytest.mark.parametrize(
    ("rule", "nearest"),
    [
        ({"system": "*planer*"}, True),
        ({"system_regex": r"plann(ing|ers)\b"}, True),
        ({"system": "*planner*", "model": "*haiku*"}, True),
        ({"system": "*planner*", "tools": ["look"]}, True),
        ({"system": "*planner*", "headers": {"x-team": "red"}}, True),
        ({"system": "*planner*", "when": lambda _: False}, True),
        ({"system": "Translate into Basque."}, False),
    ],
)
def test_nearest_rule_is_marked_if_one_is_near(rule: dict[str, Any], *, nearest: bool) -> None:
    sim = Sim(1)
    sim.agent("ours", **rule)
    sim.agent("other", system="qqq")
    marked = [line for line in complaint(sim, "You are a planner.").splitlines() if "<-" in line]
    assert [line.split()[0] for line in marked] == (["ours"] if nearest else [])


@pytest.mark.parametrize(
    ("rule", "hint"),
    [("planner", 'system="*planner*" would'), ("*Planner*", "upper and lower case")],
)
def test_usual_mistakes_have_a_hint(rule: str, hint: str) -> None:
    sim = Sim(1)
    sim.agent("planner", system=rule)
    assert hint in complaint(sim, "You are a planner.")


def catch_all(ask_once: Any) -> Any:
    async def program() -> str:
        for _ in range(3):
            with suppress(Exception):
                await ask_once()
        return "went on"

    return program


def test_it_ends_the_run_whatever_the_program_catches() -> None:
    def blocking() -> str:
        for _ in range(3):
            with suppress(Exception):
                anthropic.Anthropic().messages.create(
                    model="claude-sonnet-5",
                    max_tokens=9,
                    messages=[{"role": "user", "content": "x"}],
                )
        return "went on"

    async def of_openai() -> None:
        messages: Any = [{"role": "user", "content": "hi"}]
        await openai.AsyncOpenAI().chat.completions.create(model="gpt-5.5", messages=messages)

    async def in_group() -> None:
        await asyncio.gather(ask("You are a cook."), ask("You are a planner."))

    for program in (catch_all(ask), catch_all(of_openai), catch_all(in_group), blocking):
        sim = Sim(1)
        sim.agent("planner", system="*planner*")
        with pytest.raises(HarnessError, match="no described agent matches"):
            sim.run(program)
        assert sim.last_run.output is None


def test_agent_that_the_program_names_must_be_described_too() -> None:
    async def program() -> None:
        with sim.agent_scope("plannner"):
            await ask("You are a planner.")

    sim = Sim(1)
    sim.agent("planner", system="*planner*")
    with pytest.raises(HarnessError, match=r"'plannner'.*did you mean 'planner'\?"):
        sim.run(program)


def test_made_up_agents_cannot_be_taken_for_described_ones() -> None:
    sim = Sim(1, allow_unmatched=True)
    sim.agent("planner", system="You are a plannner*", reply="CONFIGURED")
    run = sim.run(ask, "You are a planner.")
    assert run.calls("planner") == 0
    assert run.calls("unmatched:planner") == 1
    with pytest.raises(HarnessError, match="planner' was never called"):
        sim.check()
    with pytest.raises(HarnessError, match="give it another name"):
        sim.agent("unmatched:planner")


def test_without_any_described_agent_calls_are_answered_as_they_come() -> None:
    assert Sim(1).run(ask, "You are a planner.").agents == ["planner"]


def names(*systems: str, model: str = "claude-sonnet-5") -> list[str]:
    given = Names()
    return [
        given.of(Prompt(model=model, system=system, conversation=(), sections=()))
        for system in systems
    ]


@pytest.mark.parametrize(
    ("systems", "expected"),
    [
        (
            [f"You are a helpful assistant named {name}." for name in ("Ada", "Bob")],
            ["ada", "bob"],
        ),
        (
            [f"You work at ACME Corp Research Lab as {who}." for who in ("planner", "critic")],
            ["work-acme-corp", "critic"],
        ),
        (
            [f"You help our customers.\nYour role: {who}." for who in ("planner", "critic")],
            ["help-customers-role", "critic"],
        ),
        (
            [f"You are a planner. The time is {hour}:00, the user is Ann." for hour in (9, 10)],
            ["planner", "planner"],
        ),
        (["You are QA-bot 7.", "You are QA-bot 8."], ["qa-bot-7", "qa-bot-8"]),
        (["Du bist ein Planer für Züge."], ["du-bist-ein"]),
        (["You are a planner.", "You are our planner."], ["planner", "planner-2"]),
    ],
)
def test_names_skip_what_prompts_have_in_common(systems: list[str], expected: list[str]) -> None:
    assert names(*systems) == expected


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4.1", "gpt-4.1"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b-instruct"),
        ("o3", "o3"),
    ],
)
def test_names_of_models_keep_their_digits(model: str, name: str) -> None:
    assert names("", model=model) == [name]


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF123456ghiJKL",
        "sk-ant-api03-AAAAbbbbCCCC1111",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N",
        "jane.doe@example.com",
        "https://user:pass@example.com/x",
        "9f86d081884c7d659a2feaa0c55ad015",
        "+49 170 1234567",
        "123-45-6789",
    ],
)
def test_names_carry_no_secret(secret: str) -> None:
    (name,) = names(f"You are {secret} the planner.")
    assert name == "planner"
    assert masked(f"key {secret} end").endswith("*** end")


def test_password_is_no_part_of_a_name_nor_of_the_error() -> None:
    assert names("Password: hunter2. You are a planner.") == ["planner"]
    sim = Sim(1)
    sim.agent("critic", system="*critic*")
    assert "hunter2" not in complaint(sim, "The password is hunter2 and you are a planner.")
