"""Agents, tools, providers and faults around a program, and what is said when they are described wrongly or in vain."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
import inspect
import json
import random  # noqa: TID251 - its function is replaced
import sys
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from harness.agents import ToolError
from harness.chance.distributions import Constant
from harness.errors import HarnessError, StubError
from harness.faults import FAULTS
from harness.faults.hang import Hang
from harness.models import Reply, Request, ToolCall
from harness.provider import Latency
from harness.sim import Sim
from harness.spans import TOOL

# -- agents -----------------------------------------------------------------------------------------------------------


def test_agent_says_what_it_is_told_to_say(ask: Any) -> None:
    async def program() -> list[str]:
        return [await ask(f"{n}", system=name) for n, name in enumerate("abcde")]

    sim = Sim(1)
    sim.agent("a", system="a", reply="a text")
    sim.agent("b", system="b", reply={"json": [1]})
    sim.agent("c", system="c", reply=lambda call: f"{call.agent} heard {call.prompt}")
    sim.agent("d", system="d", reply=Reply("half of it", truncated=True))
    sim.agent("e", system="e")
    assert sim.run(program).output == [
        "a text",
        '{"json": [1]}',
        "c heard 2",
        "half of it",
        "e has done its part",
    ]


def test_model_of_ones_own_may_answer(ask: Any) -> None:
    class Echo:
        async def reply(self, request: Request) -> Reply:
            return Reply(request.prompt.upper())

    sim = Sim(1)
    sim.agent("echo", reply=Echo())
    assert sim.run(ask, "hello").output == "HELLO"


def test_replies_in_order_begin_anew_with_every_run(ask: Any) -> None:
    async def program() -> list[str]:
        return [await ask() for _ in range(2)]

    sim = Sim(1)
    sim.agent("a", reply=["one", lambda call: f"two to {call.prompt}"])
    assert [sim.run(program).output for _ in range(2)] == [["one", "two to hi"]] * 2
    sim.check()


def test_replies_that_run_out_are_the_failure_of_the_run(ask: Any) -> None:
    async def program() -> None:
        await ask()
        await ask()

    sim = Sim(1)
    sim.agent("a", reply=["one"])
    with pytest.raises(StubError, match="the replies of agent 'a' ran out: this is call 2"):
        sim.run(program)


@pytest.mark.parametrize(
    ("latency_s", "expected_s"),
    [
        (2, 2.0),
        (2.5, 2.5),
        (Constant(3.0), 3.0),
        ({"constant": {"value": 4}}, 4.0),
        ({"ttft_s": 1.0, "itl_s": 0.5}, 6.0),
        (Latency(ttft_s=Constant(1.0), itl_s=Constant(0.1)), 2.0),
    ],
)
def test_latency_is_said_in_many_ways(ask: Any, latency_s: Any, expected_s: float) -> None:
    sim = Sim(1)
    sim.agent("a", latency_s=latency_s, output_tokens=10)
    assert sim.run(ask).latency_s == expected_s


def test_accuracy_is_drawn_for_each_call() -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        for _ in range(40):
            await client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=9,
                messages=[{"role": "user", "content": "hi"}],
            )

    def correct(accuracy: float | None) -> list[int]:
        sim = Sim(1)
        sim.agent("a", accuracy=accuracy)
        table = sim.run(program).spans_table
        return [right for kind, right in table.rows("kind", "correct") if kind == "call"]

    assert correct(1.0) == [1] * 40
    assert correct(0.0) == [0] * 40
    assert 10 < sum(correct(0.5)) < 30
    assert correct(None) == [-1] * 40


# -- tools ------------------------------------------------------------------------------------------------------------


def test_tool_takes_virtual_time_and_leaves_a_span() -> None:
    sim = Sim(1)
    search = sim.tool("search", result=lambda text, top=1: f"{top} about {text}", latency_s=1.5)

    async def program() -> list[str]:
        with sim.agent_scope("clerk"):
            return [await search("rivers"), await search("castles", top=3)]

    run = sim.run(program)
    assert run.output == ["1 about rivers", "3 about castles"]
    assert run.latency_s == 3.0
    assert search.uses == [(("rivers",), {}), (("castles",), {"top": 3})]
    columns = ("kind", "name", "agent", "ordinal", "arrival_s", "end_s", "status")
    assert [row[1:] for row in run.spans_table.rows(*columns) if row[0] == TOOL] == [
        ("search", "clerk", 1, 0.0, 1.5, "ok"),
        ("search", "clerk", 2, 1.5, 3.0, "ok"),
    ]
    assert "tool search of clerk" in run.timeline()


def test_tool_fails_as_often_as_it_should() -> None:
    sim = Sim(1)
    shaky = sim.tool("shaky", failure_probability=0.25)

    async def program() -> int:
        results = await asyncio.gather(*(shaky() for _ in range(400)), return_exceptions=True)
        assert {type(result) for result in results} == {str, ToolError}
        return sum(isinstance(result, ToolError) for result in results)

    assert 70 <= sim.run(program).output <= 130
    assert sim.run(program).output == sim.run(program).output


def test_tool_that_raises_is_an_error_of_its_span() -> None:
    def fail() -> None:
        raise LookupError("not there")

    sim = Sim(1)
    search = sim.tool("search", result=fail)
    with pytest.raises(LookupError, match="not there"):
        sim.run(search)
    assert sim.last_run is not None
    assert [
        status for kind, status in sim.last_run.spans_table.rows("kind", "status") if kind == TOOL
    ] == ["error"]


def test_tool_that_is_given_up_is_no_error_of_its_span() -> None:
    sim = Sim(1)
    slow = sim.tool("slow", latency_s=10.0)

    async def program() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(), 1.0)

    rows = list(sim.run(program).spans_table.rows("kind", "status", "error", "end_s"))
    assert (TOOL, "cancelled", "", 1.0) in rows


def test_tool_stands_in_for_a_function_while_a_run_is_active() -> None:
    sim = Sim(1)
    sim.tool("dice", result=6, latency_s=1.0, replaces="random:Random.gauss")
    original = random.Random.gauss

    async def program() -> Any:
        return random.Random.gauss(0, 1)  # type: ignore[arg-type]

    assert sim.run(program).output == 6
    assert random.Random.gauss is original


def test_tool_is_taken_away_again_when_the_program_fails() -> None:
    sim = Sim(1)
    sim.tool("dumps", replaces="json:dumps")
    original = json.dumps

    async def program() -> None:
        assert json.dumps(1) == "done"
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        sim.run(program)
    assert json.dumps is original


def test_tool_outside_of_a_run_is_refused() -> None:
    tool = Sim(1).tool("search")
    with (
        asyncio.Runner() as runner,
        pytest.raises(HarnessError, match="tool 'search' works inside a run only"),
    ):
        runner.run(tool())


# -- providers --------------------------------------------------------------------------------------------------------


async def many(ask: Any, count: int) -> list[Any]:
    return await asyncio.gather(*(ask(f"{n}") for n in range(count)), return_exceptions=True)


def errors_in(results: list[Any]) -> list[str]:
    return [type(result).__name__ for result in results if isinstance(result, Exception)]


def test_concurrency_makes_calls_wait(ask: Any) -> None:
    sim = Sim(1)
    sim.provider("anthropic", concurrency=2, latency=1.0)
    run = sim.run(many, ask, 5)
    assert sorted(call.end_s for call in run.calls()) == [1.0, 1.0, 2.0, 2.0, 3.0]


def test_full_queue_refuses(ask: Any) -> None:
    sim = Sim(1)
    sim.provider("anthropic", concurrency=1, queue_capacity=1, latency=1.0)
    run = sim.run(many, ask, 4)
    assert errors_in(run.output) == ["OverloadedError"] * 2
    assert run.latency_s == 2.0


@pytest.mark.parametrize(
    ("limits", "admitted"),
    [
        ({"requests_per_min": 3}, 3),
        ({"input_tokens_per_min": 20}, 2),
        ({"output_tokens_per_min": 1000}, 5),
    ],
)
def test_rate_limits(ask: Any, limits: dict[str, Any], admitted: int) -> None:
    """A prompt of these is 8 tokens."""
    sim = Sim(1)
    sim.provider("anthropic", latency=1.0, **limits)
    run = sim.run(many, ask, 5)
    assert errors_in(run.output) == ["RateLimitError"] * (5 - admitted)
    assert run.rate_limited == 5 - admitted


def test_output_limit_is_charged_with_what_was_generated(ask: Any) -> None:
    async def program() -> list[Any]:
        return [*await many(ask, 2), *await many(ask, 1)]

    sim = Sim(1)
    sim.agent("a", output_tokens=60, latency_s=1.0)
    sim.provider("anthropic", output_tokens_per_min=100)
    assert errors_in(sim.run(program).output) == ["RateLimitError"]


def test_outage(ask: Any) -> None:
    async def program() -> list[str]:
        found = []
        for _ in range(3):
            found += errors_in(await many(ask, 1)) or ["ok"]
            await asyncio.sleep(10)
        return found

    sim = Sim(1)
    sim.provider("anthropic", outages=[{"at_s": 5, "for_s": 10}], latency=1.0)
    assert sim.run(program).output == ["ok", "InternalServerError", "ok"]


def test_overload_comes_and_goes(ask: Any) -> None:
    weather = {"calm_s": 10, "overloaded_s": 10, "refuse": 1.0}

    async def program() -> list[str]:
        found = []
        for _ in range(4):
            found += errors_in(await many(ask, 1)) or ["ok"]
            await asyncio.sleep(10 - asyncio.get_running_loop().time() % 10)
        return found

    sim = Sim(1)
    sim.provider("anthropic", overload=weather, latency=1.0)
    assert sorted(sim.run(program).output) == ["OverloadedError"] * 2 + ["ok"] * 2


def test_provider_of_ones_own_speaks_an_api_at_its_hosts(ask: Any) -> None:
    async def program() -> list[Any]:
        local = openai.AsyncOpenAI(base_url="http://llm.local:8000/v1")
        completion = await local.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}]
        )
        return [await ask(), completion.choices[0].message.content]

    sim = Sim(1)
    sim.provider("local", api="openai", hosts=["llm.local"], latency=2.0)
    sim.agent("a", model="gpt*", reply="from here")
    sim.agent("b", reply="from there", latency_s=1.0)
    run = sim.run(program)
    assert (run.output, run.latency_s) == (["from there", "from here"], 3.0)


def test_providers_are_settled_by_the_first_connection(ask: Any) -> None:
    sim = Sim(1)

    async def program() -> None:
        sim.provider("anthropic", latency=4.0)
        await ask()
        with pytest.raises(HarnessError, match="the program has connected already"):
            sim.provider("anthropic", latency=1.0)

    assert sim.run(program).latency_s == 4.0


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "settings", "words"),
    [
        (
            "agent",
            {"latency_s": -1},
            "latency_s: must be greater than or equal to 0 (got -1)",
        ),
        ("agent", {"latency_s": {"lognorml": {}}}, "latency_s: lognorml: "),
        ("agent", {"latency_s": {"ttft_s": 1, "itl": 2}}, "latency_s: itl: "),
        ("agent", {"output_tokens": "many"}, "output_tokens: must be a number (got 'many')"),
        ("agent", {"accuracy": 1.5}, "accuracy: must be less than or equal to 1 (got 1.5)"),
        ("agent", {"model": 3}, "model: expected a text (got 3)"),
        ("agent", {"system": ["x"]}, "system: expected a text (got ['x'])"),
        ("agent", {"reply": 5}, "agent 'x': expected a reply (got 5)"),
        ("agent", {"reply": ["one", 5]}, "agent 'x': expected a reply (got 5)"),
        ("agent", {"system_regex": "("}, "system_regex: not a regular expression: missing )"),
        ("agent", {"tools": "look"}, "tools: expected a list of names (got 'look')"),
        (
            "agent",
            {"tool_calls": ["look"]},
            "tool_calls: expected (name, arguments) (got 'look')",
        ),
        ("agent", {"tool_calls": [("look",)]}, "tool_calls: expected (name, arguments)"),
        ("agent", {"tools": 5}, "tools: expected a list of names (got 5)"),
        ("agent", {"when": "later"}, "when: expected a function (got 'later')"),
        ("agent", {"headers": "x"}, "headers: expected a mapping (got 'x')"),
        ("agent", {"headers": {"x": 5}}, "headers: expected a text for 'x' (got 5)"),
        ("agent", {"wrong_reply": 5}, "wrong_reply: expected a text (got 5)"),
        ("agent", {"as_is": "no"}, "as_is: expected True or False (got 'no')"),
        ("tool", {"replaces": 5}, "replaces: expected a text (got 5)"),
        ("provider", {"api": 5}, "api: expected a text (got 5)"),
        ("tool", {"latency_s": -1}, "latency_s: must be greater"),
        ("tool", {"failure_probability": 2}, "failure_probability: must be less"),
        ("fault", {"agnt": "a"}, "fault 'x': agnt: "),
        ("provider", {}, "unknown provider 'x'"),
        ("provider", {"api": "gopher", "hosts": ["x"]}, "unknown provider 'x'"),
        ("provider", {"api": "openai"}, "unknown provider 'x'"),
    ],
)
def test_wrong_description_is_one_clear_error(
    what: str, settings: dict[str, Any], words: str
) -> None:
    sim = Sim(1)
    name = "overloaded" if what == "fault" else "x"
    with pytest.raises(HarnessError) as caught:
        getattr(sim, what)(name, **settings)
    assert str(caught.value).startswith(words.replace("'x'", repr(name)))
    assert sim.run(lambda: 1).output == 1  # what was wrong has left nothing behind
    sim.check()


@pytest.mark.parametrize("what", ["agent", "tool", "provider", "process", "mcp"])
def test_name_that_is_no_text_is_one_clear_error(what: str) -> None:
    with pytest.raises(HarnessError, match=r"expected a text \(got 5\)"):
        getattr(Sim(1), what)(5)


def test_agent_without_a_name_is_refused() -> None:
    with pytest.raises(HarnessError, match="an agent needs a name"):
        Sim(1).agent("")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"requests_per_min": 0}, "the limits: requests_per_min: "),
        ({"concurrency": 0}, "concurrency: must be greater"),
        ({"concurrency": 1, "queue_capacity": 0}, "the queue: capacity: "),
        ({"queue_capacity": 3}, "queue_capacity needs concurrency: "),
        ({"latency": "slow"}, "latency: must be a number"),
        ({"outages": [{"at_s": 1}]}, "an outage: for_s: is missing"),
        ({"outages": [{"at_s": 1, "for_s": 1, "why": 2}]}, "an outage: why: "),
        ({"overload": {"calm_s": 1}}, "overload: overloaded_s: is missing"),
        (
            {"message_thread": False},
            "a provider has no setting 'message_thread'; did you mean 'message_threads'?\n  Known: requests_per_min, ",
        ),
    ],
)
def test_wrong_provider_is_one_clear_error(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(HarnessError) as caught:
        Sim(1).provider("anthropic", **settings)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("earthquake", {}, "there is no fault 'earthquake'\n  Known: latency, hang, "),
        ("status", {"status": 418}, "fault 'status': status: must be 400, 401"),
        (
            "status",
            {"statos": 500},
            "fault 'status': status: is missing (got {'statos': 500}); statos: there is no such setting; did you mean",
        ),
        ("hang", {"for_s": 0}, "fault 'hang': for_s: must be greater than 0 (got 0)"),
        ("down", {"agents": "alice"}, "fault 'down': agents: must be a list (got 'alice')"),
        (
            "hang",
            {"from_s": 5, "until_s": 2},
            "fault 'hang': until_s (2) is not after",
        ),
        ("stall", {"after": 2}, "fault 'stall': after: "),
    ],
)
def test_wrong_fault_is_one_clear_error(kind: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(HarnessError) as caught:
        Sim(1).fault(kind, **fields)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (
            "status",
            {"agent": "clerk"},
            (
                "fault 'status' needs `status`, one of 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529\n"
                "  How to fix: sim.fault('status', agent='clerk', status=400)"
            ),
        ),
        (
            "slow_first_token",
            {},
            (
                "fault 'slow_first_token' needs `by_s`, How much later [s]\n"
                "  How to fix: sim.fault('slow_first_token', by_s=1)"
            ),
        ),
    ],
)
def test_fault_without_what_it_needs_tells_what_to_write(
    kind: str, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(HarnessError) as caught:
        Sim(1).fault(kind, **fields)
    assert str(caught.value) == words


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_fix_that_is_shown_for_a_fault_can_be_written(kind: str) -> None:
    sim = Sim(1)
    try:
        sim.fault(kind)
    except HarnessError as error:
        fix = str(error).partition("How to fix: ")[2]
        if not FAULTS[kind].only_of_patterns:
            eval(fix, {"sim": sim})


@pytest.mark.parametrize(
    "target", ["nowhere:thing", "json:thing", "json", "json:", ":x", "json:dumps.deep"]
)
def test_tool_that_replaces_nothing_is_refused(target: str) -> None:
    sim = Sim(1)
    sim.tool("x", replaces=target)
    with pytest.raises(HarnessError, match=f"there is no '{target}' to replace"):
        sim.run(lambda: 1)


def test_two_agents_of_one_name_are_refused() -> None:
    sim = Sim(1)
    sim.agent("a")
    with pytest.raises(HarnessError, match="agent 'a' is described already"):
        sim.agent("a", reply="other")


# -- what was said in vain --------------------------------------------------------------------------------------------


def test_what_was_never_needed_is_told_together(ask: Any) -> None:
    async def program() -> None:
        await ask()

    sim = Sim(1)
    sim.agent("critic", system="*critic*")
    sim.agent("clerk", reply=["one", "two", "three"])
    sim.fault("overloaded", agent="critic")
    sim.fault(Hang(call=9))
    sim.run(program)
    with pytest.raises(HarnessError) as caught:
        sim.check()
    assert str(caught.value).splitlines() == [
        "agent 'critic' was never called (the calls were of: clerk)",
        "2 of the replies of agent 'clerk' were never asked for",
        "fault 1 (overloaded) never met an attempt",
        "fault 2 (hang) never met an attempt",
        "  How to fix: take them out, or say `allow_unused=True` of the agent or process, `allow_unmet=True` of the fault.",
    ]


def test_what_need_not_be_needed_is_not_told(ask: Any) -> None:
    sim = Sim(1)
    sim.agent("critic", system="*critic*", allow_unused=True)
    sim.agent("clerk", reply=["one", "two"], allow_unused=True)
    sim.fault("overloaded", agent="critic", allow_unmet=True)
    sim.run(ask)
    sim.check()


def test_what_one_of_several_runs_needs_is_needed(ask: Any) -> None:
    async def program(system: str) -> None:
        await ask(system=system)

    sim = Sim(1)
    sim.agent("critic", system="*critic*")
    sim.agent("clerk", system="*clerk*")
    sim.run(program, "a critic")
    sim.run(program, "a clerk")
    sim.check()


def test_test_that_ran_nothing_tested_nothing() -> None:
    with pytest.raises(HarnessError, match="nothing was run, so nothing was tested"):
        Sim(1).check()


# -- scenario files ---------------------------------------------------------------------------------------------------

SCENARIO = """
scenario: trip
target: json:dumps
workload: {tasks: 1, arrivals: {at_s: [0]}}
providers:
  anthropic: {concurrency: 1}
models:
  deep: {provider: anthropic, name: claude-sonnet-5, latency: {ttft_s: 3}, prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}
agents:
  planner: {match: {system: "*planner*"}, output_tokens: 100}
faults:
  - {overloaded: {agent: planner, call: 2}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "trip.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file


def test_scenario_file_says_who_is_there(ask: Any, scenario: Path) -> None:
    async def program() -> str:
        first: str = await ask(system="You are a planner.")
        with pytest.raises(anthropic.OverloadedError):
            await ask(system="You are a planner.")
        return first

    sim = Sim(1)
    sim.use_scenario(scenario)
    run = sim.run(program)
    assert run.output == "planner has done its part"
    assert run.calls("planner")[0].latency_s == 3.0
    assert run.calls("planner")[0].model == "deep"
    assert run.output_tokens == 100
    sim.check()


def test_stub_functions_of_a_scenario_are_those_beside_it_and_new_in_each_run(
    ask: Any, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        folder.joinpath("answers.py").write_text(
            "said = []\n"
            "def reply(request):\n"
            "    import words\n"
            "    said.append(1)\n"
            "    return f'{words.NAME} {len(said)}'\n"
        )
        folder.joinpath("words.py").write_text(f"NAME = '{name}'\n")
        text = SCENARIO.replace("output_tokens: 100", "stub: 'answers:reply'")
        assert "answers:reply" in text
        folder.joinpath("team.yaml").write_text(text, encoding="utf-8")

    async def program() -> list[str]:
        return [await ask(n, system="You are a planner.") for n in "ab"]

    before = sys.path[:]
    for name in ("one", "two"):
        sim = Sim(1)
        sim.use_scenario(tmp_path / name / "team.yaml")
        sim._faults.clear()
        outputs = [sim.run(program).output for _ in range(2)]
        assert outputs == [[f"{name} 1", f"{name} 2"]] * 2
    assert ({"answers", "words"} & set(sys.modules), sys.path) == (set(), before)


def test_provider_that_is_described_again_keeps_the_models_of_the_file(
    ask: Any, scenario: Path
) -> None:
    sim = Sim(1)
    sim.use_scenario(scenario)
    sim.provider("anthropic", concurrency=5)
    run = sim.run(ask, system="You are a planner.")
    assert (run.latency_s, run.calls()[0].model) == (3.0, "deep")


def test_every_conversation_with_tools_gets_the_next_of_the_replies_in_order() -> None:
    async def conversation(client: Any, question: str) -> str:
        asked: Any = {"role": "user", "content": question}
        tools: Any = [{"name": "look", "input_schema": {"type": "object"}}]
        create = partial(
            client.messages.create, model="claude-haiku-4-5", max_tokens=100, tools=tools
        )
        wish = (await create(messages=[asked])).content
        seen = {"type": "tool_result", "tool_use_id": wish[0].id, "content": "seen"}
        told = [{"role": "assistant", "content": wish}, {"role": "user", "content": [seen]}]
        said: str = (await create(messages=[asked, *told])).content[0].text
        return said

    async def program() -> list[str]:
        client = anthropic.AsyncAnthropic()
        return [await conversation(client, question) for question in ("north?", "south?")]

    sim = Sim(1)
    sim.agent("a", tool_calls=[("look", {"at": 1})], reply=["a river", "a castle"])
    sim.fault("overloaded", call=4, attempt=1)  # a retry is told what its call was told
    for _ in range(2):
        assert sim.run(program).output == ["a river", "a castle"]
    sim.check()


def test_tool_calls_beside_a_model_of_ones_own_are_refused() -> None:
    class Echo:
        async def reply(self, request: Request) -> Reply:
            return Reply(request.prompt)

    with pytest.raises(HarnessError, match="tool_calls"):
        Sim(1).agent("echo", reply=Echo(), tool_calls=[("look", {})])


async def test_fault_that_comes_after_the_first_call_is_refused(sim: Sim, ask: Any) -> None:
    await ask()
    with pytest.raises(HarnessError, match="has connected already"):
        sim.fault("overloaded")


def test_tool_calls_come_first_and_the_reply_after_their_results() -> None:
    async def program() -> list[str]:
        client = anthropic.AsyncAnthropic()
        messages: list[Any] = [{"role": "user", "content": "go"}]
        tools: Any = [{"name": "look", "input_schema": {"type": "object"}}]
        kinds: list[str] = []
        for _ in range(2):
            said = await client.messages.create(
                model="claude-haiku-4-5", max_tokens=100, messages=messages, tools=tools
            )
            kinds += [block.type for block in said.content]
            messages += [
                {"role": "assistant", "content": said.content},
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": block.id, "content": "seen"}
                        for block in said.content
                        if block.type == "tool_use"
                    ],
                },
            ]
        return kinds

    sim = Sim(1)
    sim.agent("a", tool_calls=[("look", {"at": 1}), ToolCall("look", {"at": 2})], reply="so")
    assert sim.run(program).output == ["tool_use", "tool_use", "text"]


def test_tool_is_an_async_function_to_whoever_asks() -> None:
    assert inspect.iscoroutinefunction(Sim(1).tool("search"))
