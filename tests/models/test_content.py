"""The one way to content; and what a new kind of it takes, on both arms."""

from __future__ import annotations

import asyncio

import pytest

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.errors import HarnessError, StubError
from harness.kernel import Kernel
from harness.models import (
    AttemptSpan,
    Backend,
    PythonStub,
    Reply,
    Request,
    Script,
    ServedModel,
    Stub,
    ToolCall,
    content_of,
)
from harness.models.plausible import Plausible
from harness.models.replies import Replies
from harness.models.stub import Line
from harness.provider import Latency, Provider, Served
from harness.sim import Sim
from harness.spans import Span, SpanLog
from harness.virtual.aside import Aside
from harness.virtual.world import run_program
from tests.sim.conftest import ask_claude


class Late:
    """The whole of a content that replies after two seconds: one file, four lines."""

    async def reply(self, request: Request) -> Reply:
        await asyncio.sleep(2)
        return Reply(f"late to {request.prompt}")


def test_content_that_replies_after_two_seconds_serves_a_pattern() -> None:
    kernel = Kernel()
    log = SpanLog(kernel.now_s)
    backend = Backend(
        log=log,
        draws=Draws(1),
        content=content_of("a", Late()),
        aside=Aside(kernel),
        provider=Provider(kernel.env, Draws(1), "p"),
        served=Served("m", "m", Latency(ttft_s=Constant(1.0), itl_s=Constant(0.0)), None),
    )

    async def ask() -> tuple[str, Span]:
        request = Request("a", "m", "hi", 1, "1/a/1", 1, 1, log.open_task("task", 1))
        with AttemptSpan(log, request) as span:
            reply = await ServedModel(backend).reply(request)
        return reply.text, span

    text, span = run_program(kernel, ask, seed=1)
    assert text == "late to hi"
    assert (span.start_s, span.first_token_s, span.end_s) == (0.0, 3.0, 3.0)


def test_content_that_replies_after_two_seconds_serves_the_wire() -> None:
    sim = Sim(1)
    sim.agent("a", reply=Late(), latency_s=1.0)
    run = sim.run(ask_claude)
    assert (run.output, run.latency_s) == ("late to hi", 3.0)


def test_everything_that_may_be_stated_becomes_content() -> None:
    script = Script(agent="a", lines=(Line(reply=Reply("x"), place="s.yaml:1"),), in_order=True)
    function = PythonStub(lambda _: "x", "m:f")
    assert isinstance(content_of("a"), Plausible)
    assert isinstance(content_of("a", script), Stub)
    assert content_of("a", function) is function
    for said in ("x", ["x", "y"], {"x": 1}, ToolCall("t", {}), Reply("x"), lambda _: "x"):
        assert isinstance(content_of("a", said), Replies)


def test_what_no_agent_could_say_is_refused() -> None:
    with pytest.raises(StubError, match="'a': expected a reply"):
        content_of("a", 5)  # type: ignore[arg-type]
    with pytest.raises(StubError, match="'a': expected a reply"):
        content_of("a", Reply("x", output_tokens=-1))
    with pytest.raises(HarnessError, match="tool_calls"):
        content_of("a", Late(), tool_calls=[ToolCall("t", {})])
