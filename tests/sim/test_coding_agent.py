"""A coding agent as its author writes it: its tool runs commands, and a test says what they do."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from harness.errors import NotSimulated
from harness.models import ToolCall
from harness.sim import Sim

anthropic = pytest.importorskip("anthropic")

SHELL = {
    "name": "shell",
    "description": "Run a command.",
    "input_schema": {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
    },
}


def shell(command: str) -> str:
    try:
        done = subprocess.run(
            command, shell=True, capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return "timed out after 60 s"
    except Exception as error:  # noqa: BLE001 - a model is told of every error
        return f"error: {error}"
    return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


async def fix(task: str, retries: int = 2) -> str:
    client = anthropic.AsyncAnthropic(max_retries=retries)
    messages: list[Any] = [{"role": "user", "content": task}]
    while True:
        reply = await client.messages.create(
            model="claude-sonnet-4-6", max_tokens=1000, tools=[SHELL], messages=messages
        )
        calls = [block for block in reply.content if block.type == "tool_use"]
        if not calls:
            text: str = reply.content[0].text
            return text
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": shell(call.input["command"])}
            for call in calls
        ]
        messages += [
            {"role": "assistant", "content": reply.content},
            {"role": "user", "content": results},
        ]


def says(*commands: str) -> list[Any]:
    return [*(ToolCall("shell", {"command": command}) for command in commands), "done"]


def test_fix_is_pushed_after_the_tests_pass(sim: Sim) -> None:
    sim.agent("coder", reply=says("pytest -q", "pytest -q", "git push origin fix"), latency_s=1)
    tests = sim.process(
        "pytest*",
        stdout=lambda command: "1 failed" if command.number == 1 else "2 passed",
        returncode=lambda command: 1 if command.number == 1 else 0,
        latency_s=20,
    )
    push = sim.process("git push*", stdout="ok", latency_s=2)

    run = sim.run(fix, "mend it")

    assert run.output == "done"
    assert [call.prompt for call in run.calls("coder")] == [
        "mend it",
        "exit code 1\n1 failed",
        "exit code 0\n2 passed",
        "exit code 0\nok",
    ]
    assert [len(tests.uses), len(push.uses)] == [2, 1]
    assert run.latency_s == 4 * 1 + 2 * 20 + 2


def test_command_that_hangs_is_cut_off_after_a_minute(sim: Sim) -> None:
    sim.agent("coder", reply=says("npm install"), latency_s=1)
    sim.process("npm *", latency_s=3600)
    run = sim.run(fix, "mend it")
    assert run.calls("coder")[1].prompt == "timed out after 60 s"
    assert run.latency_s == 62.0


def test_command_that_nobody_thought_of_fails_the_test_although_the_tool_reports_it() -> None:
    sim = Sim(1)
    sim.agent("coder", reply=says("rm -rf /"))
    sim.process("pytest*")
    with pytest.raises(NotSimulated, match="the command `rm -rf /`"):
        sim.run(fix, "mend it")


def test_coding_agent_survives_faults_of_its_model(sim: Sim) -> None:
    sim.agent("coder", reply=says("git push origin fix"), latency_s=1)
    push = sim.process("git push*", latency_s=2)
    sim.run(fix, "mend it").assert_survives("overloaded", call=1, attempt=1)
    assert len(push.uses) == 1


def test_command_that_is_run_again_under_a_fault_is_told(sim: Sim) -> None:
    async def fix_or_begin_again(task: str) -> str:
        try:
            return await fix(task, retries=0)
        except anthropic.APIError:
            return await fix(task, retries=0)

    push = ToolCall("shell", {"command": "git push origin fix"})
    sim.agent("coder", reply=lambda call: "done" if call.tool_results else push)
    sim.process("git push*")
    run = sim.run(fix_or_begin_again, "mend it")
    with pytest.raises(AssertionError, match=r"git push origin fix.* was done twice"):
        run.assert_survives("overloaded", call=2)
