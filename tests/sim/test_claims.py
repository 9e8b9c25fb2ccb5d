"""Claims follow the text of replies through a program, whatever it does with that text."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from harness.models import Reply, StatedClaim
from harness.sim import Sim
from harness.sim.program_run import ProgramRun

anthropic = pytest.importorskip("anthropic")

FACT = "The minster of Ulm has the tallest tower of all churches"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "unused")


async def ask(agent: str, text: str) -> str:
    message = await anthropic.AsyncAnthropic().messages.create(
        model="claude-haiku-4-5",
        max_tokens=300,
        system=f"You are {agent}.",
        messages=[{"role": "user", "content": text}],
    )
    return str(message.content[0].text)


def simulated(program: Callable[..., Any], seed: int = 1, **agents: dict[str, Any]) -> ProgramRun:
    sim = Sim(seed=seed)
    for name, described in agents.items():
        sim.agent(name, system=f"*{name}*", **described)
    return sim.run(program)


@dataclass
class Report:
    title: str
    body: object


HANDED_ON: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": lambda text: json.dumps({"facts": [text]}),
    "in JSON twice": lambda text: json.dumps({"facts": json.dumps([text])}),
    "in a dictionary": lambda text: str({"found": {"by": "finder", "text": text}}),
    "in capitals": str.upper,
    "without its end": lambda text: text[:45],
    "in Markdown": lambda text: f"# Facts\n\n1. **{text}**\n2. Else",
    "between tags": lambda text: f"<fact>{text}</fact>",
    "word by word": lambda text: "\n".join(text.split()),
}


@pytest.mark.parametrize("hand_on", HANDED_ON.values(), ids=HANDED_ON)
def test_false_claim_is_followed_however_it_is_handed_on(hand_on: Callable[[str], str]) -> None:
    async def program() -> Report:
        found = await ask("finder", "Ulm")
        return Report("Ulm", {"pages": [await ask("writer", f"Write of this: {hand_on(found)}")]})

    made = simulated(
        program, finder={"reply": FACT, "accuracy": 0.0}, writer={"reply": "a page for travellers"}
    )
    assert (made.quality, made.contaminated) == (0.0, True)
    (claim,) = made.claims(is_true=False)
    assert (claim.agent, claim.way, claim.hops) == ("finder", ("finder", "writer"), 1)


def test_claim_that_is_dropped_is_not_in_the_output() -> None:
    async def program() -> str:
        await ask("finder", "Ulm")
        return await ask("writer", "Write of nothing.")

    made = simulated(program, finder={"reply": FACT, "accuracy": 0.0}, writer={"reply": "a page"})
    assert (made.quality, made.contaminated) == (None, False)
    assert [claim.in_output for claim in made.claims()] == [False]


def test_without_an_agent_that_judges_nothing_is_claimed() -> None:
    async def program() -> str:
        return await ask("writer", "Ulm")

    made = simulated(program, writer={"reply": "a page"})
    assert (made.claims(), made.quality, made.contaminated) == ([], None, None)
    assert not set(made.events()["name"]) & {"claims", "false_claim"}


def test_part_of_a_reply_carries_its_own_claims_alone() -> None:
    both = Reply(
        f"{FACT}.\nIt has two towers in all.",
        claims=(StatedClaim(FACT), StatedClaim("It has two towers in all", is_true=False)),
    )

    def quality(line: int) -> float | None:
        async def program() -> str:
            lines = (await ask("finder", "Ulm")).splitlines()
            return await ask("writer", f"Write of this: {lines[line]}")

        made = simulated(program, finder={"reply": both}, writer={"reply": "a page"})
        return made.quality

    assert (quality(0), quality(1)) == (1.0, 0.0)


def test_program_that_counts_votes_counts_wrong_ones_too() -> None:
    async def program() -> int:
        votes = await asyncio.gather(*(ask("voter", f"sample {number}") for number in range(5)))
        return int(Counter(votes).most_common(1)[0][0])

    voter = {"reply": "42", "wrong_reply": "41", "accuracy": 0.6}
    outputs = {}
    for seed in range(12):
        made = simulated(program, seed, voter=voter)
        outputs[made.output] = made.quality
    assert outputs == {42: 1.0, 41: 0.0}


def test_reply_that_repeats_a_text_answers_for_it() -> None:
    async def program() -> str:
        text = await ask("finder", "Ulm")
        return await ask("editor", text)

    editor = {"reply": lambda call: call.last_user_text, "accuracy": 0.0}
    made = simulated(program, finder={"reply": FACT, "accuracy": 1.0}, editor=editor)
    assert made.quality == 0.0
    assert [claim.agent for claim in made.claims(is_true=False)] == ["editor"]


def test_retry_makes_no_second_claim() -> None:
    async def program() -> str:
        return await ask("finder", "Ulm")

    sim = Sim(seed=1)
    sim.agent("finder", reply=FACT, accuracy=0.0)
    sim.fault("reset_midway", call=1, attempt=1)
    made = sim.run(program)
    assert made.attempts == 2
    assert [claim.in_output for claim in made.claims()] == [True]


def test_agent_repeats_its_own_words_as_they_are() -> None:
    async def program() -> str:
        client = anthropic.AsyncAnthropic()
        messages: list[Any] = []
        for number in range(6):
            messages.append({"role": "user", "content": f"question {number}"})
            message = await client.messages.create(
                model="claude-haiku-4-5", max_tokens=300, system="You are clerk.", messages=messages
            )
            messages.append({"role": "assistant", "content": message.content})
        return str(messages[-1]["content"][0].text)

    replies = [f"{FACT}, says book {number}" for number in range(6)]
    made = simulated(program, clerk={"reply": replies, "accuracy": 0.9})
    assert len({claim.is_true for claim in made.claims()}) == 1


def test_same_seed_gives_the_same_claims() -> None:
    async def program() -> str:
        found = await asyncio.gather(*(ask("finder", f"part {number}") for number in range(4)))
        return await ask("writer", "\n".join(found))

    finder = {"reply": lambda call: f"{FACT}: {call.prompt}", "accuracy": 0.5}
    first, second = (simulated(program, finder=finder, writer={}) for _ in range(2))
    assert first.claims() == second.claims()
    assert len(first.claims()) == 4


def test_explanation_tells_which_claim_is_false_with_its_origin_and_way() -> None:
    async def report() -> str:
        facts = await ask("finder", "Ulm")
        return await ask("writer", f"Write of this: {facts}")

    false = Reply(FACT, claims=(StatedClaim(FACT, is_true=False),))
    run = simulated(report, finder={"reply": false}, writer={"reply": "a page", "accuracy": 1.0})
    text = run.explain()
    assert "False claim of finder (stub), 1 hop, " in text.replace("  task 1: f", "F")
    assert f"finder -> writer, {FACT!r}." in text
    plain = simulated(report, finder={"reply": FACT}, writer={"reply": "a page"})
    assert "claim" not in plain.explain()
