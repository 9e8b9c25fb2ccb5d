"""The report of a failed test for other kinds of errors: groups, causes, timeouts, requests that the API rejects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]


def test_error_in_a_group_is_the_verdict_and_its_traceback_is_cut(project: Project) -> None:
    tests = """
async def many():
    async with asyncio.TaskGroup() as group:
        for n in range(30):
            group.create_task(ask(f"text {n}", max_retries=1))

def test_it(sim):
    sim.provider("anthropic", requests_per_min=6)
    sim.run(many)
"""
    result = project(tests)
    result.stdout.fnmatch_lines(
        [
            "RateLimitError: * attempts refused (limit 6 requests a minute); the SDK gave up after 1 retry",
            "*calls of claude-sonnet-5 -> each 2 attempts: rate_limit_error (429, requests a minute)",
            "*ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
            "*in ask",
        ]
    )
    result.stdout.no_fnmatch_line("*site-packages*")
    assert len(result.outlines) < 45


def test_error_of_the_program_is_told_with_the_call_behind_it(project: Project) -> None:
    tests = """
class NoPlan(Exception):
    pass

async def plan():
    try:
        return await ask("a trip", max_retries=0)
    except Exception as error:
        raise NoPlan("there is no plan") from error

def test_it(sim):
    sim.fault("overloaded")
    sim.run(plan)
"""
    project(tests).stdout.fnmatch_lines(
        [
            "NoPlan: there is no plan",
            "  caused by OverloadedError: call 1 of claude-sonnet-5: overloaded_error (529) [[]injected fault: overloaded]",
            "... 4 frames in anthropic",
            "E*NoPlan: there is no plan",
        ]
    )


@pytest.mark.parametrize("client", ["AsyncAnthropic", "Anthropic"])
def test_timeout_of_the_client_is_told_for_each_attempt(project: Project, client: str) -> None:
    wait = "await " if client == "AsyncAnthropic" else ""
    tests = f"""
import anthropic

{"async " if wait else ""}def slow():
    client = anthropic.{client}(timeout=5, max_retries=1)
    messages = [{{"role": "user", "content": "hi"}}]
    {wait}client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=messages)

def test_it(sim):
    sim.fault("hang")
    sim.run(slow)
"""
    project(tests).stdout.fnmatch_lines(
        [
            "APITimeoutError: call 1 of claude-sonnet-5: 2 attempts: no answer for 5 s, the client's timeout [[]injected fault: hang]",
            "*call 1 of claude-sonnet-5: 'hi' -> 2 attempts: no answer for 5 s, the client's timeout [[]injected fault: hang]",
        ]
    )


def test_timeout_of_the_program_names_the_call_that_was_open(project: Project) -> None:
    tests = """
async def impatient():
    async with asyncio.timeout(3):
        await ask("a trip")

def test_it(sim):
    sim.fault("hang")
    sim.run(impatient)
"""
    project(tests).stdout.fnmatch_lines(
        [
            "TimeoutError: call 1 of claude-sonnet-5: no reply yet, 3 s after it was sent, when the run failed [[]injected fault: hang]"
        ]
    )


def test_request_that_the_api_rejects_is_in_the_timeline(project: Project) -> None:
    tests = """
import anthropic

async def wrong():
    messages = [{"role": "wizard", "content": "hi"}]
    await anthropic.AsyncAnthropic().messages.create(
        model="claude-sonnet-5", max_tokens=9, messages=messages
    )

def test_it(sim):
    sim.run(wrong)
"""
    project(tests).stdout.fnmatch_lines(
        [
            "BadRequestError: *Input should be 'user' or 'assistant'*",
            "  0.000 -> 0.050  request rejected by the API: 400 /v1/messages",
        ]
    )


def test_call_that_failed_before_is_not_blamed_for_a_later_error(project: Project) -> None:
    tests = """
import json

async def parse():
    try:
        await ask("a trip", max_retries=0)
    except Exception:
        pass
    return json.loads(await ask("a plan"))

def test_it(sim):
    sim.fault("overloaded", call=1)
    sim.run(parse)
"""
    project(tests).stdout.fnmatch_lines(["JSONDecodeError: Expecting value: *"])


def test_long_lists_of_lost_replies_are_cut_with_a_count(project: Project) -> None:
    tests = """
async def wasteful():
    await asyncio.gather(*(ask(f"part {n}") for n in range(20)))

def test_it(sim):
    sim.run(wasteful).assert_no_lost_results()
"""
    result = project(tests)
    result.stdout.fnmatch_lines(["  ... and 14 more"])
    assert len(result.outlines) < 45


def test_whole_traceback_is_there_for_those_who_ask(project: Project) -> None:
    tests = """
def test_it(sim):
    sim.fault("overloaded")
    sim.run(ask("a trip", max_retries=0))
"""
    whole = project(tests, "--full-trace")
    whole.stdout.fnmatch_lines(["OverloadedError: call 1 of *", "*site-packages*"])
    project(tests).stdout.no_fnmatch_line("*site-packages*")


def test_captured_output_of_the_program_stays(project: Project) -> None:
    tests = """
def test_it(sim):
    sim.run(ask("a trip"))
    print("the last word")
    assert False
"""
    project(tests).stdout.fnmatch_lines(
        ["AssertionError: assert False", "*Captured stdout call*", "the last word"]
    )
