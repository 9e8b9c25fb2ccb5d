"""One agent: what its calls and turns are made of, what spans they leave, and who stands in for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import pytest

from harness.agents import Agent, Message, SimulatedTool, Task, Tool, ToolError, ToolSpec
from harness.chance import Draws
from harness.chance.distributions import Constant, Exponential
from harness.kernel import Kernel, run
from harness.models import ChatMessage, ModelError, Reply, Request, ToolCall
from harness.resilience import Policies, Retry
from harness.spans import AGENT, ATTEMPT, CALL, TOOL, WAIT, SpanLog

FAILURE = ModelError("overloaded_error", 529, "Overloaded")
LIMITED = ModelError("rate_limit_error", 429, "slow down", 6.0)


class Model:
    """Takes a second, fails as it is told, and remembers what it was asked."""

    def __init__(self, *failures: Exception | None, reply: Reply | None = None) -> None:
        self.requests: list[Request] = []
        self.keys: list[str] = []
        self._failures = list(failures)
        self._reply = reply or Reply("fine", output_tokens=20)

    async def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        self.keys.append(request.attempt_key)
        await asyncio.sleep(1.0)
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        return self._reply


class Office:
    """Agents on a clock of their own."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.tasks = 0

    def agent(
        self,
        name: str,
        model: Model,
        policies: Policies | None = None,
        *,
        system: str = "",
        system_tokens: int | None = None,
        tools: Mapping[str, Tool] | None = None,
    ) -> Agent:
        return Agent(
            name,
            model,
            "m",
            self.log,
            Draws(1),
            policies or Policies(),
            system=system,
            system_tokens=system_tokens,
            tools=tools,
        )

    def task(self, *, output_tokens: int | None = None) -> Task:
        self.tasks += 1
        span = self.log.open_task("task", self.tasks)
        return Task(self.tasks, "task", span, output_tokens)

    def ask(self, agent: Agent, *texts: str, task: Task | None = None) -> Message:
        task = task or self.task()
        return run(self.kernel, agent.handle(*(Message(task, "user", text, 100) for text in texts)))

    def spans(self, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of all spans, in the order in which they began."""
        rows = sorted(self.log.spans.rows("span_id", *columns), key=lambda row: row[0])
        return [row[1:] for row in rows]


def test_turn_call_and_attempt_are_spans_inside_one_another() -> None:
    office = Office()
    office.ask(office.agent("a", Model()), "hi")
    columns = ("kind", "name", "agent", "model", "ordinal", "arrival_s", "end_s", "status")
    assert office.spans(*columns) == [
        (AGENT, "a", "a", "", -1, 0.0, 1.0, "ok"),
        (CALL, "a", "a", "m", 1, 0.0, 1.0, "ok"),
        (ATTEMPT, "m", "a", "m", 1, 0.0, 1.0, "ok"),
    ]
    parents = dict(office.spans("kind", "parent_id"))
    ids = dict(office.spans("kind", "span_id"))
    assert (parents[ATTEMPT], parents[CALL]) == (ids[CALL], ids[AGENT])


def test_model_is_told_the_messages_the_system_prompt_and_what_the_task_says() -> None:
    office, model = Office(), Model()
    tool = SimulatedTool("t", ToolSpec(), Draws(1))
    agent = office.agent("a", model, system="x" * 40, tools={"t": tool})
    office.ask(agent, "one", "two", task=office.task(output_tokens=7))
    (request,) = model.requests
    assert request.prompt == "one\n\ntwo"
    assert request.input_tokens == 200 + 10
    assert (request.agent, request.model, request.system) == ("a", "m", "x" * 40)
    assert request.tools == ("t",)
    assert request.output_tokens == 7


def test_stated_size_of_the_system_prompt_counts_instead_of_its_length() -> None:
    office, model = Office(), Model()
    office.ask(office.agent("a", model, system="x" * 40, system_tokens=3), "hi")
    assert model.requests[0].input_tokens == 103


def test_answer_is_a_message_from_the_agent() -> None:
    office = Office()
    task = office.task()
    answer = office.ask(office.agent("a", Model()), "hi", task=task)
    assert answer[:4] == (task, "a", "fine", 20)
    assert (answer.id, answer.parent, answer.recipient, answer.type) == (
        "1.1",
        "",
        "user",
        "result",
    )
    assert (answer.hop, answer.latency_s, answer.cost_usd) == (1, 1.0, 0.0)


def test_turn_begins_with_an_event_for_each_message_that_it_reads() -> None:
    office = Office()
    task = office.task()
    first, second = Message.of_text(task, "user", "hi"), Message.of_text(task, "b", "so", tokens=7)
    agent = office.agent("a", Model())
    answer = run(office.kernel, agent.handle(first, second.reply("c", "really?", version="2")))
    names = ("agent", "recipient", "detail", "tokens", "hop", "message", "answers")
    assert list(office.log.events.rows(*names)) == [
        ("user", "a", "request", 1, 0, 1, -1), ("c", "a", "result", 2, 1, 3, 2),
    ]  # fmt: skip
    assert (answer.hop, answer.parent, answer.recipient, answer.version) == (2, "1.3", "c", "2")


def test_calls_are_numbered_in_the_task_and_in_the_run() -> None:
    office, model = Office(), Model()
    agent, first, second = office.agent("a", model), office.task(), office.task()
    for task in (first, first, second):
        office.ask(agent, "hi", task=task)
    assert [(r.call_in_task, r.call_in_run) for r in model.requests] == [(1, 1), (2, 2), (1, 3)]
    assert model.keys == ["1/a/1/1", "1/a/2/1", "2/a/1/1"]


def test_retries_are_attempts_of_one_call_with_a_wait_between() -> None:
    office, model = Office(), Model(FAILURE, LIMITED)
    policies = Policies(retry=Retry(attempts=3, jitter="none", first_wait_s=2.0))
    office.ask(office.agent("a", model, policies), "hi")
    columns = ("kind", "ordinal", "arrival_s", "end_s", "status", "error", "http_status")
    assert office.spans(*columns) == [
        (AGENT, -1, 0.0, 11.0, "ok", "", -1),
        (CALL, 1, 0.0, 11.0, "ok", "", -1),
        (ATTEMPT, 1, 0.0, 1.0, "error", "overloaded_error", 529),
        (WAIT, -1, 1.0, 3.0, "ok", "", -1),
        (ATTEMPT, 2, 3.0, 4.0, "error", "rate_limit_error", 429),
        (WAIT, -1, 4.0, 10.0, "ok", "", -1),
        (ATTEMPT, 3, 10.0, 11.0, "ok", "", -1),
    ]
    assert model.keys == ["1/a/1/1", "1/a/1/2", "1/a/1/3"]
    kinds = office.spans("kind", "parent_id")
    call_id = office.spans("span_id", "kind")[1][0]
    assert {parent for kind, parent in kinds if kind in {ATTEMPT, WAIT}} == {call_id}


def test_attempt_that_nobody_served_began_never_and_cost_nothing() -> None:
    office = Office()
    with pytest.raises(ModelError):
        office.ask(office.agent("a", Model(LIMITED)), "hi")
    start_s, cost_usd, retry_after_s = office.spans("start_s", "cost_usd", "retry_after_s")[2]
    assert math.isnan(start_s)
    assert cost_usd == 0.0
    assert retry_after_s == 6.0
    assert office.spans("status", "error")[:2] == [("error", "rate_limit_error")] * 2


def test_deadline_ends_the_call_with_everything_in_it() -> None:
    office = Office()
    policies = Policies(
        deadline_s=5.0, retry=Retry(attempts=9, jitter="none", first_wait_s=30.0, max_wait_s=30.0)
    )
    with pytest.raises(TimeoutError):
        office.ask(office.agent("a", Model(FAILURE), policies), "hi")
    assert office.spans("kind", "end_s", "status", "error") == [
        (AGENT, 5.0, "error", "timeout"),
        (CALL, 5.0, "error", "timeout"),
        (ATTEMPT, 1.0, "error", "overloaded_error"),
        (WAIT, 5.0, "cancelled", ""),
    ]


def test_slowness_of_one_attempt_is_not_that_of_the_next() -> None:
    class SlowOnce(Model):
        async def reply(self, request: Request) -> Reply:
            factors.append(request.latency_factor)
            request.latency_factor = 9.0
            return await super().reply(request)

    factors: list[float] = []
    office = Office()
    office.ask(office.agent("a", SlowOnce(FAILURE), Policies(retry=Retry())), "hi")
    assert factors == [1.0, 1.0]


@pytest.mark.parametrize(("correct", "noted"), [(True, 1), (False, 0), (None, -1)])
def test_call_notes_whether_its_reply_was_right(correct: bool | None, noted: int) -> None:
    office = Office()
    office.ask(office.agent("a", Model(reply=Reply("x", correct=correct))), "hi")
    assert dict(office.spans("kind", "correct"))[CALL] == noted


# -- fallback -----------------------------------------------------------------------------------------------------


def test_fallback_answers_when_a_call_has_failed_for_good() -> None:
    office = Office()
    stand_in_model = Model(reply=Reply("instead", output_tokens=5))
    agent = office.agent(
        "a", Model(FAILURE, FAILURE), Policies(retry=Retry(attempts=2, jitter="none"))
    )
    agent.fallback = office.agent("b", stand_in_model, system_tokens=50)
    answer = office.ask(agent, "hi")
    assert (answer.sender, answer.text) == ("a", "instead")  # it is still a who speaks
    assert stand_in_model.requests[0].agent == "b"
    assert stand_in_model.requests[0].prompt == "hi"
    assert stand_in_model.requests[0].input_tokens == 150
    assert office.spans("kind", "agent", "arrival_s", "end_s", "status") == [
        (AGENT, "a", 0.0, 3.5, "ok"),
        (CALL, "a", 0.0, 2.5, "error"),
        (ATTEMPT, "a", 0.0, 1.0, "error"),
        (WAIT, "a", 1.0, 1.5, "ok"),
        (ATTEMPT, "a", 1.5, 2.5, "error"),
        (CALL, "b", 2.5, 3.5, "ok"),
        (ATTEMPT, "b", 2.5, 3.5, "ok"),
    ]
    noted = list(office.log.events.rows("at_s", "agent", "name", "detail"))
    assert [row for row in noted if row[2] != "message"] == [
        (1.0, "a", "retry", "overloaded_error"),
        (2.5, "a", "fallback", "b"),
    ]


def test_fallback_of_the_fallback_answers_when_that_fails_too() -> None:
    office, last = Office(), Model(reply=Reply("at last"))
    agent, second = office.agent("a", Model(FAILURE)), office.agent("b", Model(FAILURE))
    agent.fallback, second.fallback = second, office.agent("c", last)
    assert office.ask(agent, "hi").text == "at last"


def test_last_error_is_raised_when_nobody_can_answer() -> None:
    office = Office()
    agent = office.agent("a", Model(FAILURE))
    agent.fallback = office.agent("b", Model(LIMITED))
    with pytest.raises(ModelError) as raised:
        office.ask(agent, "hi")
    assert raised.value is LIMITED


def test_calls_for_another_agent_are_counted_apart_from_its_own() -> None:
    """So that the bad luck of one agent changes no draw of the other's own calls."""
    office, model = Office(), Model()
    agent, stand_in = office.agent("a", Model(FAILURE)), office.agent("b", model)
    agent.fallback = stand_in
    task = office.task()
    for asked in (stand_in, agent, stand_in):
        office.ask(asked, "hi", task=task)
    assert model.keys == ["1/b/1/1", "1/a>b/1/1", "1/b/2/1"]
    assert [request.call_in_run for request in model.requests] == [1, 2, 3]


def test_timeout_leads_to_the_fallback_too() -> None:
    office = Office()
    agent = office.agent("a", Model(), Policies(timeout_s=0.5))
    agent.fallback = office.agent("b", Model(reply=Reply("instead")))
    assert office.ask(agent, "hi").text == "instead"


def test_mistake_in_the_program_leads_to_no_fallback() -> None:
    office, stand_in = Office(), Model()
    agent = office.agent("a", Model(ValueError("a bug")))
    agent.fallback = office.agent("b", stand_in)
    with pytest.raises(ValueError, match=r"^a bug$"):
        office.ask(agent, "hi")
    assert stand_in.requests == []


# -- turns of several calls, and tools ----------------------------------------------------------------------------


def test_turn_grows_by_its_replies_and_the_results_of_tools() -> None:
    office, model = Office(), Model()
    tool = SimulatedTool("search", ToolSpec(latency_s=Constant(2.0), result="x" * 8), Draws(1))
    agent = office.agent("a", model, tools={"search": tool})

    async def work() -> None:
        with agent.turn(Message(office.task(), "user", "hi", 100)) as turn:
            await turn.call()
            result = await turn.use(ToolCall("search", {}))
            assert result == "x" * 8
            turn.hear([result, "y"])
            await turn.call()

    run(office.kernel, work())
    assert [request.input_tokens for request in model.requests] == [100, 100 + 20 + 2 + 1]
    assert [request.prompt for request in model.requests] == ["hi", "x" * 8 + "\n\ny"]
    assert [request.last_user_text for request in model.requests] == ["hi", "hi"]
    first, second = model.requests
    assert (first.conversation, first.tool_results) == ((ChatMessage("user", "hi"),), ())
    assert [said.role for said in second.conversation] == ["user", "assistant", "user"]
    assert [result.text for result in second.tool_results] == ["x" * 8, "y"]
    assert office.spans("kind", "arrival_s", "end_s") == [
        (AGENT, 0.0, 4.0),
        (CALL, 0.0, 1.0),
        (ATTEMPT, 0.0, 1.0),
        (TOOL, 1.0, 3.0),
        (CALL, 3.0, 4.0),
        (ATTEMPT, 3.0, 4.0),
    ]


def test_turn_that_is_given_up_is_cancelled_and_has_no_error() -> None:
    office = Office()
    agent = office.agent("a", Model())

    async def give_up() -> None:
        async with asyncio.timeout(0.5):
            await agent.handle(Message(office.task(), "user", "hi", 1))

    with pytest.raises(TimeoutError):
        run(office.kernel, give_up())
    assert office.spans("kind", "end_s", "status", "error") == [
        (AGENT, 0.5, "cancelled", ""),
        (CALL, 0.5, "cancelled", ""),
        (ATTEMPT, 0.5, "cancelled", ""),
    ]


def use(tool: SimulatedTool, kernel: Kernel, key: str) -> str:
    return run(kernel, tool.use(ToolCall("t", {}), key))


def test_tool_takes_its_time_and_answers_what_it_was_told() -> None:
    kernel = Kernel()
    tool = SimulatedTool("t", ToolSpec(latency_s=Constant(1 / 3), result="42"), Draws(1))
    assert use(tool, kernel, "k") == "42"
    assert kernel.now_s() == 0.333333  # whole microseconds


def test_tool_that_fails_does_so_after_its_time() -> None:
    kernel = Kernel()
    spec = ToolSpec(latency_s=Constant(2.0), failure_probability=1.0)
    with pytest.raises(ToolError, match=r"^t failed$"):
        use(SimulatedTool("t", spec, Draws(1)), kernel, "k")
    assert kernel.now_s() == 2.0


def test_tool_fails_in_its_share_of_uses_and_the_same_ones_each_time() -> None:
    """A binomial share of 0.2 in 1,000 uses lies within its interval of 99 %; fixed seed."""
    spec = ToolSpec(latency_s=Exponential(mean=1.0), failure_probability=0.2)

    def failures() -> list[bool]:
        tool, kernel, failed = SimulatedTool("t", spec, Draws(1)), Kernel(), []
        for number in range(1000):
            try:
                use(tool, kernel, str(number))
                failed.append(False)
            except ToolError:
                failed.append(True)
        return failed

    assert failures() == failures()
    assert abs(sum(failures()) / 1000 - 0.2) < 2.576 * math.sqrt(0.2 * 0.8 / 1000)


def test_task_counts_each_thing_by_itself() -> None:
    task = Office().task()
    assert [task.count(what) for what in ("a", "b", "a", "a/t", "b")] == [1, 1, 2, 1, 2]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2)])
def test_size_of_a_message_follows_from_its_text_when_nobody_states_it(
    text: str, tokens: int
) -> None:
    assert Message.of_text(Office().task(), "user", text).tokens == tokens
