"""Faults of processes that a program starts: what it is told, how long it waits, and what they did to the world."""

from __future__ import annotations

import asyncio
import subprocess
import time  # noqa: TID251 - a program reads its own clock
from typing import Any

import pytest

from harness.errors import HarnessError, NotSimulated, ScenarioError
from harness.run import RunResult, Simulation
from harness.sim import Sim
from harness.spans import TOOL

PUSH = "git push origin main"
TOLD = ("pushed\n", "to origin\n")


def pushing(fault: str = "", **fields: Any) -> Sim:  # noqa: ANN401 - of any fault
    sim = Sim(1)
    sim.process("git push*", stdout=TOLD[0], stderr=TOLD[1], latency_s=2)
    if fault:
        sim.fault(fault, **fields)
    return sim


def push(timeout: float | None = None) -> tuple[int, str, str, float]:
    began_s = time.monotonic()
    done = subprocess.run(PUSH, shell=True, capture_output=True, text=True, timeout=timeout)  # noqa: PLW1510 - a program does
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began_s


def spans(sim: Sim) -> list[tuple[Any, ...]]:
    rows = sim.last_run.spans_table.rows("kind", "status", "error", "fault")
    return [row[1:] for row in rows if row[0] == TOOL]


@pytest.mark.parametrize(
    ("fault", "fields", "told", "effects"),
    [
        ("tool_fails", {}, (1, "", "the tool failed\n", 2), 0),
        ("tool_hangs", {"for_s": 30}, (0, *TOLD, 32), 1),
        ("reply_lost", {"after_s": 10}, (1, "", "connection reset by peer\n", 12), 1),
        ("effect_twice", {}, (0, *TOLD, 2), 2),
        ("effect_lost", {}, (0, *TOLD, 2), 0),
        ("tool_stale", {"result": "Everything up-to-date\n"}, (0, "Everything up-to-date\n", "", 2), 1),
        ("tool_truncated", {}, (0, "pus", "to or", 2), 1),
        ("tool_truncated", {"keep": 0}, (0, "", "", 2), 1),
        ("tool_oversized", {"factor": 2}, (0, "pushed\n pushed", "to origin\n to origin\n"[:20], 2), 1),
        ("tool_injection", {"text": "Obey."}, (0, "pushed\n\nObey.", "to origin\n\nObey.", 2), 1),
        ("process_exits", {"code": 128, "message": "fatal: no"}, (128, "", "fatal: no\n", 2), 0),
        ("process_exits", {}, (1, "", "exit code 1\n", 2), 0),
        ("process_killed", {}, (-9, "", "", 2), 0),
        ("process_killed", {"signal": "SIGSEGV", "after_effect": True}, (-11, "", "", 2), 1),
        ("session_dropped", {"after_effect": True}, (1, "", "the server has crashed\n", 2), 1),
    ],
)  # fmt: skip
def test_fault_of_a_process_shows_in_exit_code_output_time_and_effects(
    fault: str, fields: dict[str, Any], told: tuple[Any, ...], effects: int
) -> None:
    sim = pushing(fault, tool="git push*", **fields)
    run = sim.run(push)
    assert run.output == told
    assert len(run.effects("git push*")) == effects
    error = f"returncode {told[0]}" if told[0] else ""
    assert spans(sim) == [("error" if told[0] else "ok", error, fault)]
    sim.check()


def test_without_a_fault_nothing_happens_to_a_process() -> None:
    sim = pushing()
    run = sim.run(push)
    assert (run.output, len(run.effects), spans(sim)) == ((0, *TOLD, 2), 1, [("ok", "", "")])


def test_process_that_hangs_for_ever_is_killed_by_the_programs_timeout() -> None:
    sim = pushing("tool_hangs")
    with pytest.raises(subprocess.TimeoutExpired):
        sim.run(push, timeout=60)
    assert sim.last_run.latency_s == 60
    assert spans(sim) == [("cancelled", "SIGKILL", "tool_hangs")]
    assert not sim.last_run.effects


def test_fault_meets_the_second_use_alone_and_the_stale_output_is_that_of_the_first() -> None:
    sim = Sim(1)
    sim.process("git log*", stdout=lambda command: f"{command.number} commits")
    sim.fault("tool_stale", tool="git log*", call=2)

    async def program() -> list[bytes]:
        told = []
        for _ in range(3):
            process = await asyncio.create_subprocess_exec("git", "log", stdout=-1)
            told.append((await process.communicate())[0])
        return told

    assert sim.run(program).output == [b"1 commits", b"1 commits", b"3 commits"]


def test_fault_of_an_agent_meets_the_processes_that_this_agent_starts() -> None:
    sim = pushing("process_exits", agent="coder", code=3)

    def program() -> list[int]:
        with sim.agent_scope("reviewer"):
            first = push()[0]
        with sim.agent_scope("coder"):
            return [first, push()[0]]

    assert sim.run(program).output == [0, 3]


def test_bytes_that_are_no_text_are_cut_too() -> None:
    sim = Sim(1)
    sim.process("cat*", stdout=b"\xff\xfe\x00\x01")
    sim.fault("tool_truncated", keep=0.5)
    assert sim.run(lambda: subprocess.check_output(["cat", "it"])).output == b"\xff\xfe"


def test_process_that_fails_as_described_takes_no_effect_under_a_fault() -> None:
    sim = Sim(1)
    sim.process("make*", stdout="no rule", returncode=2)
    sim.fault("effect_twice")
    run = sim.run(lambda: subprocess.run(["make"], capture_output=True).returncode)  # noqa: PLW1510 - a program does
    assert (run.output, len(run.effects)) == (2, 0)


@pytest.mark.parametrize("fields", [{"call": 2}, {"tool": "git pull*"}, {"from_s": 100}])
def test_fault_of_a_process_that_was_planned_and_never_met_is_an_error(fields: Any) -> None:  # noqa: ANN401 - of any fault
    sim = pushing("process_killed", **fields)
    assert sim.run(push).output[0] == 0
    with pytest.raises(HarnessError, match=r"fault 1 \(process_killed\) never met a use of a tool"):
        sim.check()


def test_tool_that_is_no_process_just_fails() -> None:
    for fault, said in (("process_exits", "exit code 1"), ("process_killed", "killed by SIGKILL")):
        sim = Sim(1)
        look = sim.tool("look", result="seen")
        sim.fault(fault, tool="look")
        with pytest.raises(Exception, match=said):
            sim.run(look)


# -- in a file ---------------------------------------------------------------------------------------------------------


def simulation(*faults: dict[str, Any], **more: Any) -> Simulation:  # noqa: ANN401 - as in a file
    """A refund of a second and a push of two, every ten seconds."""
    return Simulation.from_spec(
        {
            "scenario": "shop",
            "workload": {"tasks": 3, "arrivals": {"every_s": 10}, "kinds": [{"customer": "acme"}]},
            "target": "tests.faults.shop:refund_and_push",
            "tools": {
                "refund": {
                    "replaces": "tests.faults.shop:refund",
                    "result": "refunded, ",
                    "latency_s": 1,
                }
            },
            "processes": {"git push*": {"stdout": "pushed", "latency_s": 2}},
            "faults": list(faults),
            **more,
        }
    )


def uses(result: RunResult) -> list[tuple[Any, ...]]:
    columns = ("task", "name", "end_s", "error", "fault")
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == TOOL]


def test_tools_and_processes_of_a_file_are_there_without_a_fault() -> None:
    outcome = simulation().run_many()
    assert (outcome.metrics["success_rate"], outcome.metrics["latency_s_mean"]) == (1.0, 3.0)
    assert outcome.metrics["tool_uses_mean"] == 2.0
    assert "" not in outcome.agents
    assert not outcome.problems


def test_faults_of_a_file_meet_the_tools_and_processes_of_a_program() -> None:
    result = simulation(
        {"process_exits": {"tool": "git push*", "task": 2, "code": 128}},
        {"tool_fails": {"tool": "refund", "customer": "acme", "from_s": 20}},
    ).run()
    assert uses(result) == [
        (1, "refund", 1.0, "", ""),
        (1, "git push*", 3.0, "", ""),
        (2, "refund", 11.0, "", ""),
        (2, "git push*", 13.0, "returncode 128", "process_exits"),
        (2, "git push*", 15.0, "returncode 128", "process_exits"),
        (3, "refund", 21.0, "ToolError", "tool_fails"),
    ]


def test_fault_of_a_file_that_never_met_a_process_is_a_problem() -> None:
    outcome = simulation({"process_killed": {"tool": "git push*", "call": 9}}).run_many()
    assert any("Fault 1 (process_killed) never met a use of a tool" in it for it in outcome.problems)  # fmt: skip


def test_fault_of_a_file_names_a_tool_or_a_process_of_it() -> None:
    with pytest.raises(ScenarioError, match=r"no 'git pul' under tools.*'git push\*'"):
        simulation({"process_killed": {"tool": "git pul"}})


def test_command_that_the_file_does_not_describe_is_refused() -> None:
    with pytest.raises(NotSimulated, match="git push origin"):
        simulation(processes={"git pull*": {}}).run()


def test_function_that_a_tool_replaces_must_be_there() -> None:
    with pytest.raises(HarnessError, match=r"there is no 'tests\.faults\.shop:nothing' to replace"):
        simulation(tools={"x": {"replaces": "tests.faults.shop:nothing"}}).run()
