"""A model that does not exist is a 404, and the test says which one was meant."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from harness.sim import Sim

HI: list[Any] = [{"role": "user", "content": "hi"}]


async def message(model: str, **more: Any) -> str:  # noqa: ANN401 - the client's settings
    client = anthropic.AsyncAnthropic(api_key="k", max_retries=0, **more)
    answer: Any = await client.messages.create(model=model, max_tokens=9, messages=HI)
    return str(answer.content[0].text)


async def chat(model: str) -> str | None:
    client = openai.AsyncOpenAI(api_key="k", max_retries=0)
    answer = await client.chat.completions.create(model=model, messages=HI)
    return answer.choices[0].message.content


@pytest.mark.parametrize(
    ("ask", "misspelt", "meant", "error"),
    [
        (message, "claude-sonet-4-5", "claude-sonnet-4-5", anthropic.NotFoundError),
        (message, "claude-hiaku-4-5", "claude-haiku-4-5", anthropic.NotFoundError),
        (chat, "gpt4o-mini", "gpt-4o-mini", openai.NotFoundError),
    ],
)
def test_misspelt_model_is_a_404_and_the_test_says_which_was_meant(
    ask: Any,  # noqa: ANN401 - any coroutine function
    misspelt: str,
    meant: str,
    error: type[Exception],
    sim: Sim,
) -> None:
    sim.agent("a", reply="yes", allow_unused=True)
    with pytest.raises(error) as caught:
        sim.run(ask, misspelt)
    assert "did you mean" not in str(caught.value)
    assert sim.last_run is not None
    assert f"there is no model {misspelt!r}; did you mean {meant!r}?" in sim.last_run.explain()


@pytest.mark.parametrize(("ask", "model"), [(message, "claude-of-ours"), (chat, "gpt-of-ours")])
def test_model_that_an_agent_declares_exists(
    ask: Any,  # noqa: ANN401 - any coroutine function
    model: str,
    sim: Sim,
) -> None:
    sim.agent("a", reply="yes", model=model)
    assert sim.run(ask, model).output == "yes"


def test_glob_declares_no_model(sim: Sim) -> None:
    sim.agent("a", reply="yes", model="claude-*", allow_unused=True)
    with pytest.raises(anthropic.NotFoundError):
        sim.run(message, "claude-sonet-4-5")


def test_other_host_has_models_of_its_own(sim: Sim) -> None:
    sim.provider("deepseek", api="anthropic", hosts=["api.deepseek.com"])
    sim.agent("a", reply="yes")
    answer = sim.run(message, "deepseek-chat", base_url="https://api.deepseek.com/anthropic")
    assert answer.output == "yes"
