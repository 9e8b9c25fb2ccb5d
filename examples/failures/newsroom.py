"""A newsroom of agents with seven mistakes, each of a kind that real programs have."""

from __future__ import annotations

import asyncio
import os

import anthropic

archive = asyncio.Lock()
page = asyncio.Lock()
places = asyncio.Semaphore(2)


async def ask(role: str, text: str, **settings: float) -> str:
    """Ask one agent."""
    client = anthropic.AsyncAnthropic(api_key=os.environ["ANTHROPIC_API_KEY"], **settings)
    message = await client.messages.create(
        model="claude-haiku-4-5",
        max_tokens=500,
        system=f"You are the {role}.",
        messages=[{"role": "user", "content": text}],
    )
    return message.content[0].text


# -- two locks, taken in opposite orders -----------------------------------------------------------


async def write_article(topic: str) -> str:
    async with archive:
        facts = await ask("researcher", f"Facts about {topic}")
        async with page:
            return await ask("writer", facts)


async def correct_article(topic: str) -> str:
    async with page:
        errors = await ask("checker", f"Errors in the article on {topic}")
        async with archive:
            return await ask("editor", errors)


async def publish(topic: str) -> list[str]:
    return await asyncio.gather(write_article(topic), correct_article(topic))


# -- a permit that is not given back when a call fails -----------------------------------------------


async def interview(person: str) -> str:
    await places.acquire()
    answer = await ask("interviewer", f"Interview {person}", max_retries=0)
    places.release()
    return answer


async def interview_all(people: list[str]) -> list[str | BaseException]:
    return await asyncio.gather(*map(interview, people), return_exceptions=True)


# -- a time-out that nobody handles ------------------------------------------------------------------


async def headline(topic: str) -> str:
    return await ask("editor", f"A headline on {topic}", timeout=20, max_retries=0)


# -- a failed branch throws away what the others found -----------------------------------------------


async def survey(topics: list[str]) -> str:
    tasks = (ask("researcher", f"Look into {topic}") for topic in topics)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    if any(isinstance(each, BaseException) for each in found):
        return "no survey today"
    return "\n".join(found)


# -- many calls at once against a small limit --------------------------------------------------------


async def label_all(texts: list[str]) -> list[str]:
    return await asyncio.gather(*(ask("labeller", text) for text in texts))


# -- the writer gets the question and not the facts -------------------------------------------------


async def article(topic: str) -> str:
    await ask("researcher", f"Facts about {topic}")
    return await ask("writer", f"Write an article on {topic}")


# -- one more round than the test expects --------------------------------------------------------------


async def revise(draft: str, rounds: int = 3) -> str:
    for _ in range(rounds):
        review = await ask("reviewer", draft)
        if review == "OK":
            break
        draft = await ask("writer", f"{draft}\nReview: {review}")
    return draft
