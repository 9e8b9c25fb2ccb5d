"""Ways to other processes. No test describes a command here; `sim.process` does."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import multiprocessing
import os
import platform
import pty
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from tests.isolation.way import Way, kept_in_a_generator

_DATE = ["date", "+%Y"]

_kept_run: Callable[[], object] = functools.partial(subprocess.run, _DATE)
_kept_system = os.system
_KEPT: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("system", kept_in_a_generator(os.system, "date")),
    ("fork", kept_in_a_generator(os.fork)),
    ("forkpty", kept_in_a_generator(os.forkpty)),
    ("posix_spawn", kept_in_a_generator(os.posix_spawn, "/bin/date", ["date"], {})),
    ("execve", kept_in_a_generator(os.execve, "/no/such/program", ["date"], {})),
    ("kill", kept_in_a_generator(os.kill, os.getpid(), 0)),
    ("killpg", kept_in_a_generator(os.killpg, os.getpgrp(), 0)),
)
_pid = os.getpid()


class _Tools:
    run: ClassVar[Any] = staticmethod(subprocess.check_output)

    system = staticmethod(os.system)


class _Popen(subprocess.Popen[bytes]):
    """A subclass, as psutil has one."""


def _wait_for_real(kept: Iterator[object]) -> bool:
    try:
        return next(kept) is not None
    except ChildProcessError:
        return True


def _refused(what: str, program: Callable[[], object], names: str, consequence: str = "") -> Way:
    return Way(
        what=what,
        outcome="refused",
        program=lambda _: program(),
        names=names,
        consequence=consequence,
    )


def _command(what: str, program: Callable[[], object], line: str = "date +%Y") -> Way:
    return _refused(what, program, f"the command `{line}`", "described by `sim.process`: simulated")


def _of_os(call: str, name: str, *args: Any) -> Way:  # noqa: ANN401 - of the function
    function = getattr(os, name)  # looked up in the run, as `os.name(...)` is
    assert callable(function)
    return _refused(f"`os.{call}`", lambda: getattr(os, name)(*args), f"os.{name}")


async def _exec() -> object:
    return await asyncio.create_subprocess_exec(*_DATE)


async def _shell() -> object:
    return await asyncio.create_subprocess_shell("date +%Y")


async def _loop_exec() -> object:
    return await asyncio.get_running_loop().subprocess_exec(asyncio.SubprocessProtocol, *_DATE)


async def _read_pipe() -> object:
    loop = asyncio.get_running_loop()
    return await loop.connect_read_pipe(asyncio.Protocol, sys.__stdin__)


async def _in_process_pool(_: object) -> None:
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, os.getpid)


def _fork_exec() -> object:
    import _posixsubprocess

    return _posixsubprocess.fork_exec([b"date"], [b"/bin/date"])  # type: ignore[call-arg]  # never comes that far


@contextmanager
def _process_before_the_run() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _platform_before_the_run() -> Iterator[str]:
    yield platform.platform()


WAYS: tuple[Way, ...] = (
    _command("`subprocess.run`", lambda: subprocess.run(_DATE, check=False)),
    _command(
        "`subprocess.run(..., shell=True)`",
        lambda: subprocess.run("date +%Y", shell=True, check=True),
    ),
    _command("`subprocess.Popen`", lambda: subprocess.Popen(_DATE)),
    _command("a subclass of `subprocess.Popen`", lambda: _Popen(_DATE)),
    _command("`subprocess.call`", lambda: subprocess.call(_DATE)),
    _command("`subprocess.check_call`", lambda: subprocess.check_call(_DATE)),
    _command("`subprocess.check_output`", lambda: subprocess.check_output(_DATE)),
    _command("`subprocess.getoutput`", lambda: subprocess.getoutput("date +%Y")),
    _command("`subprocess.getstatusoutput`", lambda: subprocess.getstatusoutput("date +%Y")),
    _command("`subprocess.run`, kept in a `partial` before the run", _kept_run),
    _command(
        "`subprocess.check_output`, kept in an attribute of a class", lambda: _Tools.run(_DATE)
    ),
    _command("`os.system`", lambda: os.system("date +%Y")),
    _command("`os.popen`", lambda: os.popen("date +%Y")),
    Way(
        what="`asyncio.create_subprocess_exec`",
        outcome="refused",
        program=lambda _: _exec(),
        names="the command `date +%Y`",
        consequence="described by `sim.process`: simulated",
    ),
    Way(
        what="`asyncio.create_subprocess_shell`",
        outcome="refused",
        program=lambda _: _shell(),
        names="the command `date +%Y`",
        consequence="described by `sim.process`: simulated",
    ),
    Way(
        what="`loop.subprocess_exec`",
        outcome="refused",
        program=lambda _: _loop_exec(),
        names="the command `date +%Y`",
        consequence="described by `sim.process`: simulated",
    ),
    _refused("`loop.connect_read_pipe`", _read_pipe, "loop.connect_read_pipe"),
    _of_os("fork", "fork"),
    _of_os("forkpty", "forkpty"),
    _refused("`pty.spawn`", lambda: pty.spawn(_DATE), "pty.spawn"),
    _refused("`pty.fork`", lambda: pty.fork(), "os.forkpty"),  # noqa: PLW0108 - looked up in the run
    _of_os("posix_spawn", "posix_spawn", "/bin/date", ["date"], {}),
    _of_os("posix_spawnp", "posix_spawnp", "date", ["date"], {}),
    _of_os("spawnv", "spawnv", os.P_WAIT, "/bin/date", ["date"]),
    _of_os("spawnlp", "spawnlp", os.P_NOWAIT, "date", "date"),
    _of_os("execv", "execv", "/no/such/program", ["date"]),
    _of_os("execve", "execve", "/no/such/program", ["date"], {}),
    _of_os("execlp", "execlp", "no-such-program", "date"),
    _of_os("waitpid", "waitpid", -1, 0),
    _of_os("wait", "wait"),
    _of_os("_exit", "_exit", 3),
    _of_os("abort", "abort"),
    _refused("`_posixsubprocess.fork_exec`", _fork_exec, "a process of your own (date)"),
    _refused(
        "`multiprocessing.Process`",
        lambda: multiprocessing.Process(target=print, name="child").start(),
        "a process of your own (child)",
    ),
    _refused("`multiprocessing.Pool`", lambda: multiprocessing.Pool(1), "a process of your own"),
    _refused(
        "`multiprocessing.Pool` with the start method `spawn`",
        lambda: multiprocessing.get_context("spawn").Pool(1),
        "a process of your own",
    ),
    _refused("`multiprocessing.Manager`", multiprocessing.Manager, "a process of your own"),
    _refused(
        "`ProcessPoolExecutor.submit`",
        lambda: concurrent.futures.ProcessPoolExecutor(1).submit(print),
        "a ProcessPoolExecutor",
    ),
    _refused(
        "`ProcessPoolExecutor.map`",
        lambda: concurrent.futures.ProcessPoolExecutor(1).map(abs, [1]),
        "a ProcessPoolExecutor",
    ),
    Way(
        what="`loop.run_in_executor` with a `ProcessPoolExecutor`",
        outcome="refused",
        program=_in_process_pool,
        names="a ProcessPoolExecutor",
    ),
    Way(
        what="`Popen.wait` for a process that was started before the run",
        outcome="refused",
        program=lambda process: process.wait(),
        names="a process that was started before the run",
        prepare=_process_before_the_run,
    ),
    Way(
        what="`Popen.poll` of a process that was started before the run",
        outcome="refused",
        program=lambda process: process.poll(),
        names="a process that was started before the run",
        prepare=_process_before_the_run,
    ),
    _refused("`webbrowser.open`", lambda: webbrowser.open("https://x.test"), "webbrowser.open"),
    *(
        Way(
            what=f"`os.{name}`, kept before the run where no search comes to it, such as in a generator",
            outcome="refused",
            program=next,
            names=f"os.{name.rstrip('ev')}",
            prepare=prepare,
            consequence="by an audit event, so that it cannot be described",
        )
        for name, prepare in _KEPT
    ),
    Way(
        what="`os.system`, kept before the run in an attribute of a class",
        outcome="refused",
        program=lambda _: _Tools.system("date +%Y"),
        names="the command `date +%Y`",
    ),
    Way(
        what="`os.system`, imported by name before the run",
        outcome="refused",
        program=lambda _: _kept_system("date +%Y"),
        names="the command `date +%Y`",
    ),
    Way(
        what="`os._exit`, `os.abort`, `os.wait*` or `_posixsubprocess.fork_exec`, kept likewise",
        outcome="real",
        program=_wait_for_real,
        prepare=kept_in_a_generator(os.waitpid, -1, os.WNOHANG),
        consequence="Python raises no audit event for these; call them by their names, as libraries do",
    ),
    Way(
        what="`input`",
        outcome="refused",
        program=lambda _: input(),
        names="input()",
        consequence="unless a test has replaced it or `sys.stdin`; a debugger may ask. `sys.stdin.readline()` is real: Python "
        "raises no audit event for it.",
    ),
    Way(
        what="`os.getpid`",
        outcome="real",
        program=lambda _: os.getpid() == _pid,
        consequence="differs from process to process, and so does what a program derives from it",
    ),
    Way(
        what="`platform.platform`",
        outcome="real",
        program=lambda before: platform.platform() == before,
        prepare=_platform_before_the_run,
        consequence="tells of the computer that the run is on; SDKs send it, and no simulated server looks at it",
    ),
)
