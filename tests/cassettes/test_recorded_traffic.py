"""Recordings of other projects load and replay through the real clients, at the recorded latency.

HARNESS_DATA names the folder that holds `cassettes/llm_anthropic` and `cassettes/crewai`; without it this is skipped.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import Interaction, load_cassette
from harness.cassettes.cassette import json_of
from harness.cassettes.said import said_in
from harness.sim import Sim

anthropic = pytest.importorskip("anthropic")
openai = pytest.importorskip("openai")
httpx2 = pytest.importorskip("httpx2")

CASSETTES = Path(os.environ.get("HARNESS_DATA", "no-data"), "cassettes")
FILES = sorted(CASSETTES.glob("*/*.yaml"))

pytestmark = [
    pytest.mark.skipif(not FILES, reason="HARNESS_DATA does not hold the cassettes"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # models of 2025
]


def client_for(one: Interaction) -> Any:  # noqa: ANN401 - one of two SDKs
    if one.request.host == "api.anthropic.com":
        return anthropic.AsyncAnthropic(max_retries=0, timeout=600)
    if one.request.host == "api.openai.com":
        return openai.AsyncOpenAI(max_retries=0, timeout=600)
    return None


async def asked_again(one: Interaction) -> str:
    """What the client understands that made a recorded request: the text of a reply, or else the body."""
    client, body = client_for(one), json_of(one.request.body)
    if client is None:
        async with httpx2.AsyncClient() as plain:
            got = await plain.request(one.request.method, one.request.url, content=one.request.body)
            return bytes(got.content).decode("utf-8", "replace")
    async with client:
        if one.request.path.endswith("/responses"):
            return str((await client.responses.create(**body)).output_text)
        ask = (
            client.messages if one.request.host == "api.anthropic.com" else client.chat.completions
        )
        got = await ask.create(
            **{name: body[name] for name in _NEEDED if name in body}, extra_body=body
        )
        return await text_in(got)


_NEEDED = ("messages", "model", "max_tokens", "stream")


async def text_in(got: Any) -> str:  # noqa: ANN401 - a message, a completion, or a stream of either
    if hasattr(got, "content"):
        return "".join(block.text for block in got.content if block.type == "text")
    if hasattr(got, "choices"):
        return got.choices[0].message.content or ""
    text = ""
    async for event in got:
        if hasattr(event, "choices"):
            text += "".join(choice.delta.content or "" for choice in event.choices)
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            text += event.delta.text
    return text


def understood(one: Interaction) -> str:
    said = said_in(one.response)
    return one.response.body.decode("utf-8", "replace") if said is None else said.text


async def everything(interactions: tuple[Interaction, ...]) -> list[str]:
    return [await asked_again(one) for one in interactions]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem[:50])
def test_every_recorded_exchange_is_replayed_through_its_sdk(path: Path, sim: Sim) -> None:
    interactions = load_cassette(path).interactions
    sim.cassette(path)
    run = sim.run(everything(interactions))
    assert run.output == list(map(understood, interactions))
    stated_s = sum(
        one.response.stated_s[1] for one in interactions if one.response.stated_s is not None
    )
    assert run.latency_s >= stated_s
    of_models = [one for one in interactions if said_in(one.response) is not None]
    assert len(run.calls()) == len(of_models)
    counted = [said_in(one.response) for one in of_models]
    assert [call.attempts[-1].output_tokens for call in run.calls()] == [
        None if said is None else said.output_tokens for said in counted
    ]
    sources = run.events_table.rows("name", "detail")
    assert [detail for name, detail in sources if name == "recorded"] == [
        one.latency_source for one in of_models
    ]


def test_there_are_sixty_one_of_them() -> None:
    assert sum(len(load_cassette(path).interactions) for path in FILES) == 61
