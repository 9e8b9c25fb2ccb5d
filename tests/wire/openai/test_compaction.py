"""Compaction: a long conversation becomes its user's messages and one item that can be handed back."""

from __future__ import annotations

from typing import Any

import pytest

from harness.sim import Sim
from tests.wire.sdk_versions import since

openai = pytest.importorskip("openai")
pytestmark = since("openai", 2, "has no compaction")

LONG = "long " * 400


def client() -> Any:  # noqa: ANN401 - the client
    return openai.AsyncOpenAI(api_key="k", max_retries=0)


def worker(sim: Sim) -> list[list[tuple[str, str]]]:
    """An agent that is known by its instructions, and what it hears in each of its calls."""
    heard: list[list[tuple[str, str]]] = []

    def reply(call: Any) -> str:  # noqa: ANN401 - a call
        heard.append([(message.role, message.text[:9]) for message in call.said])
        return f"finding {len(heard)}"

    sim.agent("worker", system="You work.*", reply=reply)
    return heard


async def ask(items: Any, **more: Any) -> Any:  # noqa: ANN401 - the SDK's
    return await client().responses.create(
        model="gpt-4o", instructions="You work.", input=items, **more
    )


def handed_back(compacted: Any) -> list[Any]:  # noqa: ANN401 - the SDK's
    """The SDK's type lets only the model speak in the output."""
    return [item.to_dict(exclude_unset=True, warnings=False) for item in compacted.output]


async def compacted() -> Any:  # noqa: ANN401 - the SDK's
    items: list[Any] = []
    for number in range(2):
        items.append({"role": "user", "content": f"turn {number}: {LONG}"})
        items += (await ask(items)).output
    return await client().responses.compact(model="gpt-4o", input=items)


def test_the_users_messages_stay_and_one_item_stands_for_the_rest(sim: Sim) -> None:
    worker(sim)
    answer = sim.run(compacted).output
    assert (answer.object, answer.id[:5]) == ("response.compaction", "resp_")
    *told, last = handed_back(answer)
    assert [(item["role"], item["content"][0]["text"][:6]) for item in told] == [
        ("user", "turn 0"),
        ("user", "turn 1"),
    ]
    assert (last["type"], last["id"][:4]) == ("compaction", "cmp_")
    assert last["encrypted_content"].startswith("gAAAAA")


def test_it_is_a_call_of_the_agent_whose_conversation_it_is_with_tokens_and_cost(sim: Sim) -> None:
    heard = worker(sim)
    run = sim.run(compacted)
    assert (len(run.calls("worker")), len(heard)) == (3, 2)  # the agent's replies are not used up
    usage, (span,) = run.output.usage, run.calls()[-1].attempts
    assert usage.input_tokens > 1000
    assert span.input_tokens == usage.input_tokens
    assert span.output_tokens == usage.output_tokens == round(0.1 * usage.input_tokens)
    assert span.cost_usd > 0


def test_it_goes_on_from_an_earlier_response(sim: Sim) -> None:
    worker(sim)

    async def program() -> list[str]:
        before = await ask("hi")
        answer = await client().responses.compact(model="gpt-4o", previous_response_id=before.id)
        return [item["type"] for item in handed_back(answer)]

    run = sim.run(program)
    assert (run.output, len(run.calls("worker"))) == (["message", "compaction"], 2)


def test_what_is_handed_back_is_understood_and_costs_its_size(sim: Sim) -> None:
    heard = worker(sim)

    async def program() -> list[int]:
        answer = await compacted()
        mine = [item for item in handed_back(answer) if item["type"] == "compaction"]
        more: Any = {"role": "user", "content": "And now?"}
        alone, both = await ask([more]), await ask([*mine, more])
        grown = both.usage.input_tokens - alone.usage.input_tokens
        return [grown, answer.usage.output_tokens]

    grown, size = sim.run(program).output
    assert grown == size
    assert heard[-1] == [("assistant", "finding 1"), ("user", "And now?")]


def test_a_compaction_of_another_run_is_taken_too(sim: Sim) -> None:
    heard = worker(sim)
    item = {"type": "compaction", "encrypted_content": "gAAAAAB" + "x" * 400}
    run = sim.run(ask, [item, {"role": "user", "content": "And now?"}])
    assert run.output.usage.input_tokens > 100
    assert heard == [[("user", "And now?")]]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, 'One of "input" or "previous_response_id"'),
        ({"previous_response_id": "resp_1"}, "Previous response with id 'resp_1' not found."),
        ({"input": "hi", "extra_body": {"stream": True}}, "Unknown parameter: 'stream'."),
    ],
)
def test_a_wrong_request_is_refused(sim: Sim, asked: Any, words: str) -> None:  # noqa: ANN401 - parameters
    worker(sim)

    async def program() -> str:
        await ask("hi")
        try:
            await client().responses.compact(model="gpt-4o", **asked)
        except openai.BadRequestError as refused:
            return str(refused.body["message"])
        return ""

    assert sim.run(program).output.startswith(words)
