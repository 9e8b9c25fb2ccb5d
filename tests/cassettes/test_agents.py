"""A cassette as an agent of a scenario: the recorded run under faults, limits and other latencies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cassettes import (
    Cassette,
    CassetteError,
    Interaction,
    RecordedRequest,
    RecordedResponse,
    Timing,
)
from harness.cassettes.writing import rewrite
from harness.errors import HarnessError, ScenarioError
from harness.models import Request
from harness.models.cassette_agent import CassetteAgent
from harness.run import Simulation
from harness.run.one import RunResult
from harness.spans import SpanLog

URL = "https://api.anthropic.com/v1/messages"


def recorded(
    number: int,
    agent: str,
    call: int,
    text: str,
    start_s: float,
    took_s: float,
    status: int = 200,
    asks: str = "",
) -> Interaction:
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 100, "output_tokens": 20},
    }  # fmt: skip
    if status != 200:
        message = {"type": "error", "error": {"type": "overloaded_error", "message": text}}
    body = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": asks or f"{agent} {call}"}],
    }
    return Interaction(
        number=number,
        request=RecordedRequest(method="POST", url=URL, body=json.dumps(body).encode()),
        response=RecordedResponse(
            status=status, headers=(("content-type", "application/json"),), body=json.dumps(message).encode(),
            timing=Timing(start_s=start_s, headers_s=took_s, end_s=took_s),
        ),
        agent=agent,
        call=call,
    )  # fmt: skip


SCENARIO = """
scenario: recorded
workload: {tasks: 2, arrivals: {every_s: 100}}
providers: {anthropic: {}}
models: {deep: {provider: anthropic, name: claude-sonnet-4-6}}
agents:
  writer: {model: deep, cassette: run.yaml}
  critic: {model: deep, cassette: run.yaml}
pattern: {pipeline: {stages: [writer, critic]}}
"""


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    rewrite(
        path,
        [recorded(1, "writer", 1, "a draft", 0.0, 2.0), recorded(2, "critic", 1, "good", 2.0, 3.0)],
    )
    return path


def simulated(cassette: Path, text: str = SCENARIO) -> RunResult:
    file = cassette.with_name("scenario.yaml")
    file.write_text(text, encoding="utf-8")
    return Simulation(file).run()


def rows(result: RunResult, kind: str) -> list[tuple[Any, ...]]:
    """Agent, beginning and end, status and output tokens of each span of a kind."""
    found = result.spans.rows("kind", "agent", "arrival_s", "end_s", "status", "output_tokens")
    return [row[1:] for row in found if row[0] == kind]


def test_every_task_replays_the_recorded_run_in_its_recorded_time(cassette: Path) -> None:
    result = simulated(cassette)
    assert rows(result, "attempt") == [
        ("writer", 0.0, 2.0, "ok", 20),
        ("critic", 2.0, 5.0, "ok", 20),
        ("writer", 100.0, 102.0, "ok", 20),
        ("critic", 102.0, 105.0, "ok", 20),
    ]
    sources = [
        detail for name, detail in result.events.rows("name", "detail") if name == "recorded"
    ]
    assert sources == ["timing"] * 4


def test_what_if_the_critic_had_been_slow(cassette: Path) -> None:
    slow = SCENARIO + "faults: [{latency: {agent: critic, factor: 10}}]\n"
    assert rows(simulated(cassette, slow), "attempt")[1] == ("critic", 2.0, 32.0, "ok", 20)
    factor = simulated(cassette, SCENARIO + "latency_factors: {critic: 2}\n")
    assert rows(factor, "attempt")[1] == ("critic", 2.0, 8.0, "ok", 20)


def test_what_if_the_provider_had_been_overloaded_and_limited(cassette: Path) -> None:
    retry = "policies: {default: {retry: {attempts: 3, first_wait_s: 1, jitter: none}}}\n"
    overloaded = SCENARIO + retry + "faults: [{overloaded: {agent: writer, attempt: 1}}]\n"
    attempts = rows(simulated(cassette, overloaded), "attempt")
    assert [(agent, status) for agent, *_, status, _ in attempts[:3]] == [
        ("writer", "error"),
        ("writer", "ok"),
        ("critic", "ok"),
    ]
    limited = SCENARIO.replace("anthropic: {}", "anthropic: {limits: {requests_per_min: 1}}")
    assert "error" in {status for *_, status, _ in rows(simulated(cassette, limited), "attempt")}


def test_the_latency_can_be_the_profiles_or_none(cassette: Path) -> None:
    none = SCENARIO.replace("cassette: run.yaml", "cassette: run.yaml, cassette_latency: none")
    assert rows(simulated(cassette, none), "task")[0][2] == 0.0
    profile = SCENARIO.replace(
        "cassette: run.yaml", "cassette: run.yaml, cassette_latency: profile"
    )
    assert rows(simulated(cassette, profile), "attempt")[0][2] != 2.0


def test_a_recorded_error_is_an_error_and_its_retry_gets_what_the_retry_got(cassette: Path) -> None:
    rewrite(
        cassette,
        [
            recorded(1, "writer", 1, "too busy", 0.0, 0.5, status=529),
            recorded(2, "writer", 1, "a draft", 1.0, 2.0),
            recorded(3, "critic", 1, "good", 3.0, 3.0),
        ],
    )
    retry = "policies: {default: {retry: {attempts: 3, first_wait_s: 1, jitter: none}}}\n"
    attempts = rows(simulated(cassette, SCENARIO + retry), "attempt")
    assert attempts[:3] == [
        ("writer", 0.0, 0.5, "error", 0),
        ("writer", 1.5, 3.5, "ok", 20),
        ("critic", 3.5, 6.5, "ok", 20),
    ]


def test_a_call_that_was_not_recorded_is_told(cassette: Path) -> None:
    twice = SCENARIO.replace("[writer, critic]", "[writer, critic, writer]")
    with pytest.raises(HarnessError, match="makes call 2 of one task, and 1 are recorded"):
        simulated(cassette, twice)


def agent_of(*calls: Interaction) -> CassetteAgent:
    return CassetteAgent(Cassette(path="run.yaml", interactions=calls), "critic")


def asked(text: str, number: int) -> Request:
    span = SpanLog(lambda: 0.0).open_task("x", 1)
    return Request("critic", "deep", text, 1, f"1/critic/{number}", number, number, span)


def test_another_order_is_allowed_where_calls_overlapped() -> None:
    agent = agent_of(
        recorded(1, "critic", 1, "first", 0.0, 2.0, asks="one"),
        recorded(2, "critic", 2, "second", 1.0, 2.0, asks="two"),
    )
    assert agent.reply(asked("two", 1)).text == "second"
    assert agent.reply(asked("one", 2)).text == "first"


def test_another_order_is_an_error_where_they_did_not() -> None:
    agent = agent_of(
        recorded(1, "critic", 1, "first", 0.0, 2.0, asks="one"),
        recorded(2, "critic", 2, "second", 2.5, 2.0, asks="two"),
    )
    with pytest.raises(
        CassetteError, match="interaction 2 answers, before it asked what interaction 1"
    ):
        agent.reply(asked("two", 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("cassette: run.yaml", "cassette: runn.yaml"), "there is no file"),
        (("cassette: run.yaml", "cassette: run.yaml, stub: x.yaml"), "one of stub and cassette"),
        (("cassette: run.yaml", "cassette: scenario.yaml"), "this is no cassette"),
        (("cassette: run.yaml", "cassette: run.yaml, cassette_latency: fast"), "cassette_latency"),
    ],
)
def test_a_wrong_cassette_is_told_with_its_place(
    change: tuple[str, str], said: str, cassette: Path
) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        simulated(cassette, SCENARIO.replace(*change, 1))
    assert "scenario.yaml:" in str(caught.value)


PROGRAM = """
import anthropic
async def main():
    async with anthropic.AsyncAnthropic() as client:
        for question in ("critic 1", "something else"):
            message = await client.messages.create(
                model="claude-sonnet-4-6", max_tokens=90, system="critic", messages=[{"role": "user", "content": question}])
            print(message.content[0].text)
"""


def test_it_is_an_agent_of_a_program_too(
    cassette: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("anthropic")
    rewrite(
        cassette,
        [recorded(1, "critic", 1, "good", 0.0, 2.0), recorded(2, "critic", 2, "better", 2.0, 3.0)],
    )
    cassette.with_name("own_program.py").write_text(PROGRAM, encoding="utf-8")
    text = """
scenario: own
workload: {tasks: 1}
target: own_program:main
models: {deep: {provider: anthropic, name: claude-sonnet-4-6}}
agents: {critic: {match: {system: critic}, cassette: run.yaml}}
"""
    result = simulated(cassette, text)
    assert capsys.readouterr().out.split() == ["good", "better"]
    assert [row[1:3] for row in rows(result, "attempt")] == [(0.0, 2.0), (2.0, 5.0)]
