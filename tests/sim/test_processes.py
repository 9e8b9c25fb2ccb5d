"""Commands that a test describes: what a program sees of them, when, and what is said of those that nobody described."""

# ruff: noqa: ANN401 - whatever a program gives

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time  # noqa: TID251 - a program reads its own clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Deadlock, HarnessError, NotSimulated
from harness.sim import Sim
from harness.spans import CANCELLED, ERROR, OK, TOOL, as_json_lines
from harness.virtual.commands import Command

PUSH = ["git", "push", "origin", "main"]


@pytest.fixture
def shell() -> Sim:
    simulation = Sim(1)
    simulation.process("git push*", stdout="pushed\n", stderr="to origin\n", latency_s=2)
    simulation.process("cat*", stdout=lambda command: command.stdin, latency_s=1, allow_unused=True)
    simulation.process("sleep*", latency_s=100, allow_unused=True)
    simulation.process("false*", returncode=3, allow_unused=True)
    return simulation


def tools(shell: Sim) -> list[tuple[Any, ...]]:
    rows = shell.last_run.spans_table.rows("kind", "name", "arrival_s", "end_s", "status", "error")
    return [row[1:] for row in rows if row[0] == TOOL]


# -- subprocess -------------------------------------------------------------------------------------------------------


def test_run_gives_what_was_described_and_takes_virtual_time(shell: Sim) -> None:
    def program() -> Any:
        done = subprocess.run(PUSH, capture_output=True, text=True, check=True)
        return done.args, done.returncode, done.stdout, done.stderr, time.monotonic()

    assert shell.run(program).output == (PUSH, 0, "pushed\n", "to origin\n", 2.0)
    assert tools(shell) == [("git push*", 0.0, 2.0, OK, "")]


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lambda: subprocess.check_output(PUSH), b"pushed\n"),
        (lambda: subprocess.check_output("git push", shell=True, text=True), "pushed\n"),
        (lambda: subprocess.call(PUSH), 0),
        (lambda: subprocess.getoutput("git push"), "pushed\nto origin"),
        (lambda: subprocess.getstatusoutput("false"), (3, "")),
        (lambda: subprocess.check_output("cat", input=b"abc"), b"abc"),
        (lambda: subprocess.check_output("cat", input="\xe4\n", encoding="latin-1"), "\xe4\n"),
        (lambda: os.system("git push"), 0),
        (lambda: os.system("false") >> 8, 3),
        (lambda: os.popen("git push").read(), "pushed\n"),
        (lambda: os.popen("false").close(), 3 << 8),
        (
            lambda: subprocess.run(PUSH, check=True, stdout=-1, stderr=subprocess.STDOUT).stdout,
            b"pushed\nto origin\n",
        ),
        (lambda: subprocess.run(PUSH, capture_output=True, bufsize=0).stdout, b"pushed\n"),  # noqa: PLW1510 - likewise
        (lambda: subprocess.run(["/usr/bin/git", "push"], stdout=-1).stdout, b"pushed\n"),  # noqa: PLW1510 - likewise
        (lambda: subprocess.run([Path("cat"), b"-"], stdout=-1, input=b"x").stdout, b"x"),  # noqa: PLW1510 - likewise
    ],
)
def test_every_function_of_subprocess_and_os_finds_it(
    shell: Sim, call: Callable[[], Any], result: object
) -> None:
    assert shell.run(call).output == result


def test_return_code_that_is_not_0_is_an_error_to_those_who_check(shell: Sim) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        shell.run(subprocess.run, ["false"], check=True)
    assert caught.value.returncode == 3
    assert tools(shell) == [("false*", 0.0, 0.0, ERROR, "returncode 3")]


def test_timeout_expires_in_virtual_time(shell: Sim) -> None:
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        shell.run(subprocess.run, ["sleep", "100"], timeout=7, capture_output=True)
    assert caught.value.timeout == 7
    assert shell.last_run.latency_s == 7.0
    assert tools(shell) == [("sleep*", 0.0, 7.0, CANCELLED, "SIGKILL")]


def test_timeout_at_the_very_end_does_not_expire(shell: Sim) -> None:
    assert shell.run(subprocess.run, PUSH, timeout=2).output.returncode == 0


def test_popen_is_polled_waited_for_and_read(shell: Sim) -> None:
    def program() -> Any:
        process = subprocess.Popen(PUSH, stdout=subprocess.PIPE, text=True)
        seen = [process.poll()]
        time.sleep(1.5)
        seen.append(process.poll())
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.25)
        assert process.stdout is not None
        lines = list(process.stdout)
        return seen, time.monotonic(), lines, process.wait(), type(process)

    output = shell.run(program).output
    assert output == ([None, None], 2.0, ["pushed\n"], 0, subprocess.Popen)


def test_two_processes_run_side_by_side_and_a_sleep_after_them_is_whole(shell: Sim) -> None:
    def program() -> Any:
        with subprocess.Popen(PUSH), subprocess.Popen(PUSH):
            pass
        time.sleep(3)
        return time.monotonic()

    assert shell.run(program).output == 5.0


def test_what_is_written_to_it_line_by_line_is_its_input(shell: Sim) -> None:
    def program() -> Any:
        with subprocess.Popen(["cat"], stdin=-1, stdout=-1, text=True, bufsize=1) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            print("one", file=process.stdin)
            time.sleep(10)
            print("two", file=process.stdin)
            process.stdin.close()
            return process.stdout.read(), time.monotonic()

    assert shell.run(program).output == ("one\ntwo\n", 10.0)


def test_input_that_is_never_ended_is_a_deadlock_as_it_would_be(shell: Sim) -> None:
    def program() -> Any:
        return subprocess.Popen(["cat"], stdin=-1).wait()

    with pytest.raises(Deadlock):
        shell.run(program)


def test_output_of_one_is_input_of_another(shell: Sim) -> None:
    def program() -> Any:
        first = subprocess.Popen(PUSH, stdout=subprocess.PIPE)
        second = subprocess.Popen(["cat"], stdin=first.stdout, stdout=subprocess.PIPE)
        assert first.stdout is not None
        first.stdout.close()
        return second.communicate()[0], time.monotonic()

    assert shell.run(program).output == (b"pushed\n", 2.0)


def test_files_are_read_and_written(shell: Sim, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("hello")

    def program() -> None:
        with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as target:
            process = subprocess.Popen(["cat"], stdin=source, stdout=target)
        process.wait()

    shell.run(program)
    assert (tmp_path / "out").read_text() == "hello"


def test_output_that_nobody_takes_goes_where_the_program_writes(shell: Sim, capfd: Any) -> None:
    shell.run(subprocess.run, PUSH)
    assert capfd.readouterr() == ("pushed\n", "to origin\n")
    shell.run(subprocess.run, PUSH, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda process: process.terminate(), -signal.SIGTERM),
        (lambda process: process.kill(), -signal.SIGKILL),
        (lambda process: process.send_signal(signal.SIGINT), -signal.SIGINT),
        (lambda process: os.kill(process.pid, signal.SIGKILL), -signal.SIGKILL),
        (lambda process: os.killpg(os.getpgid(process.pid), signal.SIGTERM), -signal.SIGTERM),
    ],
)
def test_process_is_ended_by_a_signal(shell: Sim, end: Callable[..., None], code: int) -> None:
    def program() -> Any:
        process = subprocess.Popen(["sleep", "100"], start_new_session=True)
        time.sleep(1)
        end(process)
        process.terminate()  # does nothing to what has ended
        return process.wait(), time.monotonic()

    assert shell.run(program).output == (code, 1.0)


def test_signals_that_end_nothing_end_nothing(shell: Sim) -> None:
    def program() -> Any:
        process = subprocess.Popen(PUSH)
        process.send_signal(signal.SIGCONT)
        os.kill(process.pid, 0)
        code = process.wait()
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
        return code

    assert shell.run(program).output == 0


def test_other_tasks_go_on_while_a_process_is_waited_for_in_small_steps(shell: Sim) -> None:
    async def program() -> Any:
        process = subprocess.Popen(PUSH)  # noqa: ASYNC220 - as programs do
        polls = 0
        while process.poll() is None:
            await asyncio.sleep(0.5)
            polls += 1
        return polls, process.returncode

    assert shell.run(program).output == (4, 0)


def test_process_without_latency_may_be_run_in_a_thread(shell: Sim) -> None:
    shell.process("now", stdout="done")

    async def program() -> Any:
        return await asyncio.to_thread(subprocess.check_output, ["now"])

    assert shell.run(program).output == b"done"


def test_large_output_is_whole(shell: Sim) -> None:
    text = "x" * 1_000_000 + "\n"
    shell.process("big", stdout=text)

    async def program() -> Any:
        process = await asyncio.create_subprocess_exec("big", stdout=subprocess.PIPE)
        return (await process.communicate())[0]

    assert shell.run(subprocess.check_output, ["big"]).output == text.encode()
    assert shell.run(program).output == text.encode()


# -- asyncio ----------------------------------------------------------------------------------------------------------


def test_asyncio_runs_it_beside_other_tasks(shell: Sim) -> None:
    async def push() -> Any:
        process = await asyncio.create_subprocess_exec(*PUSH, stdout=-1, stderr=-1)
        return await process.communicate(), process.returncode

    async def program() -> Any:
        return await asyncio.gather(push(), push()), time.monotonic()

    pushed = ((b"pushed\n", b"to origin\n"), 0)
    assert shell.run(program).output == ([pushed, pushed], 2.0)


def test_shell_streams_and_waits(shell: Sim) -> None:
    async def program() -> Any:
        process = await asyncio.create_subprocess_shell("cat | sort", stdin=-1, stdout=-1)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"one\ntwo\n")
        await process.stdin.drain()
        process.stdin.close()
        lines = [line async for line in process.stdout]
        return lines, await process.wait(), time.monotonic()

    assert shell.run(program).output == ([b"one\n", b"two\n"], 0, 1.0)


def test_asyncio_kills_what_takes_too_long(shell: Sim) -> None:
    async def program() -> Any:
        process = await asyncio.create_subprocess_exec("sleep", "100", stdin=-1, stdout=-1)
        try:
            await asyncio.wait_for(process.communicate(), timeout=5)
        except TimeoutError:
            process.kill()
        return await process.wait(), time.monotonic()

    assert shell.run(program).output == (-signal.SIGKILL, 5.0)
    assert tools(shell) == [("sleep*", 0.0, 5.0, CANCELLED, "SIGKILL")]


def test_command_that_nobody_described_is_refused_in_asyncio(shell: Sim) -> None:
    async def program() -> Any:
        await asyncio.create_subprocess_exec("date")

    with pytest.raises(NotSimulated) as caught:
        shell.run(program)
    assert caught.value.what == "the command `date`"


def test_process_that_still_runs_at_the_end_is_cut_off(shell: Sim) -> None:
    def program() -> None:
        subprocess.Popen(["sleep", "100"])

    shell.run(program)
    assert tools(shell) == [("sleep*", 0.0, 0.0, CANCELLED, "")]


# -- descriptions -----------------------------------------------------------------------------------------------------


def test_function_sees_the_command(shell: Sim) -> None:
    def answer(command: Command) -> str:
        return f"{command.number} {command.argv} {command.cwd} {command.env['A']}"

    shell.process("make *", stdout=answer, returncode=lambda command: 2 - command.number)

    def program() -> Any:
        runs = [
            subprocess.run(["make", "all"], stdout=-1, cwd="/src", env={"A": "b"}, check=False)
            for _ in range(2)
        ]
        return [(run.returncode, run.stdout) for run in runs]

    assert shell.run(program).output == [
        (1, b"1 ('make', 'all') /src b"),
        (0, b"2 ('make', 'all') /src b"),
    ]


def test_uses_are_recorded_with_their_input(shell: Sim) -> None:
    cat = shell.process("tr *", stdout=lambda command: command.stdin_text.upper())
    shell.run(subprocess.run, ["tr", "a-z", "A-Z"], input="text", text=True)
    assert [(use.line, use.stdin, use.number) for use in cat.uses] == [("tr a-z A-Z", b"text", 1)]


def test_some_uses_fail_by_chance_and_the_same_again(shell: Sim) -> None:
    shell.process(
        "flaky", stdout="ok", failure_probability=0.5, latency_s={"uniform": {"low": 1, "high": 2}}
    )

    def program() -> Any:
        return [
            subprocess.run("flaky", capture_output=True, check=False).returncode for _ in range(20)
        ]

    first, second = shell.run(program), shell.run(program)
    assert set(first.output) == {0, 1}
    assert first.output == second.output
    assert as_json_lines(first.spans_table) == as_json_lines(second.spans_table)
    assert as_json_lines(first.spans_table) != as_json_lines(shell.run(program, seed=2).spans_table)


def test_first_description_that_matches_counts(shell: Sim) -> None:
    shell.process("git push --force*", returncode=1)
    assert shell.run(subprocess.call, ["git", "push", "--force"]).output == 0


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (lambda: subprocess.run(["git", "pull", "a b"]), "git pull 'a b'"),  # noqa: PLW1510 - is refused
        (lambda: subprocess.run("git push"), "'git push'"),  # noqa: PLW1510 - not a shell's: the name of a program
        (lambda: subprocess.run(["git", "push"], shell=True), "git"),  # noqa: PLW1510 - a shell gets the first word
        (lambda: os.system("echo hi && git push"), "echo hi && git push"),
    ],
)
def test_command_that_nobody_described_is_shown_beside_the_nearest(
    shell: Sim, run: Callable[[], Any], line: str
) -> None:
    with pytest.raises(NotSimulated) as caught:
        shell.run(run)
    assert caught.value.what == f"the command `{line}`"
    assert "The nearest of 4 described: 'git push*'" in str(caught.value) or line == "git"


def test_refusal_fails_the_run_even_if_the_program_swallows_it(shell: Sim) -> None:
    def tool() -> str:
        try:
            return subprocess.check_output(["date"], text=True)
        except Exception as error:  # noqa: BLE001 - as tools do
            return f"Error: {error}"

    with pytest.raises(NotSimulated, match="the command `date`"):
        shell.run(tool)


def test_process_that_was_never_run_is_told(shell: Sim) -> None:
    shell.run(lambda: None)
    with pytest.raises(HarnessError) as caught:
        shell.check()
    assert str(caught.value).splitlines() == [
        "process 'git push*' was never run",
        "  How to fix: take them out, or say `allow_unused=True` of the agent or process, `allow_unmet=True` of the fault.",
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"command": " "}, "a process is described by a glob"),
        ({"command": "x", "stdout": 3}, "process 'x': stdout is text, bytes, or a function"),
        ({"command": "x", "returncode": 1.5}, "process 'x': returncode is a whole number"),
        ({"command": "x", "returncode": 256}, "process 'x': returncode is a whole number"),
        ({"command": "x", "latency_s": -1}, "latency_s: "),
        ({"command": "x", "failure_probability": 2}, "failure_probability: "),
    ],
)
def test_wrong_description_is_refused_at_once(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        Sim(1).process(**wrong)


def test_function_that_gives_nonsense_is_told(shell: Sim) -> None:
    shell.process("bad", stdout=lambda _: 42)  # type: ignore[arg-type, return-value]
    with pytest.raises(HarnessError, match="process 'bad': stdout is text, bytes"):
        shell.run(subprocess.run, ["bad"])


def test_error_of_a_function_fails_the_run_even_if_the_program_swallows_it(shell: Sim) -> None:
    def answer(command: Command) -> str:
        raise AssertionError(command.line)

    def tool() -> str:
        try:
            return subprocess.check_output(["bad"], text=True)
        except Exception as error:  # noqa: BLE001 - as tools do
            return f"Error: {error}"

    shell.process("bad", stdout=answer)
    with pytest.raises(AssertionError, match="bad"):
        shell.run(tool)


# -- around a run -----------------------------------------------------------------------------------------------------


def test_processes_are_real_before_and_after_a_run(shell: Sim) -> None:
    command = [sys.executable, "-c", "print(42)"]
    real = subprocess.Popen(command, stdout=subprocess.PIPE)
    shell.run(subprocess.run, PUSH)
    assert real.communicate()[0] == b"42\n"
    assert subprocess.check_output(command) == b"42\n"


def test_handlers_that_a_program_sets_end_with_the_run(shell: Sim) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def program() -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, print)

    shell.run(program)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
