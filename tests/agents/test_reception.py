"""What an agent takes: messages that keep its schema, in a version that it speaks; and what the window is for."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from harness import ScenarioError, Simulation
from harness.agents import Agent, Message, Task
from harness.agents.reception import MessageRefused, Reception
from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.models import Reply, Request
from harness.resilience import Policies, Retry
from harness.spans import AGENT, ATTEMPT, CALL, TASK, SpanLog
from tests.patterns.simulated import rows
from tests.patterns.test_nested import scenario


class Model:
    """Says yes, and counts."""

    calls = 0

    async def reply(self, request: Request) -> Reply:
        self.calls += 1
        return Reply("yes")


class Office:
    """Two agents: one that asks and one that is asked."""

    def __init__(self, asking: Reception | None, asked: Reception | None) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.model = Model()
        self.a, self.b = self._agent("a", asking), self._agent("b", asked)
        self.task = Task(1, "task", self.log.open_task("task", 1))

    def _agent(self, name: str, reception: Reception | None) -> Agent:
        retry = Policies(retry=Retry())
        return Agent(name, self.model, "m", self.log, Draws(1), retry, reception=reception)

    def pass_on(self, text: str = "hi") -> Message:
        """The user asks a, and b gets what a says."""

        async def work() -> Message:
            said = await self.a.handle(Message.of_text(self.task, "user", text))
            return await self.b.handle(said)

        return run(self.kernel, work())


def speaks(*versions: str) -> Reception:
    return Reception(versions=versions)


OBJECT = Reception(accepts={"type": "object", "required": ["city"]})
SHORT = Reception(accepts={"type": "string", "maxLength": 5})


@pytest.mark.parametrize(("reception", "text"), [(OBJECT, '{"city": "Ulm"}'), (SHORT, "hello"), (SHORT, "7"), (None, "x" * 99)])  # fmt: skip
def test_message_that_keeps_the_schema_is_taken(reception: Reception | None, text: str) -> None:
    office = Office(reception, None)
    office.pass_on(text)
    assert office.model.calls == 2


@pytest.mark.parametrize(
    ("reception", "text", "why"),
    [
        (OBJECT, "{}", "'city' is a required property"),
        (OBJECT, "Ulm", "'Ulm' is not of type 'object'"),
        (SHORT, "too long", "'too long' is too long"),
    ],
)
def test_message_that_breaks_the_schema_is_refused_without_a_call(
    reception: Reception, text: str, why: str
) -> None:
    office = Office(reception, None)
    with pytest.raises(MessageRefused) as raised:
        office.pass_on(text)
    assert raised.value.message.startswith("a does not take the message of user: ")
    assert raised.value.message.endswith(why)
    assert office.model.calls == 0
    assert [row[1:] for row in office.log.spans.rows("kind", "status", "error")] == [
        ("error", "invalid_message")
    ]
    assert office.a.turns == 0


@pytest.mark.parametrize(
    ("asking", "asked", "version"),
    [
        (speaks("2"), speaks("2"), "2"),
        (speaks("2"), speaks("1", "2"), "2"),
        (speaks("2"), None, "2"),
        (None, speaks("2", "1"), "2"),
        (None, None, ""),
    ],
)
def test_version_that_both_speak_is_used(
    asking: Reception | None, asked: Reception | None, version: str
) -> None:
    office = Office(asking, asked)
    assert office.pass_on().version == version
    assert "version_negotiated" not in office.log.events.texts


def test_other_version_that_the_sender_speaks_too_is_negotiated() -> None:
    office = Office(speaks("3", "2", "1"), speaks("1", "2"))
    assert office.pass_on().version == "2"  # what the sender prefers of what both speak
    names = ("agent", "name", "detail")
    assert ("b", "version_negotiated", "3 > 2") in office.log.events.rows(*names)


def test_receiver_without_a_common_version_refuses() -> None:
    office = Office(speaks("3", "2"), speaks("1"))
    with pytest.raises(MessageRefused, match="b speaks version 1, and a 3, 2"):
        office.pass_on()
    assert office.model.calls == 1


def test_refusal_survives_pickle_and_is_never_retried() -> None:
    error = MessageRefused("invalid_message", "no")
    again = pickle.loads(pickle.dumps(error))
    assert (again.error, again.message, again.status) == ("invalid_message", "no", None)
    assert not again.is_retryable


# -- in a scenario file -----------------------------------------------------------------------------


def agent(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML values
    return {"model": "m", "output_tokens": 10, **more}


CHAIN = {"pipeline": {"stages": ["a", "b"]}}


def test_receiver_of_another_version_fails_the_task_with_a_clear_error() -> None:
    spec = scenario(CHAIN, a=agent(version="2"), b=agent(version="1"))
    run = Simulation.from_spec(spec).run(1)
    assert rows(run, TASK, "status", "error") == [("error", "version_mismatch")]
    both = scenario(CHAIN, a=agent(version=["2", "1"]), b=agent(version="1"))
    assert rows(Simulation.from_spec(both).run(1), TASK, "status") == [("ok",)]


def test_message_that_is_not_accepted_fails_the_turn_before_a_call() -> None:
    spec = scenario(CHAIN, b=agent(accepts={"type": "object"}))
    run = Simulation.from_spec(spec).run(1)
    assert rows(run, AGENT, "agent", "error") == [("a", ""), ("b", "invalid_message")]
    assert rows(run, CALL, "agent") == [("a",)]


@pytest.mark.parametrize(
    ("provider", "error", "words"),
    [
        ("anthropic", "invalid_request_error", "prompt is too long: 121 tokens > 120 maximum"),
        (
            "groq",
            "context_length_exceeded",
            (
                "This model's maximum context length is 120 tokens. However, your messages resulted in 121 tokens. "
                "Please reduce the length of the messages."
            ),
        ),
    ],
)
def test_prompt_beyond_the_window_is_refused_by_the_provider_in_its_own_words(
    provider: str, error: str, words: str
) -> None:
    def run_of(input_tokens: int) -> Any:  # noqa: ANN401 - a run
        spec = scenario({"single": {"agent": "a"}}, a=agent(window_tokens=120, system_tokens=20))
        spec["providers"] = {provider: {}}
        spec["models"]["m"]["provider"] = provider
        spec["workload"]["kinds"] = [{"input_tokens": input_tokens}]
        spec["policies"] = {"default": {"retry": {"attempts": 3}}}
        return Simulation.from_spec(spec).run(1)

    assert rows(run_of(100), TASK, "status") == [("ok",)]
    run = run_of(101)
    assert rows(run, TASK, "status", "error") == [("error", error)]
    (attempt,) = rows(run, ATTEMPT, "http_status", "error", "cost_usd", "input_tokens")
    assert attempt[:3] == (400, error, 0.0)  # once: a 400 is not retried
    assert ("rejected", words) in run.events.rows("name", "detail")


def test_full_context_overflows_where_a_summary_does_not() -> None:
    def ended(context: Any) -> str:  # noqa: ANN401 - a YAML value
        stages = {"pipeline": {"stages": ["a"] * 8}}
        spec = scenario(stages, a=agent(window_tokens=100, context=context, output_tokens=12), scribe=agent())  # fmt: skip
        ((status,),) = rows(Simulation.from_spec(spec).run(1), TASK, "error")
        return str(status)

    assert ended("full") == "context_length_exceeded"
    assert ended("inputs") == ""
    assert ended({"last_k": {"k": 2}}) == ""
    assert ended({"summary": {"by": "scribe", "above_tokens": 40}}) == ""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"accepts": {"type": "nonsense"}}, "agents.a.accepts: must be a JSON Schema: "),
        ({"context": "half"}, "agents.a.context"),
        ({"context": {"summary": {"by": "nobody", "above_tokens": 1}}}, "there is no 'nobody' under agents"),
        ({"context": {"summary": {"by": "a", "above_tokens": 1}}}, "summaries form a cycle: a -> a"),
        ({"window_tokens": 0}, "agents.a.window_tokens"),
        ({"version": []}, "agents.a.version"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_with_their_place(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        Simulation.from_spec(scenario(CHAIN, a=agent(**more)))
    assert says in str(raised.value)
