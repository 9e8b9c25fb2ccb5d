"""Programs on LiteLLM: one call for every provider, by aiohttp, by httpx, and by an SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.sim import ProgramRun, Sim

with pytest.MonkeyPatch.context() as patch:
    # Else the import asks GitHub for today's prices.
    patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm = pytest.importorskip("litellm", reason="needs litellm, and an OpenAI SDK below 3")

# Of pydantic, at the first call, about LiteLLM's own types.
pytestmark = pytest.mark.filterwarnings("ignore:Items? .* on TypedDict:UserWarning")

RunAlike = Callable[..., ProgramRun]

MODELS = ["anthropic/claude-haiku-4-5", "openai/gpt-4o-mini"]
ANSWERS = {
    "claude-haiku-4-5": "Copper rises while the mines are on strike.",
    "gpt-4o-mini": "Copper falls as soon as the smelters close.",
}


def told(system: str, prompt: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": prompt}]


async def ask_all(question: str) -> str:
    """Ask a model of each provider at once, and let a judge sum it up, streamed."""

    async def ask(model: str) -> str:
        answer = await litellm.acompletion(model=model, messages=told("You forecast.", question))
        return str(answer.choices[0].message.content)

    answers = await asyncio.gather(*map(ask, MODELS))
    stream = await litellm.acompletion(
        model="anthropic/claude-sonnet-4-6",
        messages=told("You judge forecasts.", "\n".join(answers)),
        stream=True,
    )
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def ask_one_after_the_other(question: str) -> str:
    """The same without asyncio, and without a stream."""

    def ask(model: str, system: str, prompt: str) -> str:
        answer = litellm.completion(model=model, messages=told(system, prompt))
        return str(answer.choices[0].message.content)

    answers = [ask(model, "You forecast.", question) for model in MODELS]
    return ask("anthropic/claude-sonnet-4-6", "You judge forecasts.", "\n".join(answers))


SUMMARY = "Copper depends on who stays away from work first."


@pytest.fixture
def panel(sim: Sim) -> None:
    sim.agent("forecaster", system="You forecast.", reply=lambda call: ANSWERS[call.model])
    sim.agent("judge", system="You judge*", reply=SUMMARY, allow_unused=True)


@pytest.mark.usefixtures("panel")
def test_both_providers_are_asked_at_once_and_the_judge_streams(run_alike: RunAlike) -> None:
    run = run_alike(ask_all, "Where does copper go?")

    assert run.output == SUMMARY
    assert [call.agent for call in run.all_calls] == ["forecaster", "forecaster", "judge"]
    assert {call.model for call in run.calls("forecaster")} == set(ANSWERS)
    run.assert_parallel("forecaster")
    assert set(run.calls("judge")[0].heard) == {1, 2}
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("panel")
def test_its_synchronous_calls_take_virtual_time_one_after_the_other(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.provider("openai", latency=2)

    run = sim.run(ask_one_after_the_other, "Where does copper go?")

    assert run.output == SUMMARY
    assert set(run.calls("judge")[0].heard) == {1, 2}
    assert run.latency_s == 2 + 2 + 2
    assert run.unsimulated == {}


@pytest.mark.usefixtures("panel")
def test_a_rate_limit_of_anthropic_is_not_retried(sim: Sim) -> None:
    sim.fault("status", status=429, model="claude-haiku-4-5", attempt=1, retry_after_s=7)

    with pytest.raises(litellm.RateLimitError) as raised:
        sim.run(ask_all, "Where does copper go?")

    assert raised.value.llm_provider == "anthropic"
    assert sim.last_run is not None
    assert sim.last_run.retries == 0


@pytest.mark.usefixtures("panel")
def test_a_rate_limit_of_openai_is_waited_for_by_the_sdk_underneath(sim: Sim) -> None:
    sim.provider("anthropic", latency=2)
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, model="gpt-4o-mini", attempt=1, retry_after_s=7)

    run = sim.run(ask_all, "Where does copper go?")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(7 + 2 + 2, abs=0.1)


async def ask_with_retries(question: str) -> str:
    """LiteLLM's own retries."""
    answer = await litellm.acompletion(
        model=MODELS[0], messages=told("You forecast.", question), num_retries=2
    )
    return str(answer.choices[0].message.content)


@pytest.mark.usefixtures("panel")
def test_its_own_retries_help_over_an_overload(sim: Sim) -> None:
    sim.fault("overloaded", agent="forecaster", attempt=1)

    run = sim.run(ask_with_retries, "Where does copper go?")

    assert run.output == ANSWERS["claude-haiku-4-5"]
    assert run.calls("forecaster") == 1
    assert run.retries == 1


def forecast_all(questions: list[str]) -> list[str]:
    """Several conversations with one model; LiteLLM asks each in a thread."""
    answers = litellm.batch_completion(
        model=MODELS[0], messages=[told("You forecast.", question) for question in questions]
    )
    return [str(answer.choices[0].message.content) for answer in answers]


def all_forecasts(question: str) -> list[str]:
    """One conversation with several models, all of which count."""
    answers = litellm.batch_completion_models_all_responses(
        models=MODELS, messages=told("You forecast.", question)
    )
    return sorted(str(answer.choices[0].message.content) for answer in answers)


def test_a_batch_takes_as_long_as_its_slowest_conversation(sim: Sim, run_twice: RunAlike) -> None:
    sim.agent("forecaster", reply=lambda call: f"{call.prompt} falls.", latency_s=10)

    run = run_twice(forecast_all, ["Copper", "Tin", "Zinc"])

    assert run.output == ["Copper falls.", "Tin falls.", "Zinc falls."]
    assert run.latency_s == 10
    assert [call.start_s for call in run.calls("forecaster")] == [0, 0, 0]
    assert run.unsimulated == {}


def test_all_of_several_models_are_asked(sim: Sim, run_twice: RunAlike) -> None:
    sim.provider("anthropic", latency=6)
    sim.provider("openai", latency=4)
    sim.agent("forecaster", reply=lambda call: ANSWERS[call.model])

    run = run_twice(all_forecasts, "Where does copper go?")

    assert run.output == sorted(ANSWERS.values())
    assert run.latency_s == 6
    assert {call.model for call in run.calls("forecaster")} == set(ANSWERS)
