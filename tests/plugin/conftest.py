"""A project of somebody else: a program with the real SDK, and tests of it that use the plugin."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anthropic
import httpx
import openai
import pytest

from harness.sim import Sim
from harness.sim.persist import keep

APP = """
import asyncio

import anthropic


async def ask(text, system="", **settings):
    client = anthropic.AsyncAnthropic(**settings)
    more = {"system": system} if system else {}
    message = await client.messages.create(
        model="claude-sonnet-5", max_tokens=100, messages=[{"role": "user", "content": text}], **more
    )
    return message.content[0].text


async def trip():
    plan = await ask("a trip", system="You are a planner.")
    return await asyncio.gather(
        *(ask(f"{part} of {plan}", system="You are a guide.", max_retries=0) for part in "ab")
    )
"""
INI = """
[pytest]
addopts = -p no:cacheprovider
asyncio_default_fixture_loop_scope = function
"""


async def _call_everybody() -> None:
    messages: list[Any] = [{"role": "user", "content": "hi"}]
    for http in (None, anthropic.DefaultAioHttpClient()):
        async with anthropic.AsyncAnthropic(http_client=http) as client:
            await client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=messages)
    await openai.AsyncOpenAI().chat.completions.create(model="gpt-5.5", messages=messages)
    async with httpx.AsyncClient() as other:
        await other.get("https://api.openai.com/")


@pytest.fixture(scope="session")
def warm() -> None:
    """Have everything imported that a run imports: pytester takes away what a project imports for the first time."""
    simulation = Sim(1)
    run = simulation.run(_call_everybody)
    assert run.explain()
    for module in (
        "harness.virtual.outside",
        "harness.sim.async_tests",
        "harness.sim.short_report",
    ):
        importlib.import_module(module)
    with TemporaryDirectory() as folder:
        keep(simulation, Path(folder, "store.duckdb"), "warm")


@pytest.fixture
def project(
    warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """`project(tests, *options)` runs tests of that program, in this process."""
    for name in ("CI", "BUILD_NUMBER"):  # with either, pytest writes longer summaries
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(app=APP)
    pytester.makeini(INI)

    def run(tests: str, *options: str) -> pytest.RunResult:
        head = "import asyncio\nimport pytest\nfrom app import ask, trip\n\n"
        pytester.makepyfile(test_it=head + tests)
        return pytester.runpytest_inprocess("-p", "no:hypothesispytest", *options)

    return run
