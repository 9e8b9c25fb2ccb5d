"""Conversations: items that are kept, read by responses and added to by them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from harness import Reply, ToolCall
from harness.sim import Sim
from tests.wire.sdk_versions import since

openai = pytest.importorskip("openai")
pytestmark = since("openai", 2, "has no Conversations")

HI: Any = {"role": "user", "content": "hi"}
SAID: Any = {"role": "assistant", "content": "ho"}


def client() -> Any:  # noqa: ANN401 - the client
    return openai.AsyncOpenAI(api_key="k", max_retries=0)


def texts(items: Any) -> list[str]:  # noqa: ANN401 - a page of items
    return [item.content[0].text for item in items.data if item.type == "message"]


async def in_order(asking: Any, name: str) -> list[str]:  # noqa: ANN401 - the client
    return texts(await asking.conversations.items.list(name, order="asc"))


async def respond(asking: Any, conversation: Any, said: Any, **more: Any) -> Any:  # noqa: ANN401 - the SDK's
    return await asking.responses.create(
        **{"model": "gpt-4o", "input": said, "conversation": conversation, **more}
    )


def talker(sim: Sim, *replies: Any) -> list[list[str]]:  # noqa: ANN401 - replies
    """One agent, and what it hears in each of its calls."""
    heard: list[list[str]] = []
    left = list(replies)

    def reply(call: Any) -> Any:  # noqa: ANN401 - a call
        heard.append([message.text for message in call.said])
        return left.pop(0) if left else f"reply {len(heard)}"

    sim.agent("agent", model="*", reply=reply, allow_unused=True)
    return heard


# -- what is kept --------------------------------------------------------------------------------------------------


def test_a_conversation_is_read_changed_and_deleted(sim: Sim) -> None:
    talker(sim)

    async def program() -> list[Any]:
        kept = client().conversations
        made = await kept.create(metadata={"of": "me"})
        changed = await kept.update(made.id, metadata={"of": "you"})
        read = await kept.retrieve(made.id)
        gone = await kept.delete(made.id)
        await respond(client(), None, "hi")  # a run without a call has tested nothing
        return [made.metadata, changed.metadata, read == changed, gone.deleted, made.id[:5]]

    assert sim.run(program).output == [{"of": "me"}, {"of": "you"}, True, True, "conv_"]


def test_items_are_listed_from_the_latest_page_by_page(sim: Sim) -> None:
    talker(sim)

    async def program() -> list[Any]:
        asking = client()
        items = asking.conversations.items
        name = (await asking.conversations.create(items=[HI])).id
        for number in range(4):
            await items.create(name, items=[{"role": "user", "content": str(number)}])
        page = await items.list(name, limit=2)
        after = await items.list(name, limit=2, after=page.last_id)
        everything = [item.content[0].text async for item in items.list(name, limit=2)]
        await respond(asking, name, "more")
        return [texts(page), page.has_more, texts(after), everything, await in_order(asking, name)]

    assert sim.run(program).output == [
        ["3", "2"],
        True,
        ["1", "0"],
        ["3", "2", "1", "0", "hi"],
        ["hi", "0", "1", "2", "3", "more", "reply 1"],
    ]


def test_an_item_is_read_and_deleted(sim: Sim) -> None:
    heard = talker(sim)

    async def program() -> list[str]:
        asking = client()
        name = (await asking.conversations.create(items=[HI, SAID])).id
        latest = (await asking.conversations.items.list(name)).data[0]
        read = await asking.conversations.items.retrieve(latest.id, conversation_id=name)
        left = await asking.conversations.items.delete(latest.id, conversation_id=name)
        await respond(asking, name, "more")
        return [read.content[0].text, left.id == name]

    assert sim.run(program).output == ["ho", True]
    assert heard == [["hi", "more"]]


# -- responses on it -----------------------------------------------------------------------------------------------


def test_a_response_hears_the_conversation_and_is_added_to_it(sim: Sim) -> None:
    heard = talker(sim)

    async def program() -> list[Any]:
        asking = client()
        name = (await asking.conversations.create(items=[HI, SAID])).id
        first = await respond(asking, name, "one")
        second = await respond(asking, {"id": name}, "two")
        return [
            first.conversation.id == name,
            second.usage.input_tokens > first.usage.input_tokens,
            await in_order(asking, name),
        ]

    run = sim.run(program)
    assert run.output == [True, True, ["hi", "ho", "one", "reply 1", "two", "reply 2"]]
    assert heard == [["hi", "ho", "one"], ["hi", "ho", "one", "reply 1", "two"]]


@pytest.mark.parametrize("background", [False, True])
def test_a_streamed_response_is_added_when_it_is_complete(sim: Sim, background: bool) -> None:
    talker(sim)

    async def program() -> list[list[str]]:
        asking = client()
        name = (await asking.conversations.create()).id
        before = []
        stream = await respond(asking, name, "hi", stream=True, background=background)
        async for event in stream:
            if event.type == "response.output_item.added":
                before = await in_order(asking, name)
        return [before, await in_order(asking, name)]

    assert sim.run(program).output == [[], ["hi", "reply 1"]]


def test_two_agents_share_a_conversation(sim: Sim) -> None:
    sim.agent("first", system="First*", reply="from the first")
    sim.agent("second", system="Second*", reply=lambda call: f"heard: {call.said[1].text}")

    async def program() -> str:
        asking = client()
        name = (await asking.conversations.create()).id
        await respond(asking, name, "hi", instructions="First")
        return str((await respond(asking, name, "you?", instructions="Second")).output_text)

    run = sim.run(program)
    assert run.output == "heard: from the first"
    assert (len(run.calls("first")), len(run.calls("second"))) == (1, 1)


def test_a_tool_is_used_on_a_conversation(sim: Sim) -> None:
    talker(sim, Reply("", (ToolCall("look", {}),)), "seen")
    tool = {"type": "function", "name": "look", "parameters": {}, "strict": False}

    async def program() -> list[str]:
        asking = client()
        name = (await asking.conversations.create()).id
        wish = (await respond(asking, name, "hi", tools=[tool])).output[0]
        result = {"type": "function_call_output", "call_id": wish.call_id, "output": "a cat"}
        await respond(asking, name, [result], tools=[tool])
        items = await asking.conversations.items.list(name, order="asc")
        return [item.type for item in items.data]

    assert sim.run(program).output == [
        "message",
        "function_call",
        "function_call_output",
        "message",
    ]


def test_a_response_that_is_not_stored_hears_it_and_adds_nothing(sim: Sim) -> None:
    heard = talker(sim)

    async def program() -> list[str]:
        asking = client()
        name = (await asking.conversations.create(items=[HI])).id
        await respond(asking, name, "more", store=False)
        return await in_order(asking, name)

    assert sim.run(program).output == ["hi"]
    assert heard == [["hi", "more"]]


def test_while_a_response_is_made_there_is_no_other(sim: Sim) -> None:
    talker(sim)

    async def program() -> list[Any]:
        asking = client()
        name = (await asking.conversations.create()).id
        both = await asyncio.gather(
            *(respond(asking, name, said) for said in ("one", "two")), return_exceptions=True
        )
        await respond(asking, name, "three")
        locked: Any = both[1]
        return [locked.code, locked.param, await in_order(asking, name)]

    assert sim.run(program).output == [
        "conversation_locked",
        "conversation",
        ["one", "reply 1", "three", "reply 2"],
    ]


@pytest.mark.parametrize("ends", ["failed", "cancelled", "given up"])
def test_a_response_without_a_reply_adds_nothing_and_sets_the_conversation_free(
    sim: Sim, ends: str
) -> None:
    talker(sim)
    if ends == "failed":
        sim.fault("status", status=500, call=1, agent="agent")

    async def program() -> list[str]:
        asking = client()
        name = (await asking.conversations.create()).id
        try:
            if ends == "cancelled":
                made = await respond(asking, name, "one", background=True)
                await asking.responses.cancel(made.id)
            else:
                await asyncio.wait_for(respond(asking, name, "one"), 0.1)
        except (openai.APIError, TimeoutError):
            pass
        await respond(asking, name, "two")
        return [*await in_order(asking, name)][:1]

    assert sim.run(program).output == ["two"]


def test_a_session_of_openai_agents_keeps_its_history_there(sim: Sim) -> None:
    """The calls that its `OpenAIConversationsSession` makes."""
    heard = talker(sim)

    async def program() -> list[Any]:
        asking = client()
        kept, items = asking.conversations, asking.conversations.items
        name = (await kept.create(items=[])).id
        for number in range(15):
            history = [
                item.model_dump(exclude_unset=True)
                async for item in items.list(conversation_id=name, order="asc")
            ]
            new = [{"role": "user", "content": f"turn {number}"}]
            response = await respond(asking, None, history + new)
            output = [item.model_dump(exclude_unset=True) for item in response.output]
            await items.create(conversation_id=name, items=new + output)
        last = (await items.list(conversation_id=name, limit=1, order="desc")).data[0]
        await items.delete(conversation_id=name, item_id=last.id)
        left = [item async for item in items.list(conversation_id=name, order="asc")]
        await kept.delete(conversation_id=name)
        return [last.content[0].text, len(left)]

    assert sim.run(program).output == ["reply 15", 29]
    assert len(heard[-1]) == 29


# -- mistakes ------------------------------------------------------------------------------------------------------

Mistake = Callable[[Any, str, str], Any]
"""Given a client, a conversation, and an item of another one."""

MISTAKES: dict[str, tuple[Mistake, int, str]] = {
    "too many items": (
        lambda c, name, _: c.conversations.items.create(name, items=[HI] * 21),
        400,
        "Invalid 'items': array too long. Expected an array with maximum length 20",
    ),
    "a wrong role": (
        lambda c, name, _: c.conversations.items.create(name, items=[{**HI, "role": "me"}]),
        400,
        "Invalid value: 'me'. Supported values are",
    ),
    "a wrong type": (
        lambda c, name, _: c.conversations.create(items=[{"type": "talk"}]),
        400,
        "Invalid value: 'talk'. Supported values are",
    ),
    "no list": (
        lambda c, name, _: c.conversations.create(items="hi"),
        400,
        "Invalid type for 'items': expected an array",
    ),
    "metadata that are no texts": (
        lambda c, name, _: c.conversations.update(name, metadata={"a": 1}),
        400,
        "Invalid type for 'metadata.a'",
    ),
    "a page too long": (
        lambda c, name, _: c.conversations.items.list(name, limit=101),
        400,
        "Invalid 'limit': expected an integer from 1 to 100",
    ),
    "a wrong order": (
        lambda c, name, _: c.conversations.items.list(name, order="up"),
        400,
        "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
    ),
    "an item of another conversation": (
        lambda c, name, item: c.conversations.items.retrieve(item, conversation_id=name),
        404,
        "Item with id 'msg_",
    ),
    "an item of another conversation, to be deleted": (
        lambda c, name, item: c.conversations.items.delete(item, conversation_id=name),
        404,
        "Item with id 'msg_",
    ),
    "an unknown conversation": (
        lambda c, *_: c.conversations.retrieve("conv_1"),
        404,
        "Conversation with id 'conv_1' not found.",
    ),
    "a response on an unknown conversation": (
        lambda c, *_: respond(c, "conv_1", "hi"),
        404,
        "Conversation with id 'conv_1' not found.",
    ),
    "a response on no conversation": (
        lambda c, *_: respond(c, "thread_1", "hi"),
        400,
        "Invalid 'conversation': 'thread_1'. Expected an ID that begins with 'conv'.",
    ),
    "a conversation without a name": (
        lambda c, *_: respond(c, {}, "hi"),
        400,
        "Missing required parameter: 'conversation.id'.",
    ),
    "a response before it as well": (
        lambda c, name, _: respond(c, name, "hi", previous_response_id="resp_1"),
        400,
        "Mutually exclusive parameters.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_request_is_refused(sim: Sim, mistake: str) -> None:
    talker(sim)
    ask, status, words = MISTAKES[mistake]

    async def program() -> tuple[int, str]:
        asking = client()
        name = (await asking.conversations.create(items=[HI])).id
        other = (await asking.conversations.create(items=[HI])).id
        item = (await asking.conversations.items.list(other)).data[0].id
        await respond(asking, name, "hi")
        try:
            await ask(asking, name, item)
        except openai.APIStatusError as refused:
            return refused.status_code, refused.body["message"]
        return 200, ""

    got, told = sim.run(program).output
    assert got == status
    assert told.startswith(words)


def test_a_deleted_conversation_has_no_more_responses_but_its_items_can_be_referred_to(
    sim: Sim,
) -> None:
    heard = talker(sim)

    async def program() -> int:
        asking = client()
        name = (await asking.conversations.create(items=[HI])).id
        item = (await asking.conversations.items.list(name)).data[0].id
        await asking.conversations.delete(name)
        await respond(asking, None, [{"type": "item_reference", "id": item}])
        try:
            await respond(asking, name, "more")
        except openai.NotFoundError as refused:
            return int(refused.status_code)
        return 200

    assert sim.run(program).output == 404
    assert heard == [["hi"]]


def test_an_item_that_is_there_already_is_refused(sim: Sim) -> None:
    talker(sim)

    async def program() -> None:
        asking = client()
        name = (await asking.conversations.create()).id
        said = (await respond(asking, name, "hi")).output[0].to_dict()
        await respond(asking, name, [said, HI])

    with pytest.raises(openai.BadRequestError, match="Duplicate item found with id msg_"):
        sim.run(program)
