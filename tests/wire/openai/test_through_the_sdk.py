"""OpenAI's own SDK, unchanged, at the simulated wire."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from pydantic import BaseModel

from harness.chance.distributions import Constant
from harness.errors import NotSimulated
from harness.faults import FAULTS
from harness.models import Reply, Request, ToolCall
from harness.models.replies import AnyReply, Replies
from harness.provider import Latency, Limits, ProviderSettings
from harness.run.program_world import ProgramWorld, WireProvider
from harness.virtual.world import run_program
from harness.wire import SEAMS, connected
from harness.wire.routing import AgentRule
from tests.wire.sdk_versions import since

openai = pytest.importorskip("openai")

Program = Callable[[Any], Coroutine[Any, Any, Any]]

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
HAS_RESPONSES = since("openai", 2, "has no Responses")
BOTH = pytest.mark.parametrize("api", ["chat", pytest.param("responses", marks=HAS_RESPONSES)])

FLAT_WEATHER = {"type": "function", "strict": False, **WEATHER["function"]}  # type: ignore[dict-item]


class World:
    """One agent, and OpenAI, where the first token takes a second and each token a tenth."""

    def __init__(self, reply: AnyReply, *wishes: ToolCall) -> None:
        self.content = Replies("guide", reply, tool_calls=wishes)
        self.limits: Limits | None = None
        self.faults: list[Any] = []
        self.output_tokens: int | None = None
        self.latency_s = 0.0
        self.kinds: list[object] = []
        """Of all spans."""

    def fault(self, name: str, **fields: object) -> None:
        self.faults.append(FAULTS[name](**fields))  # type: ignore[arg-type]

    def run(self, program: Program, **settings: object) -> Any:  # noqa: ANN401 - the program's
        """Run a program with a client of its own."""

        async def whole() -> object:
            async with openai.AsyncOpenAI(api_key="sk-test", **settings) as client:
                return await program(client)

        world = self._world()
        try:
            with connected(world, SEAMS):
                return run_program(world.kernel, whole, seed=1)
        finally:
            self.latency_s = world.kernel.now_s()
            self.kinds = [kind for (kind,) in world.log.spans.rows("kind")]
            world.end()

    def _world(self) -> ProgramWorld:
        latency = Latency(ttft_s=Constant(1.0), itl_s=Constant(0.1))
        provider = WireProvider(
            name="openai",
            api="openai",
            hosts=frozenset({"api.openai.com"}),
            latency=latency,
            settings=ProviderSettings(limits=self.limits),
        )
        size = None if self.output_tokens is None else Constant(float(self.output_tokens))
        role = AgentRule(name="guide", content=self.content, output_tokens=size)
        return ProgramWorld(1, providers={"openai": provider}, roles=[role], faults=self.faults)


def ask(client: Any, **more: object) -> Any:  # noqa: ANN401 - the SDK's
    messages = [
        {"role": "system", "content": "You are a guide."},
        {"role": "user", "content": "Where to?"},
    ]
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": messages} | more)


def helpers(client: Any) -> Any:  # noqa: ANN401 - the SDK's
    """What streams and parses chats; it was a beta once."""
    return getattr(client.beta, "chat", client.chat).completions


def test_a_chat_is_answered_after_its_latency() -> None:
    world = World("To Bern.")
    world.output_tokens = 4
    completion = world.run(ask)
    assert completion.choices[0].message.content == "To Bern."
    assert completion.usage.completion_tokens == 4
    assert completion.model == "gpt-4o-2024-08-06"
    assert completion._request_id.startswith("req_")
    assert world.latency_s == 1.4
    assert completion.created == 1_767_225_600


def test_a_chat_can_be_streamed() -> None:
    world = World("To Bern, by train.")
    world.output_tokens = 6

    async def program(client: Any) -> tuple[str, Any]:  # noqa: ANN401 - the SDK's
        said, usage = "", None
        stream = await ask(client, stream=True, stream_options={"include_usage": True})
        async for chunk in stream:
            said += "".join(choice.delta.content or "" for choice in chunk.choices)
            usage = chunk.usage
        return said, usage

    said, usage = world.run(program)
    assert said == "To Bern, by train."
    assert usage.completion_tokens == 6


def test_the_sdk_puts_a_streamed_tool_call_together() -> None:
    world = World([ToolCall("weather", {"city": "San Francisco"})])
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}  # fmt: skip
    strict = {"type": "function", "function": {"name": "weather", "parameters": schema, "strict": True}}  # fmt: skip

    async def program(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        messages = [{"role": "user", "content": "hi"}]
        async with helpers(client).stream(
            model="gpt-4o", messages=messages, tools=[strict]
        ) as stream:
            return await stream.get_final_completion()

    (call,) = world.run(program).choices[0].message.tool_calls
    assert call.function.name == "weather"
    assert call.function.arguments == '{"city":"San Francisco"}'


def test_tools_are_called_and_their_results_brought() -> None:
    def says(request: Request) -> str:
        (result,) = request.tool_results
        return f"It is {result.text}, says the {result.tool}."

    world = World(says, ToolCall("weather", {"city": "Bern"}))

    async def program(client: Any) -> str:  # noqa: ANN401 - the SDK's
        messages: list[Any] = [{"role": "user", "content": "Weather?"}]
        first = await ask(client, messages=messages, tools=[WEATHER])
        message = first.choices[0].message
        messages.append(message)
        messages += (
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
            for call in message.tool_calls
        )
        second = await ask(client, messages=messages, tools=[WEATHER])
        return str(second.choices[0].message.content)

    assert world.run(program) == "It is sunny, says the weather."
    assert world.kinds.count("tool") == 1


class Route(BaseModel):
    """What a structured reply is parsed into."""

    stops: list[str]


@BOTH
def test_a_structured_reply_is_parsed(api: str) -> None:
    def keeps_the_schema(request: Request) -> Any:  # noqa: ANN401 - JSON
        assert request.wanted is not None
        assert list(request.wanted["properties"]) == ["stops"]
        return {"stops": ["Bern", "Thun"]}

    world = World(keeps_the_schema)

    async def chat(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        messages = [{"role": "user", "content": "A route, please."}]
        completion = await helpers(client).parse(
            model="gpt-4o", messages=messages, response_format=Route
        )
        return completion.choices[0].message.parsed

    async def response(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        answer = await client.responses.parse(model="gpt-4o", input="hi", text_format=Route)
        return answer.output_parsed

    program = {"chat": chat, "responses": response}[api]
    assert world.run(program) == Route(stops=["Bern", "Thun"])


@HAS_RESPONSES
def test_a_response_is_answered_and_continued() -> None:
    world = World(lambda call: f"{len(call.conversation)} so far")

    async def program(client: Any) -> list[str]:  # noqa: ANN401 - the SDK's
        first = await client.responses.create(model="gpt-4o", input="hi", instructions="A guide.")
        second = await client.responses.create(
            model="gpt-4o", input="more", previous_response_id=first.id
        )
        again = await client.responses.retrieve(second.id)
        await client.responses.delete(second.id)
        assert again.output == second.output
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(second.id)
        return [first.output_text, second.output_text]

    assert world.run(program) == ["1 so far", "3 so far"]


@HAS_RESPONSES
def test_a_response_can_be_streamed() -> None:
    reply = Reply("To Bern.", (ToolCall("weather", {"x": 1}),), thinking="Hm")
    world = World(lambda request: reply)

    async def program(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        async with client.responses.stream(
            model="gpt-5", input="hi", tools=[FLAT_WEATHER], reasoning={"summary": "auto"}
        ) as stream:
            deltas = [event.delta async for event in stream if hasattr(event, "delta")]
            return "".join(deltas), await stream.get_final_response()

    deltas, response = world.run(program)
    assert deltas == 'HmTo Bern.{"x":1}'
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output_text == "To Bern."


def test_texts_are_embedded() -> None:
    world = World("unused")

    async def program(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        return await client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])

    assert [len(row.embedding) for row in world.run(program).data] == [1536, 1536]


def test_models_are_listed() -> None:
    world = World("unused")

    async def program(client: Any) -> list[str]:  # noqa: ANN401 - the SDK's
        return [model.id async for model in client.models.list()]

    assert "gpt-4o" in world.run(program)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": 400}, "BadRequestError"),
        ({"status": 401}, "AuthenticationError"),
        ({"status": 429}, "RateLimitError"),
        ({"status": 500}, "InternalServerError"),
        ({"status": 529}, "InternalServerError"),
    ],
)
def test_errors_are_the_sdks_own(fields: dict[str, Any], error: str) -> None:
    world = World("Hello.")
    world.fault("status", **fields)
    with pytest.raises(getattr(openai, error)) as raised:
        world.run(ask, max_retries=0)
    assert raised.value.request_id.startswith("req_")
    assert raised.value.status_code == (503 if fields["status"] == 529 else fields["status"])


def test_a_wrong_request_is_an_error_of_the_sdk() -> None:
    world = World("unused")

    async def program(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        return await ask(client, model="no-such-model")

    with pytest.raises(openai.NotFoundError) as raised:
        world.run(program)
    assert raised.value.code == "model_not_found"


def test_the_sdk_retries_when_it_is_told_to() -> None:
    world = World("Hello.")
    world.output_tokens = 1
    world.fault("status", status=429, attempt=1, retry_after_s=7)
    assert world.run(ask).choices[0].message.content == "Hello."
    assert 7.0 + 1.1 <= world.latency_s < 7.0 + 1.1 + 0.2


def test_a_rate_limit_is_told_in_full() -> None:
    world = World("Hello.")
    world.limits = Limits(requests_per_min=1)

    async def program(client: Any) -> None:  # noqa: ANN401 - the SDK's
        await ask(client)
        await ask(client)

    with pytest.raises(openai.RateLimitError) as raised:
        world.run(program, max_retries=0)
    assert raised.value.code == "rate_limit_exceeded"
    assert "Rate limit reached for gpt-4o in organization" in raised.value.message
    assert "requests per min (RPM): Limit 1, Used 1, Requested 1." in raised.value.message
    assert raised.value.response.headers["retry-after"] == "59"


@BOTH
def test_an_error_in_a_stream_is_an_error_of_the_sdk(api: str) -> None:
    world = World("A long way to go, all the way to Bern.")
    world.fault("error_event")

    async def program(client: Any) -> None:  # noqa: ANN401 - the SDK's
        if api == "chat":
            stream = await ask(client, stream=True)
        else:
            stream = await client.responses.create(model="gpt-4o", input="hi", stream=True)
        async for _ in stream:
            pass

    with pytest.raises(openai.APIError, match="overloaded"):
        world.run(program)


def test_the_same_seed_gives_the_same_answer() -> None:
    world = World("To Bern.")
    first = world.run(ask)
    assert world.run(ask) == first


@HAS_RESPONSES
def test_what_is_not_simulated_ends_the_run_loudly() -> None:
    world = World("unused")

    async def program(client: Any) -> Any:  # noqa: ANN401 - the SDK's
        return await client.responses.create(model="gpt-4o", prompt={"id": "pmpt_1"})

    with pytest.raises(NotSimulated, match="prompt"):
        world.run(program)
