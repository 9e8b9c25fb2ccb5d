"""Programs on OpenAI's own SDK: a panel on chat completions, and a team on responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from harness.sim import ProgramRun, Sim

openai = pytest.importorskip("openai", minversion="3", reason="needs the OpenAI SDK from 3.0 on")

RunAlike = Callable[..., ProgramRun]

OPINIONS = {
    "optimist": "Sales will double before the summer.",
    "pessimist": "Two rivals undercut every price we name.",
}


class Verdict(BaseModel):
    """What a judge decides."""

    go: bool
    reason: str


async def decide(question: str) -> tuple[bool, str]:
    """Two opinions at once, a judge with a schema, and a streamed announcement; all on chat completions."""
    async with openai.AsyncOpenAI() as client:

        async def opinion(of: str) -> str:
            completion = await client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[
                    {"role": "system", "content": f"You are an {of}."},
                    {"role": "user", "content": question},
                ],
            )
            return str(completion.choices[0].message.content)

        opinions = await asyncio.gather(*map(opinion, OPINIONS))
        judged = await client.chat.completions.parse(
            model="gpt-4o",
            messages=[
                {"role": "system", "content": "You are a judge."},
                {"role": "user", "content": "\n".join(opinions)},
            ],
            response_format=Verdict,
        )
        verdict = judged.choices[0].message.parsed
        assert verdict is not None
        chunks = await client.chat.completions.create(
            model="gpt-4o",
            messages=[
                {"role": "developer", "content": "You are a speaker."},
                {"role": "user", "content": verdict.reason},
            ],
            stream=True,
        )
        said = [choice.delta.content or "" async for chunk in chunks for choice in chunk.choices]
        return verdict.go, "".join(said)


@pytest.fixture
def panel(sim: Sim) -> None:
    for name, opinion in OPINIONS.items():
        sim.agent(name, system=f"You are an {name}.", reply=opinion)
    sim.agent(
        "judge",
        system="You are a judge.",
        reply={"go": True, "reason": "A doubled market is worth two rivals."},
    )
    announcement = "We go ahead, and fast."
    sim.agent("speaker", system="You are a speaker.", reply=announcement, allow_unused=True)


@pytest.mark.usefixtures("panel")
def test_a_panel_on_chat_completions_hears_two_judges_and_streams(run_alike: RunAlike) -> None:
    run = run_alike(decide, "Shall we build it?")

    assert run.output == (True, "We go ahead, and fast.")
    assert [call.agent for call in run.all_calls] == [*OPINIONS, "judge", "speaker"]
    run.assert_parallel(*OPINIONS)
    for name in OPINIONS:
        run.assert_called_with_output_of("judge", name)
    run.assert_called_with_output_of("speaker", "judge")
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("panel")
def test_the_sdk_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, agent="judge", attempt=1, retry_after_s=7)

    run = sim.run(decide, "Shall we build it?")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(2 + 7 + 2 + 2, abs=0.1)


@pytest.mark.usefixtures("panel")
def test_the_sdk_gives_up_on_an_overloaded_judge_at_the_third_attempt(sim: Sim) -> None:
    sim.fault("overloaded", agent="judge")

    with pytest.raises(openai.InternalServerError) as raised:
        sim.run(decide, "Shall we build it?")

    assert raised.value.status_code == 503
    assert sim.last_run is not None
    assert len(sim.last_run.calls("judge")[0].attempts) == 3


async def translate_and_check(text: str) -> str:
    """A translator and a checker on responses; what the checker finds goes back into the first conversation."""
    async with openai.AsyncOpenAI() as client:
        first = await client.responses.create(
            model="gpt-5", instructions="You translate.", input=text
        )
        checked = await client.responses.create(
            model="gpt-5-mini", instructions="You check translations.", input=first.output_text
        )
        async with client.responses.stream(
            model="gpt-5",
            instructions="You translate.",
            input=checked.output_text,
            previous_response_id=first.id,
        ) as stream:
            async for _ in stream:
                pass
            return str((await stream.get_final_response()).output_text)


def test_a_team_on_responses_continues_a_conversation_that_the_server_keeps(
    sim: Sim, run_alike: RunAlike
) -> None:
    versions = ["A hill of small birds.", "A mountain of small birds."]
    sim.agent("translator", system="You translate.", reply=versions)
    sim.agent("checker", system="You check*", reply="A mountain is meant, and no hill.")

    run = run_alike(translate_and_check, "Ein Berg kleiner Voegel.")

    assert run.output == "A mountain of small birds."
    assert [call.agent for call in run.all_calls] == ["translator", "checker", "translator"]
    run.assert_called_with_output_of("checker", "translator")
    run.assert_called_with_output_of("translator", "checker")
    last = run.calls("translator")[1]
    assert [said.role for said in last.messages] == ["user", "assistant", "user"]
    assert last.messages[1].text == versions[0]
    assert run.unsimulated == {}
