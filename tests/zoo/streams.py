"""Programs that read streams, and what silence in the middle does to them."""

# ruff: noqa: PERF401 - programs as users write them
from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.asking import CALL_ERRORS, Unusable, ask, async_client
from tests.zoo.planted import Fault, planted

STORY = "Once there was a kite that wanted to see the sea. It flew for nine days. The end."


def request(who: str, text: str) -> dict[str, Any]:
    """What is asked of Anthropic's API."""
    return {
        "model": "claude-haiku-4-5",
        "max_tokens": 500,
        "system": f"You are the {who}.",
        "messages": [{"role": "user", "content": text}],
    }


def story_is_whole(output: dict[str, Any]) -> None:
    assert output["story"] == STORY, f"half a story was taken for a whole one: {output}"


@planted(
    "silence in a stream",
    Fault("storyteller", 1, "stall"),
    agents={
        "storyteller": {"reply": STORY, "latency_s": 8.0},
        "critic": {"reply": "moving", "latency_s": 2.0},
    },
    check=story_is_whole,
)
async def half_a_story(fixed: bool) -> dict[str, Any]:
    """A stream is read for half a minute at most, and what has come by then is the story."""
    parts: list[str] = []
    async with async_client() as client:
        try:
            async with asyncio.timeout(30):
                async with client.messages.stream(**request("storyteller", "a story")) as stream:
                    async for text in stream.text_stream:
                        parts.append(text)
                    final = await stream.get_final_message()
                if final.stop_reason != "end_turn":
                    raise Unusable("storyteller")
        except TimeoutError:
            if fixed or not parts:
                raise
        story = "".join(parts)
        verdict = await ask(client, "critic", story)
    return {"story": story, "verdict": verdict}


def ends_in_five_minutes(output: dict[str, Any]) -> None:
    assert output["took_s"] < 300, f"it waited {output['took_s']} s for a stream that was silent"


@planted(
    "silence in a stream",
    Fault("singer", 1, "stall"),
    agents={
        "singer": {"reply": "la la la la la la la la", "latency_s": 6.0},
        "listener": {"reply": "again!", "latency_s": 2.0},
    },
    check=ends_in_five_minutes,
)
async def timeout_only_until_the_first_word(fixed: bool) -> dict[str, Any]:
    """The first word has to come within twenty seconds; for the others nobody has set a limit."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    song = ""
    async with async_client() as client:
        try:
            async with asyncio.timeout(20) as limit:
                async with client.messages.stream(**request("singer", "a song")) as stream:
                    async for text in stream.text_stream:
                        limit.reschedule(loop.time() + 20 if fixed else None)
                        song += text
        except CALL_ERRORS:
            song = "(silence)"
        try:
            await asyncio.wait_for(ask(client, "listener", song), 60)
        except CALL_ERRORS:
            song += " (unheard)"
    return {"song": song, "took_s": loop.time() - began_s}
